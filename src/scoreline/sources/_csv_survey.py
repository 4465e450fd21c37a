"""CSV files against what is asked of them: columns, types, units and the contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scoreline.errors import DataError, Problem
from scoreline.refusal import Reason
from scoreline.sources._columns import some_files
from scoreline.sources._csv_types import settle_types
from scoreline.sources._inspection import inspect_files
from scoreline.sources._resolution import named
from scoreline.sources._sampling import sample_texts
from scoreline.sources._scan import cut_units

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scoreline.contract import Contract
    from scoreline.sources._dialect import Dialect
    from scoreline.sources._parsing import TextRows
    from scoreline.sources._resolution import Asked
    from scoreline.sources._values import Spelling
    from scoreline.storage import FileInfo
    from scoreline.units import Unit

_MOST_MISFITS = 0.5


@dataclass(frozen=True, eq=False)
class Found:
    """What a survey of CSV files found; see `Survey`."""

    files: tuple[FileInfo, ...]
    dialect: Dialect
    units: tuple[Unit, ...]
    contract: Contract
    notes: tuple[str, ...]


def survey_csv(files: Sequence[FileInfo], wanted: Dialect, spelling: Spelling, asked: Asked) -> Found:
    """Survey files: read them once, look at a sample, settle columns and types, cut units. Raises DataError."""
    inspection = inspect_files(files, wanted)
    headers = named(inspection.headers, asked)
    columns = asked.columns(headers, some_files([file.path for file in files]))
    samples = list(sample_texts(inspection))
    problems = list(_misfits(samples))
    if problems:
        raise DataError(*problems)
    tables = [(path, text.table.rename_columns(list(headers[path]))) for path, text in samples]
    given = {name: wanted for name, wanted in asked.types.items() if name in columns}
    schema, notes = settle_types(tables, given, columns, spelling)
    units = cut_units(inspection.scans)
    return Found(tuple(files), inspection.dialect, units, asked.contract(schema), (*inspection.notes, *notes))


def _misfits(samples: Sequence[tuple[str, TextRows]]) -> Iterator[Problem]:
    """A problem when most records of a file do not fit its header."""
    rows: dict[str, list[int]] = {}
    for path, text in samples:
        lines = sum(len(r.rows) for r in text.refusals if r.reason is Reason.UNREADABLE_LINE)
        counts = rows.setdefault(path, [0, 0])
        rows[path] = [counts[0] + lines, counts[1] + len(text.lines)]
    wrong = [path for path, (bad, every) in rows.items() if bad > _MOST_MISFITS * every]
    if wrong:
        what = f"in {len(wrong)} of {len(rows)} files most records have another number of fields than the header"
        yield Problem(what, some_files(wrong), "mend the header or these records; a trailing delimiter is a field, too")
