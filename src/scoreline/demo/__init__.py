"""Demo data: card transactions of an invented country, as messy as a real export, with a label that can be learned.

Everything follows from the seed and the number of rows: row n is the same in every format and however the rows are cut
into files, so that any file can be made alone and in constant memory.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import pyarrow.parquet as pq

from scoreline.demo.draws import draw, make_world
from scoreline.demo.specials import DUPLICATE, MISSING_AMOUNT, Specials
from scoreline.demo.tables import BREAKS as TABLE_BREAKS
from scoreline.demo.tables import ArrowTables, cities
from scoreline.demo.texts import BREAKS as LINE_BREAKS
from scoreline.demo.texts import HEADER, CsvLines
from scoreline.errors import Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from scoreline.demo.draws import Draw, Ints, World

Format = Literal["csv", "parquet"]

_ROWS_PER_FILE = 250_000
_LEAST_FILES = 4
_ROW_GROUP = 131_072
_TRANSACTIONS, _CITIES, _RECORD = "transactions", Path("reference") / "cities.parquet", "demo.json"
_BROKEN: Mapping[Format, tuple[str, ...]] = {"csv": tuple(LINE_BREAKS), "parquet": TABLE_BREAKS}


@dataclass(frozen=True)
class DemoData:
    """Where demo data lie and what was planted in them.

    Attributes
    ----------
    source, reference : a glob of the transactions' files, and the table to join on `cidade`
    rows, files : how many; a broken line counts as a row
    broken : rows by the way in which they are broken
    duplicates : rows that are exact copies of an earlier one, mostly of another file
    missing_amounts : rows without an amount
    """

    source: str
    reference: str
    rows: int
    files: int
    broken: Mapping[str, int]
    duplicates: int
    missing_amounts: int


class _Maker(NamedTuple):
    world: World
    specials: Specials
    format: Format

    def chunks(self, start: int, stop: int) -> Iterator[tuple[Draw, Mapping[str, Ints]]]:
        """Rows [start, stop), one row group at a time, with the positions of the special ones by kind."""
        for first in range(start, stop, _ROW_GROUP):
            last = min(first + _ROW_GROUP, stop)
            numbers = np.arange(first, last, dtype=np.int64)
            special = self.specials.between(first, last)
            copies = special[DUPLICATE]
            numbers[copies - first] = self.specials.sources(copies)
            yield draw(self.world, numbers), {kind: chosen - first for kind, chosen in special.items()}


def write_demo(
    folder: str | Path,
    rows: int = 50_000,
    format: Format = "csv",  # noqa: A002  the command's own word
    seed: int = 42,
    rows_per_file: int | None = None,
) -> DemoData:
    """Write transactions and the table to join below a local folder; the same arguments always give the same bytes.

    Files that an earlier call with the same arguments finished are left untouched, those of other arguments replaced.

    Parameters
    ----------
    rows_per_file : at most so many rows a file, evenly; by default 250,000, and at least four files
    seed : of rows and customers; what there is to learn about merchant groups is the same for every seed

    Raises
    ------
    UsageError : numbers that make no sense, or a folder holding transactions that this function did not write

    Notes
    -----
    About half a microsecond a row on one core, in some 200 MB of memory for any number of rows.
    """
    _refuse_impossible(rows, format, seed, rows_per_file)
    root = Path(folder)
    cuts = _cuts(rows, rows_per_file)
    maker = _Maker(make_world(seed, rows), Specials(seed, rows, _BROKEN[format]), format)
    record = {"version": 1, "rows": rows, "format": format, "seed": seed, "files": len(cuts)}
    names = [f"part-{number:05}.{format}" for number in range(len(cuts))]
    if not _is_finished(root, record, names):
        _make_room(root)
        _write_record(root, {**record, "finished": False})
        _write_files(root, maker, dict(zip(names, cuts, strict=True)))
        write_reference(root)
        _write_record(root, {**record, "finished": True})
    return _describe(root, maker.specials, format, len(cuts))


def write_reference(folder: str | Path) -> str:
    """Write the table to join, `reference/cities.parquet`, and return its location.

    One row a city, with `cidade` (unique), `regiao`, `populacao` and `indice_renda`. It does not know the city of about
    one transaction in a hundred.
    """
    path = Path(folder) / _CITIES
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(cities(), path, compression="zstd")
    return path.as_posix()


def _refuse_impossible(rows: int, format_: str, seed: int, rows_per_file: int | None) -> None:
    problems = [
        Problem(f"demo data cannot have {name} = {value}", "demo", f"give {allowed}")
        for name, value, good, allowed in (
            ("rows", rows, rows >= 1, "1 or more"),
            ("format", format_, format_ in _BROKEN, "csv or parquet"),
            ("seed", seed, seed >= 0, "0 or more"),
            ("rows_per_file", rows_per_file, rows_per_file is None or rows_per_file >= 1, "1 or more"),
        )
        if not good
    ]
    if problems:
        raise UsageError(*problems)


def _cuts(rows: int, rows_per_file: int | None) -> list[tuple[int, int]]:
    files = -(-rows // (rows_per_file or _ROWS_PER_FILE))
    if rows_per_file is None:
        files = max(files, min(_LEAST_FILES, rows))
    return [(rows * number // files, rows * (number + 1) // files) for number in range(files)]


def _is_finished(root: Path, record: Mapping[str, Any], names: list[str]) -> bool:
    found = _read_record(root)
    return found == {**record, "finished": True} and _found_files(root) == names and (root / _CITIES).exists()


def _make_room(root: Path) -> None:
    found = _found_files(root)
    if found and _read_record(root) is None:
        folder = (root / _TRANSACTIONS).as_posix()
        what = f"the folder holds {found[0]}, which is not demo data"
        raise UsageError(Problem(what, folder, "name an empty folder for the demo"))
    for name in found:
        (root / _TRANSACTIONS / name).unlink()


def _found_files(root: Path) -> list[str]:
    folder = root / _TRANSACTIONS
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def _read_record(root: Path) -> Any:
    path = root / _RECORD
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _write_record(root: Path, record: Mapping[str, Any]) -> None:
    root.mkdir(parents=True, exist_ok=True)
    (root / _RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _write_files(root: Path, maker: _Maker, cuts: Mapping[str, tuple[int, int]]) -> None:
    folder = root / _TRANSACTIONS
    folder.mkdir(exist_ok=True)
    write = _csv_writer(maker) if maker.format == "csv" else _parquet_writer(maker)
    for name, (start, stop) in cuts.items():
        write(folder / name, start, stop)


def _csv_writer(maker: _Maker) -> Callable[[Path, int, int], None]:
    made = CsvLines(maker.world)

    def write(path: Path, start: int, stop: int) -> None:
        with path.open("wb") as file:
            file.write(HEADER)
            for rows, special in maker.chunks(start, stop):
                file.write(made.text(rows, special))

    return write


def _parquet_writer(maker: _Maker) -> Callable[[Path, int, int], None]:
    made = ArrowTables(maker.world)

    def write(path: Path, start: int, stop: int) -> None:
        # Without the Arrow schema, text comes back as plain strings and not as dictionaries.
        with pq.ParquetWriter(path, made.schema, compression="zstd", store_schema=False) as file:
            for rows, special in maker.chunks(start, stop):
                file.write_table(made.table(rows, special), row_group_size=_ROW_GROUP)

    return write


def _describe(root: Path, specials: Specials, format_: Format, files: int) -> DemoData:
    totals = specials.totals()
    return DemoData(
        source=(root / _TRANSACTIONS / f"*.{format_}").as_posix(),
        reference=(root / _CITIES).as_posix(),
        rows=specials.rows,
        files=files,
        broken={kind: totals[kind] for kind in _BROKEN[format_]},
        duplicates=totals[DUPLICATE],
        missing_amounts=totals[MISSING_AMOUNT],
    )
