"""A new local file that is hashed and written by a thread of its own, while what comes next is made."""

from __future__ import annotations

import hashlib
import io
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Buffer as ReadableBuffer

_BATCH = 2**20
"""Bytes of small writes, such as headers of pages, that go to the disk together."""

_AHEAD = 16
"""Batches that may wait: the pages of a row group come at once."""


class HashedFile(io.RawIOBase):
    """A file to be written from its beginning to its end; `sha256` is known once it is closed.

    Hashing and writing happen outside the interpreter lock, so that they take no time of whoever makes the bytes as
    long as a core is free. Files of less than a batch do without a thread. Memory: so many batches at most. What the
    disk refuses is raised by a later `write`, or by `close`.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.sha256 = ""
        self._file = io.FileIO(path, "w")
        self._digest = hashlib.sha256()
        self._batch: list[bytes] = []
        self._size = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="scoreline-write")
        self._waiting: deque[Future[None]] = deque()

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        """Write at the end."""
        piece = bytes(data)
        self._batch.append(piece)
        self._size += len(piece)
        if self._size >= _BATCH:
            self._hand_over()
        return len(piece)

    def close(self) -> None:
        """Wait until all of it is written."""
        if self.closed:
            return
        try:
            if self._waiting:
                self._hand_over()
                self._wait(0)
            else:
                self._store(b"".join(self._batch))
            self.sha256 = self._digest.hexdigest()
        finally:
            self._thread.shutdown(cancel_futures=True)
            self._file.close()
            super().close()

    def _hand_over(self) -> None:
        self._waiting.append(self._thread.submit(self._store, b"".join(self._batch)))
        self._batch, self._size = [], 0
        self._wait(_AHEAD)

    def _wait(self, left: int) -> None:
        while len(self._waiting) > left:
            self._waiting.popleft().result()

    def _store(self, batch: bytes) -> None:
        self._digest.update(batch)
        rest = memoryview(batch)
        while rest:
            rest = rest[self._file.write(rest) :]
