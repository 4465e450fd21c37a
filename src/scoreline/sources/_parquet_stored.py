"""The row groups of Parquet pieces as they lie in their files, for columns that reading does not change."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from scoreline.chunks.stored import DamagedPageError, StoredFooter, StoredGroup, UnusualError
from scoreline.sources._casts import plain
from scoreline.sources._parquet_reading import damaged, readable
from scoreline.sources._unchanged import unchanged
from scoreline.storage import is_s3, open_input

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scoreline.chunks.stored import ReadAt
    from scoreline.units import Piece

_LARGEST_FOOTER = 1 << 22
"""Bytes of a footer: one of so many columns and row groups takes longer to parse, for each unit, than copying saves."""


def stored_groups(pieces: Sequence[Piece], schema: pa.Schema) -> Iterator[StoredGroup]:
    """The row groups of some pieces, in order; lazy, one footer at a time.

    Chunks are those of the columns of `schema` that files store in that very type. Of a file on S3, which would be
    fetched twice, and of one whose footer is unusual or very large, they are none.
    """
    for piece in pieces:
        if is_s3(piece.uri):
            yield _closed(piece)
            continue
        with unchanged(piece), readable(piece), open_input(piece.uri) as file:
            groups = list(_groups(file, piece, schema))
        yield from groups if sum(group.rows for group in groups) == piece.rows else [_closed(piece)]


def _groups(file: pa.NativeFile, piece: Piece, schema: pa.Schema) -> Iterator[StoredGroup]:
    with pq.ParquetFile(file, pre_buffer=False) as opened:
        if opened.metadata.serialized_size > _LARGEST_FOOTER:
            return
        found, rows = opened.schema_arrow, [opened.metadata.row_group(n).num_rows for n in range(opened.num_row_groups)]
    types = {field.name: plain(field.type) for field in found}
    # Arrow compares no values of extension types.
    usual = [field for field in schema if not isinstance(field.type, pa.BaseExtensionType)]
    same = {field.name for field in usual if types.get(field.name) == field.type}
    with suppress(UnusualError):
        footer = StoredFooter(partial(_read_at, piece, file), file.size())
        for number in range(len(rows)) if piece.row_groups is None else piece.row_groups:
            chunks = footer.chunks(footer.groups[number]) if footer.is_known else {}
            kept = {name: chunk for name, chunk in chunks.items() if name in same}
            yield StoredGroup(piece.uri, rows[number], kept, partial(_opened, piece))


def _closed(piece: Piece) -> StoredGroup:
    """All rows of a piece, none of which is passed on."""
    return StoredGroup(piece.uri, piece.rows, {}, partial(_opened, piece))


@contextmanager
def _opened(piece: Piece) -> Iterator[ReadAt]:
    with unchanged(piece), open_input(piece.uri) as file:
        try:
            yield partial(_read_at, piece, file)
        except DamagedPageError as error:
            raise damaged(piece, error) from error


def _read_at(piece: Piece, file: pa.NativeFile, start: int, size: int) -> bytes:
    # What goes wrong around it, where the bytes go, is no damage of the piece.
    try:
        return bytes(file.read_at(size, start))
    except OSError as error:
        raise damaged(piece, error) from error
