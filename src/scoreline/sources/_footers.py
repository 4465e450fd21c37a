"""What the footers of Parquet files say: columns, types, rows and row groups."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from scoreline.errors import DataError, Problem
from scoreline.sources._casts import plain
from scoreline.sources._partitions import Partition, partition_of
from scoreline.storage import open_input

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from scoreline.storage import FileInfo

_THREADS = 16
_BITS = (8, 16, 32, 64)
_OWN_DTYPES: dict[str, pa.DataType] = {
    "boolean": pa.bool_(),
    **{f"{name}[pyarrow]": pa.type_for_alias(name) for name in ("bool", "halffloat", "float", "double")},
    **{f"Float{bits}": pa.type_for_alias(f"float{bits}") for bits in (32, 64)},
    **{f"{kind}{bits}[pyarrow]": pa.type_for_alias(f"{kind}{bits}") for kind in ("int", "uint") for bits in _BITS},
    **{f"{kind}{bits}": pa.type_for_alias(f"{kind.lower()}{bits}") for kind in ("Int", "UInt") for bits in _BITS},
}
"""Dtypes of pandas' own for booleans and numbers, with what they are stored as. Of such booleans scikit-learn makes
numbers, and objects of NumPy's with nulls; functions find other values in them where there are nulls."""


@dataclass(frozen=True, eq=False)
class Footer:
    """The footer of one file.

    Attributes
    ----------
    file : the file
    schema : names and types of its columns
    groups : rows and uncompressed bytes of each row group
    partition : columns that its folders carry and that are not in the file
    full : columns of integers and booleans without nulls, as the statistics of every row group prove
    dtypes : columns of booleans and numbers that pandas reads in a dtype of its own, with its name
    """

    file: FileInfo
    schema: pa.Schema
    groups: tuple[tuple[int, int], ...]
    partition: Partition
    full: frozenset[str] = frozenset()
    dtypes: Mapping[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows of the file."""
        return sum(rows for rows, _ in self.groups)

    @property
    def names(self) -> tuple[str, ...]:
        """Columns of the file, then those that its folders carry."""
        return (*self.schema.names, *(name for name, _ in self.partition))

    def type_of(self, name: str) -> pa.DataType:
        """The plain type of one of the file's own columns."""
        return plain(self.schema.field(name).type)

    def stored_type(self, name: str) -> pa.DataType:
        """The type of one of the file's own columns as it is stored; opaque where pandas has a dtype of its own."""
        found, dtype = self.schema.field(name).type, self.dtypes.get(name)
        # Whoever wrote the names of dtypes may have changed a column afterwards.
        return found if dtype is None or found != _OWN_DTYPES[dtype] else pa.opaque(found, dtype, "pandas")


def read_footers(files: Sequence[FileInfo]) -> list[Footer]:
    """Read all footers in threads. Raises DataError naming every file that is cut short, damaged or no Parquet."""
    with ThreadPoolExecutor(_THREADS) as pool:
        results = list(_sharing(pool.map(_read, files)))
    problems = [result for result in results if isinstance(result, Problem)]
    if problems:
        raise DataError(*problems)
    return [result for result in results if isinstance(result, Footer)]


def _sharing(results: Iterable[Footer | Problem]) -> Iterator[Footer | Problem]:
    """The footers with equal schemas and sets of columns kept once: a hundred thousand files have few of them. Lazy."""
    schemas: dict[pa.Schema, pa.Schema] = {}
    columns: dict[frozenset[str], frozenset[str]] = {}
    for found in results:
        if isinstance(found, Problem):
            yield found
        else:
            schema, full = schemas.setdefault(found.schema, found.schema), columns.setdefault(found.full, found.full)
            yield replace(found, schema=schema, full=full)


def _read(file: FileInfo) -> Footer | Problem:
    if not file.size:
        return Problem("this file is empty (0 bytes), not Parquet", file.uri, "write it again, or remove it")
    try:
        with open_input(file.uri) as source, pq.ParquetFile(source, pre_buffer=False) as opened:
            schema, metadata = opened.schema_arrow, opened.metadata
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        what = f"this file cannot be read as Parquet: {str(error).splitlines()[0].rstrip('.')}"
        return Problem(what, file.uri, "it may be cut short or no Parquet file: write it again, or remove it")
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    carried = tuple(pair for pair in partition_of(file.path) if pair[0] not in schema.names)
    sizes = tuple((group.num_rows, group.total_byte_size) for group in groups)
    full, dtypes = _full(schema, metadata, groups), _dtypes((schema.metadata or {}).get(b"pandas", b""))
    return Footer(file, schema.remove_metadata(), sizes, carried, full, dtypes)


@lru_cache(maxsize=64)
def _dtypes(told: bytes) -> Mapping[str, str]:
    """Columns that pandas wrote in a dtype of its own, as "Int64", by what it told about them: it reads them so again.

    Files that were written alike share what is found.
    """
    # Whoever wrote it, it need not be what pandas writes.
    with suppress(ValueError, TypeError, KeyError, AttributeError):
        columns = json.loads(told)["columns"]
        return {column["name"]: column["numpy_type"] for column in columns if column["numpy_type"] in _OWN_DTYPES}
    return {}


def _full(schema: pa.Schema, metadata: pq.FileMetaData, groups: Sequence[pq.RowGroupMetaData]) -> frozenset[str]:
    """Columns of integers and booleans that are proved to have no nulls; only their type in pandas depends on it."""
    asked = {field.name for field in schema if pa.types.is_integer(field.type) or pa.types.is_boolean(field.type)}
    columns = [metadata.schema.column(place) for place in range(metadata.num_columns)]
    # What is inside of another one may be called alike.
    places = {column.path: place for place, column in enumerate(columns) if column.name == column.path}
    return frozenset(
        name for name in asked if all(_has_no_nulls(group.column(places[name]).statistics) for group in groups)
    )


def _has_no_nulls(statistics: pq.Statistics | None) -> bool:
    return statistics is not None and statistics.has_null_count and not statistics.null_count


def names_by_path(footers: Iterable[Footer]) -> dict[str, tuple[str, ...]]:
    """The columns of each file, by path."""
    return {footer.file.path: footer.names for footer in footers}
