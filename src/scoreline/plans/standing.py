"""Where a run stands: what its record, its last event and the receipts in the store tell."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from scoreline.config.loading import load_config
from scoreline.dataset.commits import highest_commit
from scoreline.dataset.layout import Layout
from scoreline.dataset.manifests import finished
from scoreline.dataset.plans import read_plan
from scoreline.errors import printable
from scoreline.runs import find_run
from scoreline.runs.progress import spoken
from scoreline.storage import absolute, exists, read_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scoreline.runs import RunFolder


@dataclass(frozen=True)
class Standing:
    """Where a run stands.

    Attributes
    ----------
    status, exit_code, started, finished : as ``run.json`` says
    last, silent : the last thing that it told, and seconds since
    units, done, rows, done_rows : of its predictions; None before they are planned
    version, current : the newest version of its data set, and whether this run is in it
    next : what to do
    """

    run: str
    name: str
    folder: str
    status: str
    exit_code: int | None
    started: str
    finished: str | None
    last: str | None
    silent: float | None
    seconds: Mapping[str, float]
    next: str
    units: int | None = None
    done: int | None = None
    rows: int | None = None
    done_rows: int | None = None
    version: int | None = None
    current: bool = False

    def as_json(self) -> dict[str, Any]:
        """All fields as JSON values."""
        return asdict(self)

    def lines(self) -> list[str]:
        """As a person reads it."""
        code = "" if self.exit_code is None else f" (exit code {self.exit_code})"
        said = [f"run          {self.run} of {self.name}", f"status       {self.status}{code}, began {self.started}"]
        if self.last is not None:
            ago = "" if self.finished or self.silent is None else f" ({spoken(self.silent)} ago)"
            said.append(f"last told    {printable(self.last)}{ago}")
        said += [f"{stage:<12} {seconds:.1f} s" for stage, seconds in self.seconds.items()]
        if self.units is not None:
            said.append(f"units        {self.done:,} of {self.units:,} done, {self.done_rows:,} of {self.rows:,} rows")
        if self.version is not None:
            said.append(f"version      {self.version} is current{', made by this run' if self.current else ''}")
        return [*said, f"next         {self.next}"]


def standing(place: str) -> Standing:
    """Where a run stands, by its folder, or the newest run of an artifacts folder; eager, a few reads and listings.

    Raises UsageError when no run is there.
    """
    folder, record = find_run(place)
    last, silent = _last_event(folder)
    running = record["status"] == "running"
    known = Standing(
        run=folder.run_id,
        name=record["name"],
        folder=folder.root,
        status=record["status"],
        exit_code=record["exit_code"],
        started=record["started"],
        finished=record["finished"],
        last=last,
        silent=silent,
        seconds=record["seconds"],
        next=_next(record, running=running),
    )
    key = record.get("keys", {}).get("score")
    return known if key is None else _with_predictions(known, folder, key)


def _next(record: Mapping[str, Any], *, running: bool) -> str:
    again = " ".join(record["command"])
    if running:
        return f"wait; if it was killed, the same command goes on: {again}"
    return "nothing to do" if record["status"] == "done" else f"see log.txt; the same command goes on: {again}"


def _last_event(folder: RunFolder) -> tuple[str | None, float | None]:
    lines = read_bytes(folder.events).splitlines() if exists(folder.events) else []
    if not lines:
        return None, None
    told = json.loads(lines[-1])
    return told["message"], (datetime.now(UTC) - datetime.fromisoformat(told["time"])).total_seconds()


def _with_predictions(known: Standing, folder: RunFolder, key: str) -> Standing:
    job = load_config(folder.config)
    if job.predict is None:
        return known
    layout = Layout(absolute(job.predict.sink.uri), key)
    plan, commit = read_plan(layout), highest_commit(layout)
    facts: dict[str, Any] = {}
    if plan is not None:
        receipts = finished(layout).receipts()
        done = [receipts[unit] for unit in plan.units if unit in receipts]
        counts = {"units": len(plan.units), "done": len(done), "rows": plan.rows}
        facts |= {**counts, "done_rows": sum(receipt.rows_in for receipt in done)}
    if commit is not None:
        facts |= {"version": commit.version, "current": key in commit.names}
    return Standing(**{**asdict(known), **facts})
