"""Files of a local (or mounted) file system."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import stat
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import pyarrow as pa

from scoreline.errors import Problem, StorageError
from scoreline.storage.failures import named, translate, translated
from scoreline.storage.locations import is_hidden, join, parent
from scoreline.storage.store import Created, FileInfo, Kind, scratch_file

if TYPE_CHECKING:
    from collections.abc import Iterator

_log = logging.getLogger(__name__)
_NO_NAMELESS_FILES = {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT}


def kind(uri: str) -> Kind:
    """What is at a path, symbolic links followed."""
    try:
        mode = Path(uri).stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return Kind.NOTHING
    except OSError as error:
        raise translate(error, uri) from error
    return Kind.FOLDER if stat.S_ISDIR(mode) else Kind.FILE


def info(uri: str) -> FileInfo:
    """Size and stamp of one file, its path being its name."""
    with translated(uri, OSError):
        return _info(uri, Path(uri).name)


def _info(uri: str, path: str) -> FileInfo:
    status = Path(uri).stat()
    return FileInfo(uri, path, status.st_size, str(status.st_mtime_ns))


def walk(uri: str, prefix: str, depth: int) -> Iterator[FileInfo]:
    """The files below a folder; see `Store`. Links to folders are followed, circles are refused."""
    for path in _paths(uri, "", depth, ()):
        if path.startswith(prefix):
            with translated(join(uri, path), OSError):
                found = _info(join(uri, path), path)
            yield found


def _paths(root: str, below: str, depth: int, above: tuple[tuple[int, int], ...]) -> Iterator[str]:
    folder = join(root, below) if below else root
    with translated(folder, OSError):
        status = Path(folder).stat()
        identity = (status.st_dev, status.st_ino)
        if identity in above:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        entries = [entry for entry in os.scandir(folder) if not is_hidden(entry.name)]
    for entry in entries:
        path = f"{below}/{entry.name}" if below else entry.name
        with translated(join(root, path), OSError):
            is_folder, is_file = entry.is_dir(), entry.is_file() or entry.is_symlink()
        if is_folder and depth != 1:
            yield from _paths(root, path, depth - 1, (*above, identity))
        elif is_file and not is_folder:
            yield path


def names(uri: str) -> tuple[str, ...]:
    """What is directly in a folder, hidden names left out."""
    with translated(uri, OSError):
        return tuple(entry.name for entry in Path(uri).iterdir() if not is_hidden(entry.name))


def open_input(uri: str) -> BinaryIO:
    """The file as pyarrow opens it: reads outside the interpreter lock."""
    with translated(uri, OSError):
        if Path(uri).is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        return cast("BinaryIO", pa.OSFile(uri, "rb"))


def read_bytes(uri: str) -> bytes:
    """The whole content of a file."""
    with translated(uri, OSError):
        return Path(uri).read_bytes()


def create(uri: str, body: bytes | Path) -> Created:
    """Write the content without a name, make it durable, then give it its name if that is free."""
    with translated(uri, OSError), _creating(uri):
        target = Path(uri)
        _make_folder(target.parent)
        with _folder(target.parent) as folder:
            with _content(folder, target.name, body) as (file, source):
                os.fsync(file.fileno())
                outcome = _link(file, source, folder, target.name)
            return _durable(folder, outcome, uri)


@contextmanager
def draft(uri: str) -> Iterator[Path]:
    """A file without a name in the folder of what is to be created, or else a scratch file; see `Store`."""
    target = Path(uri)
    with translated(uri, OSError), _creating(uri):
        _make_folder(target.parent)
        with _folder(target.parent) as folder:
            file = _nameless(folder)
    with scratch_file() if file is None else _by_descriptor(file) as (_, path), named(uri):
        yield Path(path)


def replace(uri: str, body: bytes) -> None:
    """Write the content beside the file, make it durable, then rename it over the file."""
    with translated(uri, OSError), _creating(uri):
        target = Path(uri)
        _make_folder(target.parent)
        with _folder(target.parent) as folder, _named_file(folder, target.name) as (file, source):
            _fill(file, body)
            os.fsync(file.fileno())
            os.replace(source, target.name, src_dir_fd=folder, dst_dir_fd=folder)
            os.fsync(folder)


def link(source: str, target: str) -> Created:
    """Give a file that is never changed a second name, if that is free; make its folder. `settle` makes it durable."""
    with translated(source, OSError):
        _make_folder(Path(target).parent)
        try:
            os.link(source, target)
        except FileExistsError:
            return Created.EXISTS
    return Created.CREATED


def settle(uri: str) -> None:
    """Make the names in a folder durable, all at once."""
    with translated(uri, OSError), _folder(Path(uri)) as folder:
        os.fsync(folder)


def rename(source: str, target: str) -> bool:
    """Give a folder its name, durable; False when that is taken, or when the folder has gone there already."""
    with translated(source, OSError):
        try:
            Path(source).rename(target)
        except OSError:
            if not Path(target).exists():
                raise
            return False
    settle(str(Path(target).parent))
    return True


def point(uri: str, target: str) -> None:
    """Make a symbolic link lead to a folder, at once and durable, wherever it led before; by a relative path."""
    path = Path(uri)
    with translated(uri, OSError), _creating(uri):
        _make_folder(path.parent)
        with _folder(path.parent) as folder:
            fresh = f".{path.name[:100]}.{uuid.uuid4().hex}"
            os.symlink(os.path.relpath(target, path.parent), fresh, dir_fd=folder)
            try:
                os.replace(fresh, path.name, src_dir_fd=folder, dst_dir_fd=folder)
            finally:
                _unlink(folder, fresh)
            os.fsync(folder)


def newest_change(uri: str) -> float | None:
    """When a file, or anything below a folder, was written last, in seconds since 1970; None for nothing."""
    with translated(uri, OSError):
        below = (Path(folder, name) for folder, _, names in os.walk(uri) for name in names)
        times = (_change(path) for path in ([Path(uri)] if Path(uri).is_file() else below))
        return max((time for time in times if time is not None), default=None)


def _change(path: Path) -> float | None:
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return None


def delete(uri: str) -> None:
    """Delete a file if it is there."""
    with translated(uri, OSError):
        Path(uri).unlink(missing_ok=True)


def delete_tree(uri: str) -> None:
    """Delete a folder and all below it, if it is there."""
    if parent(uri) == uri:
        raise StorageError(Problem("the root of a file system is never deleted", uri, "name a folder"))
    with translated(uri, OSError):
        while os.path.lexists(uri):
            # Somebody else who deletes it, too, may be ahead.
            with suppress(FileNotFoundError):
                shutil.rmtree(uri)


def writable_folder(uri: str) -> str:
    """The nearest folder at or above a path that exists: the one in which the first thing would be made."""
    place = uri
    while (found := kind(place)) is Kind.NOTHING:
        place = parent(place)
    if found is Kind.FILE:
        raise translate(NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)), place)
    return place


@contextmanager
def _creating(uri: str) -> Iterator[None]:
    """A place that cannot be made is the storage's fault, not that of missing input."""
    try:
        yield
    except FileNotFoundError as error:
        raise StorageError(Problem("nothing can be created there", uri, "choose another location")) from error


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, each durable before something is put into it."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    try:
        folder.mkdir()
    except FileExistsError:
        if not folder.is_dir():
            raise translate(NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)), str(folder)) from None
    with _folder(folder.parent) as above:
        os.fsync(above)


