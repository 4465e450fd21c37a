"""Objects of S3 and of servers that speak its protocol. Listings and reads always ask the server."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scoreline.errors import Problem, StorageError
from scoreline.storage.failures import named, translate
from scoreline.storage.locations import bucket_and_key, is_hidden, join
from scoreline.storage.s3_client import single_client
from scoreline.storage.s3_create import create, put
from scoreline.storage.s3_file import S3File, get
from scoreline.storage.s3_requests import ask, patiently
from scoreline.storage.store import Created, FileInfo, Kind, scratch_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

__all__ = [
    "create",
    "delete",
    "delete_tree",
    "draft",
    "info",
    "kind",
    "link",
    "names",
    "newest_change",
    "open_input",
    "read_bytes",
    "replace",
    "walk",
    "writable_folder",
]

_BUFFER = 2**16
_COPIED_AT_ONCE = 8 * 2**20
_DELETED_AT_ONCE = 1000


def kind(uri: str) -> Kind:
    """What is at a location: of a bucket itself a folder, whether or not anything is in it."""
    if _object(uri) is not None:
        return Kind.FILE
    if not bucket_and_key(uri)[1] or next(_objects(uri, ""), None) is not None:
        return Kind.FOLDER
    return Kind.NOTHING


def info(uri: str) -> FileInfo:
    """Size and etag of one object, its path being its name."""
    found = _object(uri)
    if found is None:
        raise translate(FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)), uri)
    return _file_info(uri, uri.rpartition("/")[2], found)


def walk(uri: str, prefix: str, depth: int) -> Iterator[FileInfo]:
    """The objects below a folder; see `Store`."""
    start = len(_folder_key(uri))
    for found in _objects(uri, prefix, "/" if depth == 1 else ""):
        path = found["Key"][start:]
        if not is_hidden(path) and not path.endswith("/") and (depth == 0 or path.count("/") < depth):
            yield _file_info(join(uri, path), path, found)


def names(uri: str) -> tuple[str, ...]:
    """What is directly in a folder, hidden names left out."""
    start = len(_folder_key(uri))
    pages = list(_pages(uri, "", "/"))
    keys = [found["Key"] for page in pages for found in page.get("Contents", ())]
    folders = [found["Prefix"] for page in pages for found in page.get("CommonPrefixes", ())]
    found_names = [key[start:].rstrip("/") for key in (*keys, *folders)]
    return tuple(name for name in found_names if name and not is_hidden(name))


def open_input(uri: str) -> BinaryIO:
    """The object as a seekable file."""
    return io.BufferedReader(S3File(uri), _BUFFER)


def read_bytes(uri: str) -> bytes:
    """The whole content of an object, in one request."""
    return get(uri)[1]


def replace(uri: str, body: bytes) -> None:
    """Write an object over what is there."""
    digest = hashlib.sha256(body).digest()
    patiently(uri, lambda: put(single_client(), uri, body, digest))


@contextmanager
def draft(uri: str) -> Iterator[Path]:  # noqa: ARG001  (every object's is a scratch file)
    """A scratch file; see `Store`."""
    with scratch_file() as (_, path), named(path):
        yield Path(path)


def link(source: str, target: str) -> Created:
    """Copy an object under a name that must be free, through a local file: S3 has no links."""
    with scratch_file() as (spool, path):
        with S3File(source) as found:
            shutil.copyfileobj(found, spool, _COPIED_AT_ONCE)
        spool.flush()
        return create(target, Path(path))


def newest_change(uri: str) -> float | None:
    """When a file, or anything below a folder, was written last, in seconds since 1970; None for nothing."""
    found = _object(uri)
    times = (each["LastModified"].timestamp() for each in (_objects(uri, "") if found is None else [found]))
    return max(times, default=None)


def delete(uri: str) -> None:
    """Delete an object if it is there."""
    bucket, key = bucket_and_key(uri)
    ask(uri, "delete_object", Bucket=bucket, Key=key)


def delete_tree(uri: str) -> None:
    """Delete all objects below a folder."""
    bucket, key = bucket_and_key(uri)
    if not key.strip("/"):
        raise StorageError(Problem("a bucket is never emptied", uri, "name a folder in it"))
    keys = [found["Key"] for found in _objects(uri, "")]
    for start in range(0, len(keys), _DELETED_AT_ONCE):
        batch = {"Objects": [{"Key": key} for key in keys[start : start + _DELETED_AT_ONCE]], "Quiet": True}
        answer = ask(uri, "delete_objects", Bucket=bucket, Delete=batch)
        if failed := answer.get("Errors"):
            what = f"{len(failed)} objects could not be deleted ({failed[0].get('Code')})"
            raise StorageError(Problem(what, join(f"s3://{bucket}", failed[0]["Key"]), "check the permissions"))


def writable_folder(uri: str) -> str:
    """The location itself: folders need not exist on S3."""
    if kind(uri) is Kind.FILE:
        raise translate(NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)), uri)
    return uri


def _object(uri: str) -> dict[str, Any] | None:
    """The entry of an object in its bucket's listing, where it stands before all that its key is a prefix of."""
    bucket, key = bucket_and_key(uri)
    if key.endswith("/"):
        return None
    page = ask(uri, "list_objects_v2", Bucket=bucket, Prefix=key, MaxKeys=1)
    return next((found for found in page.get("Contents", ()) if found["Key"] == key), None)


def _objects(uri: str, prefix: str, delimiter: str = "") -> Iterator[dict[str, Any]]:
    for page in _pages(uri, prefix, delimiter):
        yield from page.get("Contents", ())


def _pages(uri: str, prefix: str, delimiter: str) -> Iterator[dict[str, Any]]:
    """The answers to a listing, of at most a thousand names each."""
    bucket, start = bucket_and_key(uri)[0], _folder_key(uri) + prefix
    request = {"Bucket": bucket, "Prefix": start, "Delimiter": delimiter}
    while True:
        page = ask(uri, "list_objects_v2", **request)
        yield page
        if not page.get("IsTruncated"):
            return
        request["ContinuationToken"] = page["NextContinuationToken"]


def _folder_key(uri: str) -> str:
    """What the keys of all objects in a folder begin with."""
    key = bucket_and_key(uri)[1].rstrip("/")
    return f"{key}/" if key else ""


def _file_info(uri: str, path: str, found: dict[str, Any]) -> FileInfo:
    return FileInfo(uri, path, found["Size"], found["ETag"].strip('"'))
