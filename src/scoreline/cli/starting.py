"""Commands for the first minutes: demo, init."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from scoreline.cli.jobs import Request, execute
from scoreline.cli.options import DebugOption, JsonOption
from scoreline.cli.outcome import Outcome, Result

if TYPE_CHECKING:
    from scoreline.demo import DemoData, Format


@dataclass(frozen=True)
class Advised:
    """A result, and what to try next."""

    found: Result
    commands: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The result with the commands."""
        return {**self.found.as_json(), "next": list(self.commands)}

    def lines(self) -> list[str]:
        """The result, then the commands."""
        return [*self.found.lines(), "", "Next, try:", *(f"  {command}" for command in self.commands)]


@dataclass(frozen=True)
class Made:
    """Demo data and the config that goes with them."""

    data: DemoData
    config: Path

    def as_json(self) -> dict[str, Any]:
        """Where they are, and what was planted in the data."""
        from dataclasses import asdict

        return {**asdict(self.data), "config": str(self.config)}

    def lines(self) -> list[str]:
        """Where they are."""
        return [
            f"data         {self.data.source} ({self.data.rows:,} rows in {self.data.files:,} files)",
            f"reference    {self.data.reference}",
            f"config       {self.config}",
        ]


def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder for data, config and results.")] = Path("demo"),
    rows: Annotated[int, typer.Option("--rows", min=1, metavar="N", help="Rows to make.")] = 50_000,
    form: Annotated[Literal["csv", "parquet"], typer.Option("--format", help="Format of the data.")] = "csv",
    data_only: Annotated[bool, typer.Option("--data-only", help="Make data and config; run nothing.")] = False,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Make messy sample data and run the whole job on it."""
    with Outcome(as_json=json, debug=debug) as outcome:
        made = _make(folder, rows, form)
        config = made.config
        if data_only:
            outcome.show(Advised(made, (f"scoreline check {config}", f"scoreline run {config}")))
            return
        record = execute("run", Request(str(config), as_json=json, debug=debug), outcome)
        tries = (
            f"scoreline check {config}",
            f"scoreline run {config} --set train.model.params.n_estimators=200",
            f"scoreline init {folder / 'data' / 'transactions'} --yes -o my-config.json",
        )
        outcome.show(Advised(record, tries))


def _make(folder: Path, rows: int, form: Format) -> Made:
    from scoreline.demo import write_demo
    from scoreline.errors import Problem, UsageError
    from scoreline.starter import config_text, demo_config

    config = folder / "config.json"
    ours = {each: config_text(demo_config(folder.as_posix(), each)) for each in ("csv", "parquet")}
    if config.exists() and config.read_text(encoding="utf-8") not in ours.values():
        advice = f"run it with: scoreline run {config}; or name another folder"
        raise UsageError(Problem("there is a config that the demo did not write", str(config), advice))
    data = write_demo(folder / "data", rows, form)
    config.write_text(ours[form], encoding="utf-8")
    return Made(data, config)
