"""The S3 server and the lossy proxy of the tests, for benchmarks."""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from tests.lossy_proxy import DROP, LossyProxy
from tests.seaweedfs import SeaweedFS
from tests.seaweedfs import seaweedfs as fixture

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class _Folders:
    """What the fixture asks of pytest: a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def mktemp(self, name: str) -> Path:
        place = self._folder / name
        place.mkdir()
        return place


@contextmanager
def seaweedfs(folder: Path) -> Iterator[SeaweedFS]:
    """A server with its data below a folder, until the block ends."""
    with contextmanager(cast("Any", fixture).__wrapped__)(_Folders(folder)) as server:
        yield server


class ChoosyProxy(LossyProxy):
    """Loses the answer to the first PUT of an object whose path holds one of some texts, once they are given."""

    def __init__(self, server: str) -> None:
        super().__init__(server)
        self.chosen: tuple[str, ...] = ()
        self.lost: list[str] = []

    async def _pass_request(self, line: Any) -> bool:
        reader = line.client.reader if isinstance(line.client, _Again) else line.client
        head = await reader.readuntil(b"\r\n\r\n")
        method, path = head.decode("latin-1").split(" ", 2)[:2]
        if method == "PUT" and any(text in path for text in self.chosen):
            self.chosen = ()
            self.lost.append(path)
            self.faults = deque([DROP])
        line.client = _Again(head, reader)
        return await super()._pass_request(line)


@contextmanager
def choosy_proxy(server: SeaweedFS) -> Iterator[ChoosyProxy]:
    """A proxy before a server, until the block ends."""
    proxy = ChoosyProxy(server.endpoint)
    with proxy.running():
        yield proxy


class _Again:
    """A reader that gives a head once more before it reads on."""

    def __init__(self, head: bytes, reader: Any) -> None:
        self._head = head
        self.reader = reader

    async def readuntil(self, _: bytes) -> bytes:
        return self._head

    async def read(self, most: int) -> bytes:
        found: bytes = await self.reader.read(most)
        return found