@contextmanager
def _folder(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _content(folder: int, name: str, body: bytes | Path) -> Iterator[tuple[BinaryIO, str]]:
    """A file in the folder that holds the content, and the path from which it can be linked.

    Where the file system allows, it has no name at all: nobody sees it before it is whole, and nothing is left of it
    when this process is killed. A draft made there already is one, and is not copied.
    """
    if isinstance(body, Path) and _is_draft(body, folder):
        with body.open("rb") as drafted:
            yield drafted, str(body)
        return
    nameless = _nameless(folder)
    with _named_file(folder, name) if nameless is None else _by_descriptor(nameless) as (file, source):
        _fill(file, body)
        yield file, source


@contextmanager
def _by_descriptor(file: BinaryIO) -> Iterator[tuple[BinaryIO, str]]:
    with file:
        yield file, f"/proc/self/fd/{file.fileno()}"


def _is_draft(path: Path, folder: int) -> bool:
    """Whether a file has no name yet and is on the file system of the folder."""
    status = path.stat()
    return status.st_nlink == 0 and status.st_dev == os.fstat(folder).st_dev


def _nameless(folder: int) -> BinaryIO | None:
    """A new file without a name in a folder; None where the file system has none such."""
    try:
        return os.fdopen(os.open(".", os.O_TMPFILE | os.O_RDWR, 0o666, dir_fd=folder), "wb")
    except (AttributeError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in _NO_NAMELESS_FILES:
            raise
        return None


@contextmanager
def _named_file(folder: int, name: str) -> Iterator[tuple[BinaryIO, str]]:
    source = f".{name[:100]}.{uuid.uuid4().hex}"
    descriptor = os.open(source, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file, source
    finally:
        _unlink(folder, source)


def _unlink(folder: int, name: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)


def _fill(file: BinaryIO, body: bytes | Path) -> None:
    if isinstance(body, Path):
        with body.open("rb") as spool:
            shutil.copyfileobj(spool, file, 2**20)
    else:
        file.write(body)
    file.flush()


def _link(file: BinaryIO, source: str, folder: int, name: str) -> Created:
    try:
        os.link(source, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=True)
    except OSError as error:
        # A network file system may answer a repeated request with an error although the first one made the link.
        if _is_ours(file, folder, name):
            return Created.CREATED
        if isinstance(error, FileExistsError):
            return Created.EXISTS
        raise
    return Created.CREATED


def _is_ours(file: BinaryIO, folder: int, name: str) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(name, dir_fd=folder, follow_symlinks=False))
    except FileNotFoundError:
        return False


def _durable(folder: int, outcome: Created, uri: str) -> Created:
    """Make the name durable; also another writer's, since what comes next may rest on it."""
    try:
        os.fsync(folder)
    except OSError as error:
        _log.warning("%s is there, but its folder cannot be made durable: %s", uri, error.strerror)
        return Created.UNKNOWN
    return outcome
