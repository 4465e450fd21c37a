"""What data at a location look like: the source section to read them with, and what each column seems to hold."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from scoreline.contract import type_name
from scoreline.errors import DataError, Problem
from scoreline.sources import _parquet_types
from scoreline.sources._columns import missing_columns, some_files
from scoreline.sources._csv_types import SPELLINGS, numbers_among
from scoreline.sources._dialect import Dialect
from scoreline.sources._footers import names_by_path, read_footers
from scoreline.sources._inspection import AUTO, inspect_files
from scoreline.sources._inspection import SUFFIXES as CSV_SUFFIXES
from scoreline.sources._parquet_reading import read_pieces
from scoreline.sources._parquet_units import SUFFIXES as PARQUET_SUFFIXES
from scoreline.sources._parquet_units import cut_units
from scoreline.sources._profile import NEARLY_ALL, profile_of
from scoreline.sources._sampling import sample_texts, spread
from scoreline.sources._streams import read_head
from scoreline.sources._values import Spelling, read_values
from scoreline.storage import list_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scoreline.storage import FileInfo

_DAYS = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%y", "%d/%m/%y")
_FORMATS = tuple(f"{day}{time}" for day in _DAYS for time in ("", " %H:%M:%S", " %H:%M"))
_DISTINCT_DATES = 1000
_UNIQUE, _FEWEST_ROWS = 0.95, 20
_ID = r"^[0-9][0-9.,]*(?:[eE]\+?[0-9]+)?$"
_FILES, _ROWS = 16, 4096


@dataclass(frozen=True)
class ColumnLooks:
    """What a column seems to hold, from a sample.

    Attributes
    ----------
    type : the type that nearly all values fit, as a config names it
    misfits, misfit : how many values of the sample do not fit it, and the first of them
    null_share, distinct : share of nulls and number of distinct values in the sample
    min, max : the smallest and largest value of numbers, dates and times, as JSON has them
    constant : whether there is one value at most
    id_like : whether values look like identifiers: a different one in nearly every row, or numbers that are text
    date_format : the strptime format of dates that are text
    date_ambiguous : whether day and month could as well be the other way round
    """

    type: str
    misfits: int
    misfit: str | None
    null_share: float
    distinct: int
    min: float | str | None
    max: float | str | None
    constant: bool
    id_like: bool
    date_format: str | None
    date_ambiguous: bool


def suggest(uri: str) -> dict[str, Any]:
    r"""Look at data: ``source``, the section of a config that reads them, and ``columns``, `ColumnLooks` by name.

    Eager: reads CSV once and a sample of it again, of Parquet the footers and a sample. Raises DataError for what a
    survey would refuse, and for a folder that holds both kinds.

    >>> from pathlib import Path; from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a.csv").write_text("id;valor\n007;1.234,50\n008;1,5\n")
    ...     found = suggest(folder)
    >>> found["source"]["decimal"], found["columns"]["id"]["type"], found["columns"]["valor"]["max"]
    (',', 'string', 1234.5)
    """
    files = list_files(uri, (*CSV_SUFFIXES, *PARQUET_SUFFIXES))
    parquet = [file for file in files if _is_parquet(file)]
    others = [file for file in files if not _is_parquet(file)]
    if not parquet:
        return _suggest_csv(uri, others)
    if any(not file.path.lower().endswith(".txt") for file in others):
        what = f"this folder holds both Parquet and other files: {some_files([file.path for file in others])}"
        raise DataError(Problem(what, uri, "give a pattern such as '*.parquet' or '*.csv'"))
    return _suggest_parquet(uri, parquet)


def _is_parquet(file: FileInfo) -> bool:
    known = file.path.lower().endswith((*CSV_SUFFIXES, *PARQUET_SUFFIXES))
    return file.path.lower().endswith(PARQUET_SUFFIXES) if known else read_head(file.uri, 4) == b"PAR1"


def _suggest_csv(uri: str, files: Sequence[FileInfo]) -> dict[str, Any]:
    inspection = inspect_files(files, Dialect(AUTO, '"', AUTO))
    _refuse_differences(inspection.headers)
    parts: dict[str, list[pa.Array]] = {}
    for _, text in sample_texts(inspection):
        for name in text.table.column_names:
            parts.setdefault(name, []).append(text.table[name].chunk(0))
    columns = {name: pa.concat_arrays(arrays) for name, arrays in parts.items()}
    spelling = _likeliest_spelling(list(columns.values()))
    source = {
        "kind": "csv",
        "uri": uri,
        "delimiter": inspection.dialect.delimiter,
        "decimal": spelling.decimal,
        "thousands": spelling.thousands,
        "encoding": inspection.dialect.encoding,
    }
    return {"source": source, "columns": {name: asdict(_look_at(text, spelling)) for name, text in columns.items()}}


def _refuse_differences(names: Mapping[str, Sequence[str]]) -> None:
    """Refuse files that do not all have the same columns; white space around names makes no difference."""
    bare = {path: [name.strip() for name in columns] for path, columns in names.items()}
    problems = tuple(missing_columns(bare, dict.fromkeys(name for columns in bare.values() for name in columns)))
    if problems:
        raise DataError(*problems)


def _likeliest_spelling(columns: Sequence[pa.Array]) -> Spelling:
    """The spelling under which most columns are numbers, and most values of these; of equal ones the commonest."""

    def numbers(spelling: Spelling) -> tuple[int, int]:
        counts = [numbers_among([text], spelling) for text in columns]
        return sum(count > 0 for count in counts), sum(counts)

    return max(SPELLINGS, key=numbers)


def _look_at(text: pa.Array, spelling: Spelling) -> ColumnLooks:
    wanted = profile_of(text, spelling).likely_type
    typed = read_values(text, wanted, spelling)
    return _looks(typed.values, text.filter(pa.array(typed.bad)) if typed.bad is not None else text[:0])


def _looks(values: pa.Array, misfits: Sequence[Any] = ()) -> ColumnLooks:
    found = values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values
    known = found.drop_null()
    distinct = _distinct(known)
    low, high = _range(known)
    formats = _date_formats(known) if pa.types.is_string(known.type) else []
    return ColumnLooks(
        type=type_name(found.type),
        misfits=len(misfits),
        misfit=str(misfits[0]) if len(misfits) else None,
        null_share=round((found.null_count - len(misfits)) / max(1, len(found)), 6),
        distinct=distinct,
        min=low,
        max=high,
        constant=distinct <= 1,
        id_like=not formats and _is_id_like(known, distinct),
        date_format=formats[0] if formats else None,
        date_ambiguous=len(formats) > 1,
    )


def _distinct(known: pa.Array) -> int:
    try:
        return int(pc.count_distinct(known).as_py())
    except pa.ArrowNotImplementedError:
        # Nested values cannot be compared by Arrow.
        return len({str(value) for value in known.to_pylist()})


def _range(known: pa.Array) -> tuple[Any, Any]:
    found = known.type
    if not len(known) or not (pa.types.is_integer(found) or pa.types.is_floating(found) or pa.types.is_temporal(found)):
        return None, None
    bounds = pc.min_max(known)
    if pa.types.is_temporal(found):
        return str(bounds["min"].cast(pa.string())), str(bounds["max"].cast(pa.string()))
    return bounds["min"].as_py(), bounds["max"].as_py()


def _is_id_like(known: pa.Array, distinct: int) -> bool:
    if not (pa.types.is_string(known.type) or pa.types.is_integer(known.type)):
        return False
    if len(known) >= _FEWEST_ROWS and distinct >= _UNIQUE * len(known):
        return True
    if not pa.types.is_string(known.type) or not len(known):
        return False
    like = pc.match_substring_regex(pc.utf8_trim_whitespace(known), pattern=_ID)
    return bool(pc.sum(like).as_py() >= NEARLY_ALL * len(known))


def _date_formats(known: pa.Array) -> list[str]:
    """The formats that read nearly all of the texts, the likeliest first."""
    texts = pc.utf8_trim_whitespace(known).unique()[:_DISTINCT_DATES].to_pylist()
    if not texts:
        return []
    return [form for form in _FORMATS if sum(_reads(text, form) for text in texts) >= NEARLY_ALL * len(texts)]


def _reads(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:
        return False
    return True


def _suggest_parquet(uri: str, files: Sequence[FileInfo]) -> dict[str, Any]:
    footers = [footer for footer in read_footers(files) if footer.rows]
    found = names_by_path(footers)
    _refuse_differences(found)
    names = dict.fromkeys(name for columns in found.values() for name in columns)
    schema, _ = _parquet_types.settle_types(footers, {}, list(names))
    pieces = spread([piece for unit in cut_units(footers) for piece in unit.pieces], _FILES)
    if not pieces:
        raise DataError(
            Problem("there are no rows", some_files([file.path for file in files]), "give a file with rows")
        )
    tables = [next(read_pieces((piece,), schema, _ROWS)).table for piece in pieces]
    plain = pa.concat_tables(table.cast(schema) for table in tables)
    columns = {name: asdict(_looks(plain[name].combine_chunks())) for name in plain.column_names}
    return {"source": {"kind": "parquet", "uri": uri}, "columns": columns}
