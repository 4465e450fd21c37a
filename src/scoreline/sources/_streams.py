"""Files of text as streams of bytes in which ASCII means ASCII: decompressed, without a byte order mark."""

from __future__ import annotations

import codecs
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa

from scoreline.errors import DataError, Problem
from scoreline.sources._encoding import keeps_ascii
from scoreline.storage import open_input

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Read = Callable[[int], bytes]

_COMPRESSIONS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2"}
_COMPRESSED_BLOCK = 1 << 22
# Bytes that are never valid UTF-8: a decoder's way to say that it could not read something.
_UNREADABLE = b"\xff"


def compression_of(path: str) -> str | None:
    """The compression that a file name's ending says, None for none.

    >>> compression_of("a/b.csv.gz"), compression_of("a/b.csv")
    ('gzip', None)
    """
    return next((name for suffix, name in _COMPRESSIONS.items() if path.lower().endswith(suffix)), None)


def can_be_cut(path: str, encoding: str) -> bool:
    """Whether ranges of the file's own bytes can be read by themselves."""
    return compression_of(path) is None and keeps_ascii(encoding)


def stream_encoding(encoding: str) -> str:
    """The encoding of the bytes that `open_text` gives for a file in some encoding."""
    return encoding if keeps_ascii(encoding) else "utf-8"


def read_head(uri: str, count: int) -> bytes:
    """The first bytes of a file after decompression, a byte order mark included."""
    with open_input(uri) as file, _translated(uri):
        return _plain(file, uri)(count)


@contextmanager
def open_text(uri: str, encoding: str, byte_range: tuple[int, int] | None = None) -> Iterator[Read]:
    """Open a file of text: a function that reads so many bytes, and none at the end.

    Bytes come as they are in the file, or as UTF-8 where the encoding does not keep ASCII (see `stream_encoding`); what
    cannot be decoded then comes as invalid UTF-8. A range is read as it is, a whole file without its byte order mark.
    Raises DataError for a file that cannot be decompressed.
    """
    with open_input(uri) as file, _translated(uri):
        if byte_range is not None:
            yield _within(file, *byte_range)
        elif keeps_ascii(encoding):
            yield _without_mark(_plain(file, uri))
        else:
            yield _without_mark(_recoded(_plain(file, uri), encoding, uri))


@contextmanager
def _translated(uri: str) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowInvalid) as error:
        name = compression_of(uri)
        if name is None:
            raise
        what = f"this file cannot be decompressed as {name}"
        raise DataError(Problem(what, uri, "it may be cut short or wrongly named: copy it again")) from error


def _plain(file: BinaryIO, uri: str) -> Read:
    """Reads what is in the file, decompressed; as many bytes as asked for, unless the end comes first."""
    compression = compression_of(uri)
    if compression is None:
        return file.read
    decompressed: Read = pa.CompressedInputStream(file, compression).read

    def read(count: int) -> bytes:
        parts = []
        while count > 0 and (part := decompressed(min(count, _COMPRESSED_BLOCK))):
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    return read


def _within(file: BinaryIO, start: int, stop: int) -> Read:
    file.seek(start)
    left = stop - start

    def read(count: int) -> bytes:
        nonlocal left
        data = file.read(min(count, left))
        left -= len(data)
        return data

    return read


def _without_mark(read: Read) -> Read:
    first = True

    def read_on(count: int) -> bytes:
        nonlocal first
        data = read(max(count, len(codecs.BOM_UTF8)) if first else count)
        if first and data.startswith(codecs.BOM_UTF8):
            data = data[len(codecs.BOM_UTF8) :] or read(count)
        first = False
        return data

    return read_on


def _recoded(read: Read, encoding: str, uri: str) -> Read:
    """Reads text of an encoding as UTF-8; lone surrogates, invalid in UTF-8, stand for what cannot be decoded."""
    errors = "surrogatepass" if encoding.lower().startswith(("utf-16", "utf-32")) else "surrogateescape"
    decoder = codecs.getincrementaldecoder(encoding)(errors)

    def read_on(count: int) -> bytes:
        while data := read(count):
            if text := _decoded(decoder, data, encoding, uri):
                return text.encode("utf-8", "surrogatepass")
        pending = decoder.getstate()[0]
        decoder.reset()
        return _UNREADABLE if pending else b""

    return read_on


def _decoded(decoder: codecs.IncrementalDecoder, data: bytes, encoding: str, uri: str) -> str:
    try:
        return decoder.decode(data)
    except UnicodeError as error:
        # What makes no sense is let through; only a missing byte order mark is not.
        what = f"this file is not in {encoding}: it does not begin with a byte order mark"
        raise DataError(Problem(what, uri, 'set "source.encoding" to "auto", or to the encoding it is in')) from error
