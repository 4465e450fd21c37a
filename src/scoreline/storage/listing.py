"""Which files a location means: one file, a folder, or a glob."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from scoreline.errors import DataError, Problem
from scoreline.storage.locations import absolute, is_glob, join, literal_prefix, matches, parent, split_glob
from scoreline.storage.store import FileInfo, Kind, Store, store_of

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAMES_SHOWN = 5


def list_files(uri: str, suffixes: tuple[str, ...] = ()) -> tuple[FileInfo, ...]:
    """The input files that a location means, sorted by relative path in the byte order of UTF-8.

    Eager, one listing, never from a cache. A glob knows ``*``, ``?``, ``[..]`` and ``**``. Names that begin with ``_``
    or ``.`` below the source root are left out, but for folders such as ``_day=1``. ``suffixes`` (compared without
    regard to case) narrow a folder only: a file or a glob means what it says.

    Raises DataError when nothing is there, and StorageError when the storage refuses.
    """
    place, store = absolute(uri), store_of(uri)
    kind = store.kind(place)
    if kind is Kind.FILE:
        return (store.info(place),)
    if kind is Kind.FOLDER:
        return _in_folder(store, place, suffixes)
    if is_glob(uri):
        return _in_glob(store, uri)
    raise DataError(Problem("there is no such file or folder", place, _advice(store, place)))


def source_root(uri: str) -> str:
    """The folder below which the paths of input files are counted: absolute, without a slash at its end.

    Of a glob the longest folder without glob characters, of a file its folder, of a folder itself.
    """
    place = absolute(uri)
    kind = store_of(uri).kind(place)
    if kind is Kind.FILE:
        return parent(place)
    if kind is Kind.NOTHING and is_glob(uri):
        return split_glob(uri)[0]
    return place.rstrip("/") or "/"


def _in_folder(store: Store, folder: str, suffixes: tuple[str, ...]) -> tuple[FileInfo, ...]:
    endings = tuple(suffix.lower() for suffix in suffixes) or ("",)
    files = list(store.walk(folder, "", 0))
    found = [file for file in files if file.path.lower().endswith(endings)]
    if found:
        return _sorted(found)
    if files:
        what = f"no file in this folder ends in {' or '.join(suffixes)}"
        raise DataError(Problem(what, folder, _holds(folder, [file.path for file in files])))
    raise DataError(Problem("this folder holds no files", folder, "put input files there, or name another folder"))


def _in_glob(store: Store, uri: str) -> tuple[FileInfo, ...]:
    folder, pattern = split_glob(uri)
    depth = 0 if "**" in pattern.split("/") else pattern.count("/") + 1
    if store.kind(folder) is Kind.FOLDER:
        candidates = store.walk(folder, literal_prefix(pattern), depth)
        found = [file for file in candidates if matches(file.path, pattern)]
        if found:
            return _sorted(found)
    raise DataError(Problem("no file matches this pattern", uri, _advice(store, join(folder, pattern))))


def _sorted(files: Iterable[FileInfo]) -> tuple[FileInfo, ...]:
    return tuple(sorted(files, key=lambda file: _utf8(file.path)))


def _utf8(path: str) -> bytes:
    try:
        return path.encode()
    except UnicodeEncodeError as error:
        shown = path.encode("utf-8", "backslashreplace").decode()
        raise DataError(Problem("this file name is not UTF-8", shown, "rename the file")) from error


def _advice(store: Store, place: str) -> str:
    folder = parent(place)
    wanted = place[len(folder) :].strip("/")
    while store.kind(folder) is not Kind.FOLDER and parent(folder) != folder:
        wanted = folder.rpartition("/")[2]
        folder = parent(folder)
    names = store.names(folder)
    close = get_close_matches(wanted, names, n=3)
    if close:
        return f"did you mean {' or '.join(repr(name) for name in close)} in {folder}?"
    return _holds(folder, names)


def _holds(folder: str, names: Iterable[str]) -> str:
    ordered = sorted(names)
    if not ordered:
        return f"{folder} is empty"
    more = len(ordered) - _NAMES_SHOWN
    return f"{folder} holds {', '.join(ordered[:_NAMES_SHOWN])}" + (f" and {more} more" if more > 0 else "")
