"""The unit of work: what one task reads, and the names and numbers that identify its rows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from scoreline.refusal import Refusal


class InputFile(NamedTuple):
    """One state of one input file, wherever it lies: relative path, bytes, and etag or time of change."""

    path: str
    size: int
    stamp: str


@dataclass(frozen=True)
class Piece:
    """A stretch of consecutive records of one input file.

    Attributes
    ----------
    uri : where the file is
    path : its path relative to the source root, with ``/``: one half of row identity
    first_row, rows : 0-based number of its first record in the file, and how many records it has
    size : bytes this piece reads at most
    row_groups : for Parquet, the row groups that make the piece
    byte_range : for CSV, start and stop in the file, cut at record ends; the header line is never inside
    partition : values that the folder names carry (``year=2026``), as text; None for the Hive default partition
    stamp, file_size : of the file as it was surveyed: etag or time of change, and bytes
    """

    uri: str
    path: str
    first_row: int
    rows: int
    size: int
    row_groups: tuple[int, ...] | None = None
    byte_range: tuple[int, int] | None = None
    partition: tuple[tuple[str, str | None], ...] = ()
    stamp: str = ""
    file_size: int = 0

    @property
    def file(self) -> InputFile:
        """The file as it was surveyed."""
        return InputFile(self.path, self.file_size, self.stamp)


@dataclass(frozen=True)
class Unit:
    """One Parquet file, a range of its row groups, a byte range of a CSV file, or a group of tiny files."""

    number: int
    pieces: tuple[Piece, ...]

    @property
    def rows(self) -> int:
        """Records in the unit, refused ones included."""
        return sum(piece.rows for piece in self.pieces)

    @property
    def size(self) -> int:
        """Bytes the unit reads at most."""
        return sum(piece.size for piece in self.pieces)

    @property
    def files(self) -> tuple[InputFile, ...]:
        """The input files that the unit reads, each once, in order."""
        return tuple(dict.fromkeys(piece.file for piece in self.pieces))

    @cached_property
    def name(self) -> str:
        """A flat file name, the same wherever the data lie: input order, then the file, then a hash of the pieces.

        >>> Unit(3, (Piece("s3://b/a/x.csv", "a/x.csv", 0, 10, 99),)).name
        '000003-a-x-5825bbb3'
        """
        spelled = "|".join(f"{p.path}:{p.first_row}:{p.rows}" for p in self.pieces)
        digest = hashlib.sha256(spelled.encode()).hexdigest()[:8]
        stem = self.pieces[0].path.rsplit(".", 1)[0]
        safe = "".join(c if c.isascii() and c.isalnum() else "-" for c in stem)[-40:].strip("-")
        return f"{self.number:06d}-{safe}-{digest}"


@dataclass(frozen=True, eq=False)
class RawPart:
    """A batch of records as read: typed by the contract, every record accounted for.

    Attributes
    ----------
    table : the records, one row each, columns typed by the contract. A record that could not be read is a row of nulls
        and is named in `refusals`; a value that could not be read is null and its row is named in `refusals`.
    files : dictionary<int32, string> array, the path of each row's file relative to the source root
    rows : int64 array, 0-based record number of each row in its file
    refusals : rows that reading refused
    original : what quarantine keeps of each row. The same columns as text for CSV (a line that did not parse has its
        text in the extra column ``line``), `table` itself for Parquet
    """

    table: pa.Table
    files: pa.DictionaryArray
    rows: np.ndarray
    refusals: tuple[Refusal, ...]
    original: pa.Table
