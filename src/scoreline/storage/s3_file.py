"""Reading objects of S3, whole and in ranges."""

from __future__ import annotations

import io
from collections import OrderedDict
from contextlib import closing
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from scoreline.errors import DataError, Problem, StorageError
from scoreline.storage.locations import bucket_and_key
from scoreline.storage.s3_client import single_client
from scoreline.storage.s3_requests import patiently

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BLOCK = 2**20
_BLOCKS_KEPT = 64
_BLOCKS_AT_ONCE = 16
_TAIL = 2**16


def get(uri: str, byte_range: str = "") -> tuple[dict[str, Any], bytes]:
    """The answer to one GET and its body; a body that breaks off is asked for again.

    ``byte_range`` is as in the ``Range`` header of HTTP.
    """
    bucket, key = bucket_and_key(uri)
    request = {"Bucket": bucket, "Key": key} | ({"Range": byte_range} if byte_range else {})

    def send() -> tuple[dict[str, Any], bytes]:
        answer = single_client().get_object(**request)
        with closing(answer["Body"]) as body:
            return answer, body.read()

    return patiently(uri, send)


class S3File(io.RawIOBase):
    """One object as a seekable file: read in blocks of 1 MiB, of which the 64 last used are kept.

    The end of the object comes with the first request, because Parquet files are read from there. All later requests
    must meet the same etag.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._at = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._size, self._etag, self._tail = _end(uri)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill a buffer from where the file stands; the number of bytes, 0 at the end."""
        view = memoryview(buffer).cast("B")
        first, last = self._at, min(self._at + len(view), self._size)
        while self._at < last:
            piece = self._piece(last)
            view[self._at - first : self._at - first + len(piece)] = piece
            self._at += len(piece)
        return max(0, last - first)

    def _piece(self, last: int) -> bytes:
        """Some bytes from the current position on, at most up to ``last``."""
        tail_start = self._size - len(self._tail)
        if self._at >= tail_start:
            return self._tail[self._at - tail_start : last - tail_start]
        number = self._at // _BLOCK
        if number not in self._blocks:
            self._fetch(number, min((last - 1) // _BLOCK, number + _BLOCKS_AT_ONCE - 1))
        self._blocks.move_to_end(number)
        return self._blocks[number][self._at - number * _BLOCK : last - number * _BLOCK]

    def _fetch(self, first: int, last: int) -> None:
        """Read blocks from ``first`` to ``last`` in one request, and drop those that were not used for longest."""
        start, stop = first * _BLOCK, min((last + 1) * _BLOCK, self._size)
        answer, body = get(self._uri, f"bytes={start}-{stop - 1}")
        if answer["ETag"] != self._etag or len(body) != stop - start:
            raise DataError(Problem("the file changed while it was read", self._uri, "run the same command again"))
        for number in range(first, last + 1):
            self._blocks[number] = body[number * _BLOCK - start : (number + 1) * _BLOCK - start]
        while len(self._blocks) > _BLOCKS_KEPT:
            self._blocks.popitem(last=False)


def _end(uri: str) -> tuple[int, str, bytes]:
    """Size, etag and last bytes of an object."""
    try:
        answer, body = get(uri, f"bytes=-{_TAIL}")
    except StorageError as error:
        if _is_empty(error.__cause__):
            return 0, "", b""
        raise
    total = answer.get("ContentRange", "").rpartition("/")[2] or len(body)
    return int(total), answer["ETag"], body


def _is_empty(error: BaseException | None) -> bool:
    """Whether a range was refused because there is no byte in the object."""
    return isinstance(error, ClientError) and error.response["Error"]["Code"] == "InvalidRange"
