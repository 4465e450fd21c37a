"""A large reference spread over files by a hash of its keys, so that a part reads only the files that it needs."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from scoreline.cleaners._distinct import distinct_of
from scoreline.cleaners._fingerprints import fingerprints
from scoreline.cleaners._keys import canonical
from scoreline.cleaners._lookup import NOT_FOUND, Lookup, build_lookup, take
from scoreline.errors import DataError, Problem, StorageError
from scoreline.storage import Created, create, join, read_bytes, sha256_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_FLUSH_BYTES = 64 * 2**20
_IN_MEMORY = 8


@dataclass(frozen=True)
class Buckets:
    """Files that hold a reference's rows by the hash of their keys.

    Attributes
    ----------
    files : location and sha256 of each bucket's file; two empty texts for a bucket without rows
    keys : the key columns in these files
    columns : the other columns
    """

    files: tuple[tuple[str, str], ...]
    keys: tuple[str, ...]
    columns: tuple[str, ...]


def write_buckets(
    batches: Iterable[pa.Table],
    layout: tuple[tuple[str, ...], tuple[str, ...]],
    folder: str,
    count: int,
    check: Callable[[pa.Table, Lookup], None],
) -> Buckets:
    """Spread a table that comes in batches over `count` Parquet files in a folder; rows with a null key are left out.

    `layout` is the key columns and the columns to bring. `check` is called with each bucket's keys and their index
    before any file is created. Memory: 64 MB, one batch and one bucket's keys.
    """
    keys, columns = layout
    folder = join(folder, hashlib.sha256(repr((layout, count)).encode()).hexdigest()[:16])
    with TemporaryDirectory(prefix="scoreline-") as scratch:
        spool = _Spool(Path(scratch))
        for batch in batches:
            for number, at in _places(bucket_numbers([batch[key] for key in keys], count)):
                spool.add(number, batch.take(pa.array(at)))
        spool.close()
        for number in range(count):
            if spool.path(number).exists():
                held = pq.read_table(spool.path(number), columns=list(keys))
                check(held, build_lookup([held[key] for key in keys]))
        files = tuple(_created(spool.path(number), join(folder, f"{number:04d}.parquet")) for number in range(count))
    return Buckets(files, keys, columns)


def bucket_numbers(keys: Sequence[pa.ChunkedArray], count: int) -> np.ndarray:
    """int64 number of the bucket that each row's key belongs to, `NOT_FOUND` where a key is null."""
    columns, nulls = zip(*(_comparable(key) for key in keys), strict=True)
    numbers = (fingerprints(columns, len(keys[0]))[:, 0] % np.uint64(count)).astype(np.int64)
    return np.where(np.logical_or.reduce(nulls), NOT_FOUND, numbers)


def find_in_buckets(
    buckets: Buckets, keys: Sequence[pa.ChunkedArray], schema: pa.Schema
) -> tuple[pa.Table, np.ndarray]:
    """For each row the other columns of the reference row with its keys (null for none), and whether there is one.

    Reads the buckets that the keys belong to; each process keeps the last few in memory.
    """
    table = pa.table([_combined(key) for key in keys], names=[str(at) for at in range(len(keys))])
    found = np.zeros(table.num_rows, bool)
    pieces, places = [schema.empty_table()], [np.empty(0, np.int64)]
    for number, at in _places(bucket_numbers(table.columns, len(buckets.files))):
        uri, sha256 = buckets.files[number]
        if uri:
            lookup, brought = _bucket(uri, sha256, buckets.keys, buckets.columns)
            positions = lookup.find(table.take(pa.array(at)).columns)
            found[at] = positions >= 0
            pieces.append(take(brought.select(schema.names), positions).cast(schema))
            places.append(at)
    return _in_order(pa.concat_tables(pieces), np.concatenate(places), table.num_rows), found


def _comparable(key: pa.ChunkedArray) -> tuple[pa.ChunkedArray, np.ndarray]:
    distinct = distinct_of(key, with_null=True)
    if distinct is None:
        values = canonical(key)
        return values, values.is_null().to_numpy()
    values = canonical(pa.chunked_array([distinct.values])).combine_chunks()
    chunks = [pa.DictionaryArray.from_arrays(at, values) for at in distinct.indices]
    return pa.chunked_array(chunks), distinct.gather(values.is_null()).to_numpy()


def _combined(key: pa.ChunkedArray) -> pa.ChunkedArray:
    whole = key.combine_chunks()
    return whole if isinstance(whole, pa.ChunkedArray) else pa.chunked_array([whole])


def _places(numbers: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Each bucket that occurs, and the rows that belong to it, in order."""
    order = np.argsort(numbers, kind="stable")
    found = np.unique(numbers)
    starts, stops = (np.searchsorted(numbers[order], found, side) for side in ("left", "right"))
    for number, start, stop in zip(found.tolist(), starts, stops, strict=True):
        if number != NOT_FOUND:
            yield number, order[start:stop]


def _in_order(pieces: pa.Table, places: np.ndarray, rows: int) -> pa.Table:
    position = np.full(rows, NOT_FOUND, np.int64)
    position[places] = np.arange(len(places))
    return take(pieces, position)


@lru_cache(maxsize=_IN_MEMORY)
def _bucket(uri: str, sha256: str, keys: tuple[str, ...], columns: tuple[str, ...]) -> tuple[Lookup, pa.Table]:
    content = read_bytes(uri)
    if hashlib.sha256(content).hexdigest() != sha256:
        what = "a part of the reference data is not what was written when the run began"
        raise DataError(Problem(what, uri, "delete the folder of this file and run the same command again"))
    table = pq.read_table(pa.BufferReader(content))
    return build_lookup([table[key] for key in keys]), table.select(columns).combine_chunks()


def _created(spooled: Path, uri: str) -> tuple[str, str]:
    if not spooled.exists():
        return "", ""
    outcome = create(uri, spooled)
    if outcome is Created.UNKNOWN:
        what = "the storage does not say whether a part of the reference data was written"
        raise StorageError(Problem(what, uri, "run the same command again"))
    # A file that is there already may come from an interrupted run with other versions of libraries.
    return uri, sha256_of(uri if outcome is Created.EXISTS else str(spooled))


class _Spool:
    """One local Parquet file a bucket, written in stretches of rows."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[int, pq.ParquetWriter] = {}
        self._held: dict[int, list[pa.Table]] = defaultdict(list)
        self._bytes = 0

    def path(self, number: int) -> Path:
        return self._folder / f"{number:04d}.parquet"

    def add(self, number: int, rows: pa.Table) -> None:
        self._held[number].append(rows)
        self._bytes += rows.nbytes
        if self._bytes > _FLUSH_BYTES:
            self._flush()

    def close(self) -> None:
        self._flush()
        for writer in self._writers.values():
            writer.close()

    def _flush(self) -> None:
        for number, tables in self._held.items():
            if number not in self._writers:
                self._writers[number] = pq.ParquetWriter(self.path(number), tables[0].schema, compression="zstd")
            self._writers[number].write_table(pa.concat_tables(tables))
        self._held, self._bytes = defaultdict(list), 0
