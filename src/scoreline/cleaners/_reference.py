"""Reference data: small or large tables beside the input, in Parquet or plain CSV files, to which rows are joined."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Literal

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from scoreline.cleaners._csv_types import types_of
from scoreline.cleaners._types import plain
from scoreline.contract import parse_type
from scoreline.errors import DataError, Problem
from scoreline.storage import FileInfo, list_files, open_input, read_bytes, sha256_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FileFormat = Literal["parquet", "csv"]

_ENDINGS: dict[FileFormat, tuple[str, ...]] = {"parquet": (".parquet", ".pq"), "csv": (".csv", ".tsv", ".txt")}
_INDEX = re.compile(r"__index_level_\d+__")
_BATCH_ROWS = 65_536
_BLOCK_BYTES = 2**22


@dataclass(frozen=True)
class Reference:
    """Where reference data are and how they are read.

    Attributes
    ----------
    uri : file, folder or glob
    format : None to tell by the names of the files
    delimiter : of CSV files, which are UTF-8 with a header, quotes doubled inside quotes, and empty for null
    types : types of CSV columns by name, for those that shall not be found out
    """

    uri: str
    format: FileFormat | None = None
    delimiter: str = ","
    types: tuple[tuple[str, str], ...] = ()

    def files(self) -> tuple[FileInfo, ...]:
        """The files, sorted. Raises DataError when there are none, or when their names do not tell the format."""
        wanted = _ENDINGS[self.format] if self.format else tuple(e for endings in _ENDINGS.values() for e in endings)
        return list_files(self.uri, wanted)

    def format_of(self, file: FileInfo) -> FileFormat:
        """How a file is read. Raises DataError when its name does not tell."""
        if self.format is not None:
            return self.format
        for file_format, endings in _ENDINGS.items():
            if file.path.lower().endswith(endings):
                return file_format
        advice = 'add "format": "parquet" or "format": "csv" to the step'
        raise DataError(Problem("the name of the reference does not tell its format", file.uri, advice))


@dataclass(frozen=True)
class ReferenceFact:
    """What was found out about reference data when a run was planned.

    Attributes
    ----------
    files : the files
    sha256 : hash of their content: that of the file itself, or of the sorted hashes of several
    rows, bytes : in all files
    schema : names and plain types of the columns
    """

    files: tuple[FileInfo, ...]
    sha256: str
    rows: int
    bytes: int
    schema: pa.Schema


def survey_reference(reference: Reference, files: tuple[FileInfo, ...]) -> ReferenceFact:
    """Read a reference once for its hash, and a CSV once more for its types; eager, in bounded memory.

    Raises DataError when a file cannot be read, or when their columns differ.
    """
    schema = _common_schema(reference, files)
    rows = sum(_rows(reference, file, schema) for file in files)
    digest = joint_hash([sha256_of(file.uri) for file in files])
    return ReferenceFact(files, digest, rows, sum(file.size for file in files), schema)


def load(reference: Reference, fact: ReferenceFact) -> pa.Table:
    """The whole reference, read into memory once, and its bytes hashed on the way.

    Raises DataError when the content is not what the fact says: it changed since the run was planned.
    """
    contents = [read_bytes(file.uri) for file in fact.files]
    if joint_hash([hashlib.sha256(content).hexdigest() for content in contents]) != fact.sha256:
        what = "the reference data changed since the run was planned"
        raise DataError(Problem(what, reference.uri, "run the same command again; it plans anew"))
    parts = [
        _table(reference, file, io.BytesIO(content), fact.schema)
        for file, content in zip(fact.files, contents, strict=True)
    ]
    return pa.concat_tables(parts)


def batches(reference: Reference, fact: ReferenceFact, columns: Sequence[str]) -> Iterator[pa.Table]:
    """Some columns of the reference, a stretch of rows at a time; memory: one batch or row group's page."""
    for file in fact.files:
        with open_input(file.uri) as opened, _naming(file):
            if reference.format_of(file) == "csv":
                for batch in _csv_batches(reference, opened, fact.schema):
                    yield pa.Table.from_batches([batch]).select(columns)
                continue
            parquet = pq.ParquetFile(opened, pre_buffer=False, buffer_size=2**16)
            for batch in parquet.iter_batches(_BATCH_ROWS, columns=list(columns)):
                yield _plain(pa.Table.from_batches([batch]).select(columns), fact.schema)


