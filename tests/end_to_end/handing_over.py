"""A data scientist's desk: messy Parquet, objects fitted by plain scikit-learn, and the command that scores."""

import datetime as dt
import hashlib
import json
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import dill
import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from skops import io as skops_io
from typer.testing import CliRunner

from scoreline.cli.app import app

ROWS = 240

DUMP: dict[str, Callable[[Any], bytes]] = {
    ".skops": skops_io.dumps,
    ".pkl": pickle.dumps,
    ".pickle": pickle.dumps,
    ".dill": dill.dumps,
}


def hand_over(fitted: Any, path: Path, **options: Any) -> dict[str, Any]:
    """Save an object in the format of the file's suffix; what a config says of it."""
    suffix = path.suffix.lower()
    if suffix == ".joblib":
        joblib.dump(fitted, str(path))
    else:
        path.write_bytes(DUMP[suffix](fitted))
    return saved(path) | options


def saved(path: Path) -> dict[str, Any]:
    """What a config says of a file."""
    trust = {} if path.suffix.lower() == ".skops" else {"trust": True}
    return {"uri": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), **trust}


def everything() -> pa.Table:
    """Columns of every type that pandas reads in a way of its own, some with nulls."""
    draw = np.random.default_rng(7)
    days = [dt.date(2024, 1, 1) + dt.timedelta(days=int(day)) for day in draw.integers(0, 9, ROWS)]
    columns = {
        "x": draw.normal(size=ROWS),
        "x_null": _some_null(draw, draw.normal(size=ROWS).tolist()),
        "narrow": draw.normal(size=ROWS).astype("float32"),
        "count": draw.integers(0, 9, ROWS),
        "count_null": _some_null(draw, draw.integers(0, 9, ROWS).tolist()),
        "small": draw.integers(0, 100, ROWS).astype("int8"),
        "flag": draw.random(ROWS) < 0.5,
        "flag_null": _some_null(draw, (draw.random(ROWS) < 0.5).tolist()),
        "city": draw.choice(["Natal", "Recife", "Olinda"], ROWS),
        "city_null": _some_null(draw, draw.choice(["Natal", "Recife", "Olinda"], ROWS).tolist()),
        "level": pa.array(draw.choice(["low", "middle", "high"], ROWS)).dictionary_encode(),
        "level_null": pa.array(_some_null(draw, draw.choice(["low", "high"], ROWS).tolist())).dictionary_encode(),
        "price": [Decimal(int(cents)) / 100 for cents in draw.integers(0, 400, ROWS)],
        "day": days,
        "day_null": _some_null(draw, days),
        "at": pa.array([dt.datetime.combine(day, dt.time(5)) for day in days], pa.timestamp("ns")),
    }
    return pa.table(
        {name: values if isinstance(values, pa.Array) else pa.array(values) for name, values in columns.items()}
    )


def _some_null(draw: np.random.Generator, values: Sequence[Any]) -> list[Any]:
    return [None if missing else value for value, missing in zip(values, draw.random(ROWS) < 0.1, strict=True)]


def write_parts(folder: Path, table: pa.Table, *cuts: int) -> Path:
    """Write rows between cuts as files, every other one with its columns in another order; the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    bounds = [0, *cuts, table.num_rows]
    for number, (start, stop) in enumerate(pairwise(bounds)):
        names = table.column_names[::-1] if number % 2 else table.column_names
        pq.write_table(table.slice(start, stop - start).select(names), folder / f"part-{number}.parquet")
    return folder


@dataclass(frozen=True)
class Desk:
    """A folder in which things are handed over and scored."""

    folder: Path
    data: Path

    @property
    def frame(self) -> pd.DataFrame:
        """All input rows as pandas reads them."""
        return pd.read_parquet(self.data)

    @property
    def published(self) -> Path:
        """Where predictions are published."""
        return self.folder / "predictions"

    def config(self, model: dict[str, Any], sections: dict[str, Any]) -> Path:
        """Write a config that scores the data with a model; `sections` replace its own, but `predict` adds to it."""
        predict = {"sink": {"kind": "parquet", "uri": str(self.published)}, **sections.pop("predict", {})}
        source = {"kind": "parquet", "uri": str(self.data)}
        own = {"version": 1, "name": "desk", "source": source, "artifacts": str(self.folder / "artifacts")}
        path = self.folder / "job.json"
        path.write_text(json.dumps({**own, "model": model, "predict": predict, **sections}))
        return path

    def command(self, model: dict[str, Any], *options: str, code: int = 0, **sections: Any) -> str:
        """Run `scoreline predict`; what it told on stderr."""
        config = self.config(model, sections)
        done = CliRunner().invoke(app, ["predict", str(config), *options])
        assert done.exit_code == code, done.output
        return done.stderr

    def score(self, model: dict[str, Any], *options: str, **sections: Any) -> pd.DataFrame:
        """The predictions that `scoreline predict` publishes."""
        self.command(model, *options, **sections)
        return self.rows()

    def rows(self) -> pd.DataFrame:
        """What is published."""
        files = sorted(self.published.glob("*.parquet"))
        return pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)


def assert_same(found: pd.DataFrame, expected: Any, proba: Any = None, labels: Sequence[Any] = ()) -> None:
    """Predictions equal those of scikit-learn: labels exactly, numbers to 1e-12."""
    plain = np.asarray(expected)
    if plain.dtype.kind == "f":
        np.testing.assert_allclose(found["prediction"], plain, rtol=1e-12, atol=1e-12)
    else:
        assert found["prediction"].tolist() == plain.tolist()
    columns = [name for name in found.columns.tolist() if name.startswith("proba_")]
    assert columns == [f"proba_{label}" for label in labels]
    if columns:
        np.testing.assert_allclose(found[columns], proba, rtol=0, atol=1e-12)
