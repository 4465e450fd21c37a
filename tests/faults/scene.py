"""A small world to break: two models, an input of many units, and what undisturbed runs make of it.

The two models answer with different labels, so that a single row tells which run it comes from.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import scoreline as sl
from scoreline.cli.outcome import _explained
from scoreline.errors import ScorelineError

MODELS = {"english": ("no", "yes"), "german": ("ja", "nein")}
FORBIDDEN_SHOP = 36
"""The contract refuses shops from this number on; they are in the second file only."""

Key = tuple[str, int]


@dataclass(frozen=True)
class Reference:
    """What an undisturbed run left: name and sha256 of each file, by the folder that it is in."""

    key: str
    data: Mapping[str, str]
    quarantine: Mapping[str, str]
    receipts: Mapping[str, str]
    manifest: str

    @property
    def units(self) -> int:
        """How many units the run has."""
        return len(self.receipts)


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, what it said, and how many units it computed."""

    code: int
    said: str = ""
    computed: int = 0
    version: int = 0


@dataclass
class Scene:
    """A folder with the models, the input and the undisturbed runs."""

    folder: Path
    units: int
    rows: int = 20
    models: dict[str, str] = field(default_factory=dict)
    calm: dict[str, Reference] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.folder / "new").mkdir(parents=True)
        for number in range(self.units):
            pq.write_table(new_rows(number, self.rows), self.folder / f"new/{number:03}.parquet")
        for name in MODELS:
            self.models[name] = self._trained(name)
            self.calm[name] = self._undisturbed(name)

    @cached_property
    def keys(self) -> frozenset[Key]:
        """The identity of every input row."""
        return frozenset((f"{unit:03}.parquet", row) for unit in range(self.units) for row in range(self.rows))

    def config(self, name: str, model: str, uri: str, /, **sections: Any) -> Path:
        """Write the config of a run of a model that predicts to `uri`; `sections` extend or replace its own."""
        config: dict[str, Any] = {
            "version": 1,
            "name": name,
            "source": {"kind": "parquet", "uri": str(self.folder / "new")},
            "model": {"uri": self.models[model]},
            "predict": {
                "sink": {"kind": "parquet", "uri": uri},
                "keep": ["id", "shop"],
                "error_budget": {"rate": 1.0},
            },
            "artifacts": str(self.folder / "artifacts" / name),
            "cluster": {"kind": "inline"},
        }
        for section, value in sections.items():
            config[section] = {**config[section], **value} if section == "predict" else value
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(config))
        return path

    def _trained(self, name: str) -> str:
        no, yes = MODELS[name]
        table = learnable_rows(0, 300)
        labels = pc.if_else(pc.equal(table["y"], "yes"), yes, no)
        table = table.set_column(table.column_names.index("y"), "y", labels)
        (self.folder / f"in-{name}").mkdir()
        pq.write_table(table, self.folder / f"in-{name}/a.parquet")
        config = {
            "version": 1,
            "name": name,
            "source": {"kind": "parquet", "uri": str(self.folder / f"in-{name}")},
            "contract": {"columns": {"shop": {"max": FORBIDDEN_SHOP - 1}}},
            "features": [{"kind": "standard_scale", "columns": ["z"]}, {"kind": "one_hot", "columns": ["city"]}],
            "target": "y",
            "train": {"model": {"kind": "logistic_regression"}, "sample": {"units": "all"}, "threads": 1},
            "artifacts": str(self.folder / "trained"),
            "cluster": {"kind": "inline"},
        }
        path = self.folder / f"train-{name}.json"
        path.write_text(json.dumps(config))
        with quiet():
            record = sl.train(str(path))
        return str((record.model or {})["uri"])

    def _undisturbed(self, name: str) -> Reference:
        store = self.folder / f"calm-{name}.store"
        ended = command(self.config(f"calm-{name}", name, str(self.folder / f"calm-{name}")))
        assert ended == Ended(0, "", self.units, 1), ended
        (manifest,) = (store / "manifests").iterdir()
        key = manifest.stem
        return Reference(
            key=key,
            data=hashes(store / "runs" / key / "data"),
            quarantine=hashes(store / "quarantine" / key),
            receipts=hashes(store / "receipts" / key),
            manifest=hashlib.sha256(manifest.read_bytes()).hexdigest(),
        )


def learnable_rows(seed: int, count: int) -> pa.Table:
    """Rows with a number and a category, from which a label can be learned."""
    random = np.random.default_rng(seed)
    z, city = random.integers(0, 100, count), random.choice(["Natal", "Olinda", "Recife"], count)
    return pa.table(
        {
            "id": [f"{seed}-{row}" for row in range(count)],
            "z": z,
            "city": city,
            "shop": random.integers(0, FORBIDDEN_SHOP, count),
            "y": np.where(z + 30 * (city == "Natal") + random.normal(size=count) * 10 > 60, "yes", "no"),
        }
    )


def new_rows(number: int, count: int) -> pa.Table:
    """The rows of an input file; the second file has some that the contract refuses.

    Small files go together into one unit only when their types are the same, and those of neighbours are not.
    """
    table = learnable_rows(number + 1, count)
    shop = table["shop"].to_numpy() if number != 1 else np.arange(count) + FORBIDDEN_SHOP - count // 2
    column = pa.array(shop, pa.int32() if number % 2 else pa.int64())
    return table.set_column(table.column_names.index("shop"), "shop", column).drop_columns("y")


def hashes(folder: Path) -> dict[str, str]:
    """sha256 of every file in a folder, by name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep what commands tell away from the terminal."""
    with contextlib.redirect_stderr(io.StringIO()):
        yield


def command(config: Path) -> Ended:
    """Predict in this process; how the command line would have ended."""
    try:
        record = sl.predict(str(config))
    except (ScorelineError, OSError) as error:
        problems, code = _explained(error, "")
        return Ended(code, problems[0].what)
    found = record.predictions or {}
    return Ended(0, "", int(found["units_computed"]), int(found["version"]))
