"""Whole jobs in the process of the test: small Parquet inputs, configs, and what came of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tests.end_to_end.commands import files_of

import scoreline as sl
from scoreline.results import RunRecord


def rows(count: int, seed: int = 0) -> pa.Table:
    """Rows with a number, a category and a group, from which a label can be learned."""
    random = np.random.default_rng(seed)
    x, city = random.normal(size=count), random.choice(["Natal", "Olinda", "Recife"], count)
    noise = random.normal(size=count) * 0.3
    return pa.table(
        {
            "id": [f"{seed}-{row}" for row in range(count)],
            "x": pa.array(x, mask=random.random(count) < 0.05),
            "z": random.integers(0, 100, count),
            "city": city,
            "shop": random.integers(0, 40, count),
            "y": np.where(x + (city == "Natal") + noise > 0, "yes", "no"),
        }
    )


def job(folder: Path, **sections: Any) -> dict[str, Any]:
    """A config that trains on ``in`` and predicts to ``out``; `sections` replace or extend its own."""
    config: dict[str, Any] = {
        "version": 1,
        "name": "promises",
        "source": {"kind": "parquet", "uri": str(folder / "in")},
        "features": [
            {"kind": "impute", "columns": ["x"]},
            {"kind": "standard_scale", "columns": ["x", "z"]},
            {"kind": "one_hot", "columns": ["city"]},
        ],
        "target": "y",
        "train": {"model": {"kind": "logistic_regression"}, "sample": {"units": "all"}, "threads": 1},
        "evaluate": {"metrics": ["accuracy"], "replicates": 10},
        "predict": {"sink": {"kind": "parquet", "uri": str(folder / "out")}, "error_budget": {"rate": 1.0}},
        "artifacts": str(folder / "artifacts"),
        "cluster": {"kind": "inline"},
    }
    for name, section in sections.items():
        mergeable = isinstance(section, dict) and name in ("train", "evaluate", "predict")
        config[name] = {**config[name], **section} if mergeable else section
    return config


def store(folder: Path, *tables: pa.Table, **options: Any) -> None:
    """Write the tables as the files of ``in``."""
    (folder / "in").mkdir(exist_ok=True)
    for number, table in enumerate(tables):
        pq.write_table(table, folder / "in" / f"part-{number}.parquet", **options)


def ran(folder: Path, config: dict[str, Any], command: str = "run", modules: tuple[Path, ...] = ()) -> RunRecord:
    """What a command of the config came to."""
    path = folder / "job.json"
    path.write_text(json.dumps(config))
    record: RunRecord = getattr(sl, command)(str(path), modules=modules)
    return record


def predicted(folder: Path, name: str = "out") -> pa.Table:
    """What readers find."""
    return pq.read_table(folder / name)


def published_bytes(folder: Path, name: str = "out") -> dict[str, str]:
    """sha256 of each published file without the part of its name that tells the run."""
    return files_of((folder / name).resolve())


def account(record: RunRecord) -> tuple[int, int, int, int]:
    """Rows in, predicted, quarantined and filtered."""
    found = record.predictions or {}
    return found["rows_in"], found["predicted"], found["quarantined"], found["filtered"]


def kept(record: RunRecord, name: str) -> pa.Table:
    """Intermediate data that the config asked to keep."""
    return pq.read_table(Path(record.artifacts) / "data" / name)
