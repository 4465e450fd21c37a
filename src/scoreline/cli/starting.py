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
    rows: Annotated[int, typer.Option("--rows", min=100, metavar="N", help="Rows to make.")] = 50_000,
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
            f"scoreline run {config} --set train.model.params.n_estimators=100",
            f"scoreline init {folder}/data/transactions --yes --target grupo_estabelecimento -o my.json",
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


@dataclass(frozen=True)
class Written:
    """A config that was written, and what to know about it."""

    config: Path
    remarks: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Where it is, and the remarks."""
        return {"config": str(self.config), "remarks": list(self.remarks)}

    def lines(self) -> list[str]:
        """Where it is, and the remarks."""
        return [f"config       {self.config}", *self.remarks]


def init(
    data: Annotated[str, typer.Argument(metavar="DATA", help="File, folder or glob; local or s3://.")],
    yes: Annotated[bool, typer.Option("--yes", help="Take every guess; nothing is asked.")] = False,
    target: Annotated[str | None, typer.Option("--target", metavar="COLUMN", help="The column to learn.")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where to write.")] = Path(
        "config.json"
    ),
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Look at data and write a config that runs on them."""
    with Outcome(as_json=json, debug=debug) as outcome:
        _refuse_init(data, output, yes=yes)
        from scoreline.starter import config_text, first_config

        first = first_config(data, target)
        output.write_text(config_text(first.config), encoding="utf-8")
        outcome.show(Advised(Written(output, first.remarks), (f"scoreline check {output}", f"scoreline run {output}")))


def _refuse_init(data: str, output: Path, *, yes: bool) -> None:
    from scoreline.errors import Problem, UsageError

    if not yes:
        advice = f"scoreline init {data} --yes writes a config with every guess stated, to change by hand"
        raise UsageError(Problem("init cannot ask questions yet", "scoreline init", advice))
    if output.exists():
        raise UsageError(Problem("there is a file already", str(output), "name another one with --output"))
    if not output.parent.is_dir():
        raise UsageError(
            Problem("there is no such folder", str(output.parent), "make it, or name another with --output")
        )
