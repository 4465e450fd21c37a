"""Reading and writing at a location, whatever kind of storage it is on."""

from __future__ import annotations

import hashlib
import json
import mmap
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace as replace_field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from scoreline.errors import Problem, StorageError
from scoreline.storage.locations import absolute, is_s3, join
from scoreline.storage.store import Created, Kind, Store, store_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

    from scoreline.storage.store import FileInfo, LocalStore

_READERS = 16
_HASH_BLOCK = 8 * 2**20


def open_input(uri: str) -> BinaryIO:
    """A seekable binary file for reading, as pyarrow, pandas and gzip take it; close it after use.

    On S3 every read is for the object that was there when the file was opened: one that is replaced meanwhile ends
    in DataError, never in a mixture. Raises DataError when there is no such file, else StorageError.
    """
    return store_of(uri).open_input(absolute(uri))


def read_bytes(uri: str) -> bytes:
    """The whole content of a file. Raises DataError when there is no such file, else StorageError."""
    return store_of(uri).read_bytes(absolute(uri))


def mapped(uri: str) -> memoryview:
    """The whole content of a file; a local one is mapped, so that processes share its memory. Raises as `read_bytes`.

    An empty file is empty bytes.
    """
    if is_s3(uri) or not exists(uri) or not size(uri):
        return memoryview(read_bytes(uri))
    with Path(absolute(uri)).open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def read_json(uri: str) -> Any:
    """The content of a JSON file that we wrote. Raises as `read_bytes`, and StorageError for a file that is damaged."""
    try:
        return json.loads(read_bytes(uri))
    except ValueError as error:
        problem = Problem("this file of ours is damaged: it is not JSON", uri, "restore it from a copy")
        raise StorageError(problem) from error


def exists(uri: str) -> bool:
    """Whether a file or folder is there now, asked from the storage and never from a cache."""
    return store_of(uri).kind(absolute(uri)) is not Kind.NOTHING


def info(uri: str) -> FileInfo:
    """Size and stamp of a file, asked from the storage. Raises DataError when there is no such file."""
    return store_of(uri).info(absolute(uri))


def size(uri: str) -> int:
    """The size of a file in bytes. Raises DataError when there is no such file, else StorageError."""
    return info(uri).size


def sha256_of(uri: str) -> str:
    """The SHA-256 of a file's content in hexadecimal, read in blocks."""
    digest = hashlib.sha256()
    with open_input(uri) as file:
        while block := file.read(_HASH_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def list_names(uri: str) -> tuple[str, ...]:
    """What is directly in a folder, sorted, hidden names left out; nothing for a folder that is not there."""
    store = store_of(uri)
    return tuple(sorted(store.names(absolute(uri)))) if store.kind(absolute(uri)) is Kind.FOLDER else ()


def list_sizes(uri: str) -> dict[str, int]:
    """The files directly in a folder with their sizes in bytes, hidden names left out; eager, one listing."""
    store = store_of(uri)
    if store.kind(absolute(uri)) is not Kind.FOLDER:
        return {}
    return {found.path: found.size for found in store.walk(absolute(uri), "", 1)}


def newest_change(uri: str) -> float | None:
    """When a file, or anything below a folder, was written last, in seconds since 1970; None for nothing."""
    return store_of(uri).newest_change(absolute(uri))


def read_all(uris: Iterable[str]) -> list[bytes]:
    """The contents of many small files, in order, read in threads. Raises as `read_bytes`."""
    with ThreadPoolExecutor(_READERS) as pool:
        return list(pool.map(read_bytes, uris))


def create(uri: str, body: bytes | Path) -> Created:
    """Create a file that must not exist yet, whole or not at all; folders above it are made.

    ``body`` is the content, or a local file that holds it. Of any number of writers at once exactly one is told
    ``CREATED``. ``EXISTS`` leaves what is there untouched. ``UNKNOWN`` means that the answer was lost and could not be
    found out: read again later, never clean up. After a lost answer equal content counts as our own, so a file that
    two writers may both want must hold something of its writer.

    Durable when it returns. Raises StorageError when the file was certainly not created.
    """
    return store_of(uri).create(absolute(uri), body)


def draft(uri: str) -> AbstractContextManager[Path]:
    """An empty local file to fill with what `create` is to make of it at ``uri``; gone afterwards.

    On a local disk it lies where the file will be, has no name, and `create` gives it one instead of copying it: from
    then on it must not be written to.
    """
    return store_of(uri).draft(absolute(uri))


def link(source: str, target: str) -> Created:
    """Give a file that is never changed a second name, which must be free: a hard link, or on S3 a copy.

    Local links are durable after `settle`. ``UNKNOWN`` as in `create`.
    """
    return store_of(target).link(absolute(source), absolute(target))


def settle(folder: str) -> None:
    """Make the names in a local folder durable."""
    _local(folder).settle(folder)


def rename(source: str, target: str) -> bool:
    """Give a local folder its name, durable; False when that is taken, or when the folder has gone there already."""
    return _local(target).rename(source, target)


def point(uri: str, target: str) -> None:
    """Make a local symbolic link lead to a folder, at once and durable, wherever it led before."""
    _local(uri).point(uri, target)


def _local(uri: str) -> LocalStore:
    return cast("LocalStore", store_of(uri))


def replace(uri: str, body: bytes) -> None:
    """Write a file at once, over what is there. Only for pointers that tell where the truth is."""
    store_of(uri).replace(absolute(uri), body)


def delete(uri: str) -> None:
    """Delete one file of scratch data; one that is not there is no error."""
    store_of(uri).delete(absolute(uri))


def delete_tree(uri: str) -> None:
    """Delete a folder of scratch data and all below it; one that is not there is no error."""
    store_of(uri).delete_tree(absolute(uri))


def probe_writable(uri: str) -> None:
    """Make sure that files can be created below a location, each once; leaves nothing behind.

    Raises StorageError when they cannot (read-only, a file in the way, no permission, unknown bucket, wrong
    credentials) and when the storage lets two writers create the same file.
    """
    store, place = store_of(uri), absolute(uri)
    folder = store.writable_folder(place)
    name = f".scoreline-probe-{uuid.uuid4().hex}"
    try:
        first, second = _created_twice(store, join(folder, name))
    except StorageError as error:
        cleaned = [replace_field(problem, where=problem.where.replace(f"/{name}", "")) for problem in error.problems]
        raise StorageError(*cleaned) from error.__cause__
    if first is Created.UNKNOWN or second is Created.UNKNOWN:
        raise StorageError(Problem("the storage does not answer in time", place, "try again when it does"))
    if second is Created.CREATED:
        what = "this storage ignores 'If-None-Match: *', so two writers can create the same file"
        raise StorageError(Problem(what, place, "use a storage that honours conditional writes, or a local path"))


def _created_twice(store: Store, probe: str) -> tuple[Created, Created]:
    first = store.create(probe, b"first")
    try:
        return first, store.create(probe, b"second")
    finally:
        store.delete(probe)
