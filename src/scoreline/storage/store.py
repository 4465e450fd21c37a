"""What every kind of storage can do, and the values that go in and out."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from scoreline.storage.locations import is_s3

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class FileInfo:
    """One input file: where it is, its path below the source root, its size in bytes, and a stamp that changes with it.

    The stamp is the etag on S3 and the time of the last change in nanoseconds on a local disk.
    """

    uri: str
    path: str
    size: int
    stamp: str


class Created(StrEnum):
    """What came of an attempt to create a file that must not exist yet."""

    CREATED = "created"
    EXISTS = "exists"
    UNKNOWN = "unknown"


class Kind(StrEnum):
    """What is at a location."""

    FILE = "file"
    FOLDER = "folder"
    NOTHING = "nothing"


class Store(Protocol):
    """One kind of storage; the modules `local` and `s3` are its two implementations. Locations are absolute."""

    def kind(self, uri: str, /) -> Kind:
        """What is at a location."""

    def info(self, uri: str, /) -> FileInfo:
        """Size and stamp of one file, its path being its name."""

    def walk(self, uri: str, prefix: str, depth: int, /) -> Iterator[FileInfo]:
        """The files below a folder whose relative path begins with ``prefix``, hidden ones left out, in any order.

        ``depth`` is how many names a path may have, 0 meaning any number.
        """

    def names(self, uri: str, /) -> tuple[str, ...]:
        """What is directly in a folder, hidden names left out."""

    def open_input(self, uri: str, /) -> BinaryIO:
        """A seekable file for reading."""

    def read_bytes(self, uri: str, /) -> bytes:
        """The whole content of a file."""

    def create(self, uri: str, body: bytes | Path, /) -> Created:
        """Create a file that must not exist yet."""

    def draft(self, uri: str, /) -> AbstractContextManager[Path]:
        """A local file to fill, from which `create` makes ``uri`` with as little copying as there may be."""

    def replace(self, uri: str, body: bytes, /) -> None:
        """Write a file over what is there."""

    def link(self, source: str, target: str, /) -> Created:
        """Give a file that is never changed a second name, which must be free."""

    def newest_change(self, uri: str, /) -> float | None:
        """When a file, or anything below a folder, was written last, in seconds since 1970; None for nothing."""

    def delete(self, uri: str, /) -> None:
        """Delete a file if it is there."""

    def delete_tree(self, uri: str, /) -> None:
        """Delete all below a folder."""

    def writable_folder(self, uri: str, /) -> str:
        """The folder that must be writable for files to be made below a location."""


class LocalStore(Store, Protocol):
    """What only file systems can do."""

    def settle(self, uri: str, /) -> None:
        """Make the names in a folder durable."""

    def rename(self, source: str, target: str, /) -> bool:
        """Give a folder its name; False when that is taken."""

    def point(self, uri: str, target: str, /) -> None:
        """Make a symbolic link lead to a folder."""


@contextmanager
def scratch_file() -> Iterator[tuple[BinaryIO, str]]:
    """An empty local file and its path; gone afterwards."""
    with tempfile.NamedTemporaryFile(prefix="scoreline-") as file:
        yield cast("BinaryIO", file), file.name


def store_of(uri: str) -> Store:
    """The storage that holds a location; botocore is imported only when that is S3."""
    if is_s3(uri):
        from scoreline.storage import s3

        return s3
    from scoreline.storage import local

    return local