def joint_hash(hashes: Sequence[str]) -> str:
    """One hash for several files, whatever their names and order: that of a single file is its own."""
    if len(hashes) == 1:
        return hashes[0]
    return hashlib.sha256("\n".join(sorted(hashes)).encode()).hexdigest()


def _common_schema(reference: Reference, files: Sequence[FileInfo]) -> pa.Schema:
    schemas = [_schema(reference, file) for file in files]
    differing = [file.uri for file, schema in zip(files, schemas, strict=True) if schema != schemas[0]]
    if differing:
        what = f"the columns of reference files differ from those of {files[0].uri}"
        raise DataError(*(Problem(what, uri, "give all files the same columns and types") for uri in differing))
    return schemas[0]


def _schema(reference: Reference, file: FileInfo) -> pa.Schema:
    with open_input(file.uri) as opened, _naming(file):
        if reference.format_of(file) == "csv":
            found = types_of(_csv_batches(reference, opened, None))
            given = {name: parse_type(spelled) for name, spelled in reference.types}
            return pa.schema([pa.field(name, given.get(name, kind)) for name, kind in found.items()])
        stored = pq.read_schema(opened)
    return pa.schema([pa.field(f.name, plain(f.type)) for f in stored if not _INDEX.fullmatch(f.name)])


def _rows(reference: Reference, file: FileInfo, schema: pa.Schema) -> int:
    with open_input(file.uri) as opened, _naming(file):
        if reference.format_of(file) == "csv":
            return sum(batch.num_rows for batch in _csv_batches(reference, opened, schema))
        return int(pq.read_metadata(opened).num_rows)


def _table(reference: Reference, file: FileInfo, content: BinaryIO, schema: pa.Schema) -> pa.Table:
    with _naming(file):
        if reference.format_of(file) == "csv":
            return pa.Table.from_batches(_csv_batches(reference, content, schema), schema)
        return _plain(pq.read_table(content, columns=schema.names), schema)


def _plain(table: pa.Table, schema: pa.Schema) -> pa.Table:
    return table.cast(pa.schema([schema.field(name) for name in table.column_names]))


def _csv_batches(reference: Reference, opened: BinaryIO, schema: pa.Schema | None) -> Iterator[pa.RecordBatch]:
    """The rows of a CSV file, as text without a schema."""
    names, has_rows = _header(opened, reference.delimiter)
    if not has_rows:
        text = pa.schema([pa.field(name, pa.string()) for name in names])
        yield pa.RecordBatch.from_pylist([], schema or text)
        return
    yield from pa_csv.open_csv(
        opened,
        read_options=pa_csv.ReadOptions(block_size=_BLOCK_BYTES, use_threads=False),
        parse_options=pa_csv.ParseOptions(delimiter=reference.delimiter, newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            column_types={name: pa.string() if schema is None else schema.field(name).type for name in names},
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def _header(opened: BinaryIO, delimiter: str) -> tuple[list[str], bool]:
    """The names in the first line, and whether there is a row; leaves the file at its beginning."""
    text = io.TextIOWrapper(opened, encoding="utf-8-sig", newline="")
    lines = csv.reader(text, delimiter=delimiter)
    names, has_rows = next(lines, []), next(lines, None) is not None
    text.detach()
    opened.seek(0)
    if not names or len(set(names)) < len(names):
        raise pa.ArrowInvalid("a header with a name for each column, each once, must stand in the first line")
    return names, has_rows


@contextmanager
def _naming(file: FileInfo) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, csv.Error, UnicodeDecodeError, OSError) as error:
        what = f"the reference cannot be read: {error}"
        advice = (
            "CSV must be UTF-8 with a header and one type a column; give 'delimiter' and 'types' if they are others"
        )
        raise DataError(Problem(what, file.uri, advice)) from error
