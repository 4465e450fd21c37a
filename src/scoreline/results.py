"""What commands tell in the end: as lines for a person and as JSON for a program."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scoreline.errors import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class RunRecord:
    """What a run came to.

    Attributes
    ----------
    name, run : of the job, and of this execution
    model : where the bundle is, what it was fitted on; None for a run that used none of ours
    metrics : the evaluation's report; None when nothing was evaluated
    predictions : where they are, which version, and the account of rows; None when nothing was predicted
    artifacts : the run's folder
    """

    name: str
    run: str
    artifacts: str
    model: Mapping[str, Any] | None = None
    metrics: Mapping[str, Any] | None = None
    predictions: Mapping[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """All fields as JSON values."""
        return {
            "name": self.name,
            "run": self.run,
            "artifacts": self.artifacts,
            "model": self.model,
            "metrics": self.metrics,
            "predictions": self.predictions,
        }

    def lines(self) -> list[str]:
        """The result as a person reads it."""
        said = []
        if self.predictions:
            said += _account(self.predictions)
        if self.model:
            said.append(f"model        {_from_here(self.model['uri'])}")
        if self.metrics:
            said += _headline(self.metrics)
        return [*said, f"run          {_from_here(self.artifacts)}"]


def _from_here(uri: str) -> str:
    """A location as people in the current folder write it.

    >>> _from_here(f"{Path.cwd()}/predictions/amounts"), _from_here("/data/amounts"), _from_here("s3://bucket/amounts")
    ('predictions/amounts', '/data/amounts', 's3://bucket/amounts')
    """
    return str(Path(uri).relative_to(Path.cwd())) if Path(uri).is_relative_to(Path.cwd()) else uri


def _account(found: Mapping[str, Any]) -> list[str]:
    rows = (
        f"rows         {found['rows_in']:,} in = {found['predicted']:,} predicted"
        f" + {found['quarantined']:,} quarantined + {found['filtered']:,} filtered"
    )
    said = [f"predictions  {_from_here(found['uri'])} (version {found['version']})", rows]
    if found["runs"] > 1:
        said[0] = f"{said[0]}, of {counted(found['runs'], 'run')}"
    if found["cost"]["planned"] and found["units_computed"]:
        said.append(_compared(found["cost"], found["cost"]["planned"]))
    if found["refused"]:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in found["refused"].items())
        said += [f"refused      {reasons}", f"quarantine   {_from_here(found['quarantine'])}"]
    return said


def _compared(cost: Mapping[str, Any], planned: Mapping[str, Any]) -> str:
    """What predicting took, beside what was planned."""
    memory, said = (found["memory"] / 2**20 for found in (cost, planned))
    return (
        f"cost         {cost['seconds']:.1f} s (planned {planned['seconds']:.1f} s),"
        f" {memory:,.0f} MiB in a worker (planned {said:,.0f} MiB)"
    )


def _headline(report: Mapping[str, Any]) -> list[str]:
    said = []
    baseline, metrics = report.get("baseline", {}).get("metrics", {}), report.get("metrics", {})
    width = max([12, *map(len, metrics)])
    for name, found in metrics.items():
        interval = "" if found.get("low") is None else f" ({found['low']:.4g} to {found['high']:.4g})"
        trivial = baseline.get(name, {}).get("value")
        beside = "" if trivial is None else f"; baseline {trivial:.4g}"
        value = "undefined" if found["value"] is None else f"{found['value']:.4g}"
        said.append(f"{name:<{width}} {value}{interval}{beside}")
    return said


@dataclass(frozen=True)
class CheckReport:
    """What `check` found out without running anything.

    Attributes
    ----------
    inputs : per use (train, predict): location, files, units, rows, notes
    schemas : columns with types after each step, by step
    output : columns of the predictions
    """

    name: str
    inputs: Mapping[str, Mapping[str, Any]]
    schemas: Sequence[tuple[str, Mapping[str, str]]]
    output: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """All fields as JSON values."""
        return {
            "name": self.name,
            "inputs": self.inputs,
            "schemas": [{"after": step, "columns": columns} for step, columns in self.schemas],
            "output": self.output,
        }

    def lines(self) -> list[str]:
        """The report as a person reads it: each step with the columns that it changed."""
        said = []
        for uses, found in _by_what_they_are(self.inputs):
            sizes = ", ".join(counted(found[f"{noun}s"], noun) for noun in ("file", "row", "unit"))
            said.append(f"{uses:<18} {found['uri']}: {sizes}")
            said += [f"{'':<18} {note}" for note in found["notes"]]
        before: Mapping[str, str] = {}
        for step, columns in self.schemas:
            changed = [f"{name}: {kind}" for name, kind in columns.items() if before.get(name) != kind]
            gone = [f"-{name}" for name in before if name not in columns]
            said.append(f"{step:<18} {', '.join([*changed, *gone]) or 'same columns'}")
            before = columns
        if self.output:
            said.append(f"{'output':<18} {', '.join(f'{name}: {kind}' for name, kind in self.output.items())}")
        return [*said, "the config is good: it fits the data; nothing was cleaned, trained or predicted"]


def _by_what_they_are(inputs: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, Mapping[str, Any]]]:
    """The inputs, each once with all of its uses."""
    uses: list[tuple[str, Mapping[str, Any]]] = []
    for use, found in inputs.items():
        if uses and uses[-1][1] == found:
            uses[-1] = (f"{uses[-1][0]}, {use}", found)
        else:
            uses.append((use, found))
    return uses
