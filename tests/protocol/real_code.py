"""The package as its drivers use it, on a folder: the only place of these tests that knows the functions' names."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from pathlib import Path

import pyarrow as pa

from scoreline.dataset.commits import highest_commit
from scoreline.dataset.layout import Layout
from scoreline.dataset.manifests import finished
from scoreline.dataset.publication import Goal, publish
from scoreline.dataset.receipts import Receipt, write_receipt
from scoreline.dataset.unit_file import write_unit_file
from scoreline.sinks.parquet import Parquet

UNITS = ("f", "g")
_SCHEMA = pa.schema([("unit", pa.string()), ("run", pa.string()), ("attempt", pa.int64())])


def drive(layout: Layout, attempt: int) -> int:
    """Make the units that have no receipt, and publish the run: what `predict` does without model and input."""
    base = highest_commit(layout)
    known = finished(layout)
    receipts = {unit: make_unit(layout, unit, attempt) for unit in UNITS if unit not in known.names}
    receipts |= known.receipts()
    receipts |= {unit: make_unit(layout, unit, attempt) for unit in UNITS if unit not in receipts}
    return publish(layout, [receipts[unit] for unit in UNITS], Goal(base)).version


def make_unit(layout: Layout, unit: str, attempt: int) -> Receipt:
    """One attempt at a unit; its bytes differ from those of another attempt, so that mixing them up would show."""
    rows = pa.table([[unit], [layout.score_key], [attempt]], schema=_SCHEMA)
    write = partial(Parquet(uri=layout.uri).write, [rows], _SCHEMA)
    data, count = write_unit_file(write, layout, layout.unit_file(unit))
    return write_receipt(layout, Receipt(unit, count, count, 0, {}, data))


def commits(layout: Layout) -> dict[int, bytes]:
    """All commits as they are stored, by version."""
    return {int(path.stem): path.read_bytes() for path in sorted(Path(layout.commits).glob("*.json"))}


def runs_of(commit: bytes) -> list[str]:
    """The runs that a commit names."""
    return [run["run"] for run in json.loads(commit)["runs"]]


def listed(layout: Layout, run: str) -> dict[str, str]:
    """The files that a run's manifest lists: the hash of each by its name."""
    lines = Path(Layout(layout.uri, run).manifest).read_text("utf-8").splitlines()
    files = [json.loads(line)["data"] for line in lines]
    return {Path(file["path"]).name: file["sha256"] for file in files}


def content(folder: Path) -> dict[str, str]:
    """The files that are in a folder: the hash of each by its name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
