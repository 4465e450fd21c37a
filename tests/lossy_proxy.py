"""A proxy before a server, which loses or makes up answers when a test says so."""

import asyncio
import random
import re
import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

DROP = 0
"""A fault of a PUT: the request arrives, its answer does not."""


@dataclass(frozen=True)
class Weather:
    """How likely each request meets a fault, and for how long a stalled one stands still.

    Attributes
    ----------
    drop : a PUT arrives, and its answer is lost
    refuse : the proxy answers 503 by itself
    reset : the connection breaks, half the time before the request is passed on and half the time after
    stall : nothing moves for `seconds`
    """

    drop: float = 0.0
    refuse: float = 0.0
    reset: float = 0.0
    stall: float = 0.0
    seconds: float = 2.0


@dataclass
class _Line:
    """One connection of a client, and how many bytes of the next answer may pass."""

    client: asyncio.StreamReader
    answers: asyncio.StreamWriter
    upstream: asyncio.StreamReader
    requests: asyncio.StreamWriter
    limit: int | None = None


class LossyProxy:
    """Passes bytes on to a server on this machine.

    ``faults`` holds what befalls the next PUTs: `DROP`, or a status that the proxy answers by itself. ``cuts`` holds
    after how many bytes the answers to the next GETs break off. ``weather`` is for all requests that nothing was
    planned for; ``met`` counts what they met. ``forget_conditions`` makes a server that ignores ``If-None-Match`` out
    of one that does not check signatures.
    """

    def __init__(self, server: str, weather: Weather = Weather(), seed: int = 0) -> None:
        self.weather = weather
        self.met: Counter[str] = Counter()
        self._chance = random.Random(seed)  # noqa: S311  for weather, not for secrets
        self._host, self._port = server.removeprefix("http://").split(":")
        self._loop = asyncio.new_event_loop()
        self.faults: deque[int] = deque()
        self.cuts: deque[int] = deque()
        self.forget_conditions = False
        self.puts = 0
        self.endpoint = ""

    @contextmanager
    def running(self) -> Iterator["LossyProxy"]:
        """Serve in a thread of its own until the block ends."""
        thread = threading.Thread(target=self._loop.run_forever)
        thread.start()
        starting = asyncio.start_server(self._serve, "127.0.0.1", 0)
        server = asyncio.run_coroutine_threadsafe(starting, self._loop).result()
        self.endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            asyncio.run_coroutine_threadsafe(_stop(server), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()

    async def _serve(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        line = _Line(client, answers, *await asyncio.open_connection(self._host, int(self._port)))
        back = asyncio.create_task(_pass_answers(line))
        with suppress(asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            while await self._pass_request(line):
                pass
        back.cancel()
        line.requests.close()
        line.answers.close()

    async def _pass_request(self, line: _Line) -> bool:
        """Pass one request on, unless the proxy answers it; False when the connection is of no more use."""
        head = await line.client.readuntil(b"\r\n\r\n")
        self.met["requests"] += 1
        if self._falls("stall"):
            await asyncio.sleep(self.weather.seconds)
        if self._falls("reset"):
            if self._chance.random() < 0.5:
                return False
            line.limit = DROP
        if head.startswith(b"GET ") and self.cuts:
            line.limit = self.cuts.popleft()
        status = self._status(head, line)
        if status:
            line.answers.write(f"HTTP/1.1 {status} Fault\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await line.answers.drain()
            return False
        if self.forget_conditions:
            head = re.sub(rb"(?i)if-none-match:[^\r]*\r\n", b"", head)
        line.requests.write(head)
        return await _pass_body(line, head)

    def _status(self, head: bytes, line: _Line) -> int | None:
        """What the proxy answers by itself, if anything; where it loses the server's answer it says so to the line."""
        if head.startswith(b"PUT "):
            self.puts += 1
            if self.faults:
                line.limit = self.faults.popleft()
                return line.limit
            if self._falls("drop"):
                line.limit = DROP
        return 503 if self._falls("refuse") else None

    def _falls(self, fault: str) -> bool:
        """Whether the next request meets this fault; no chance is taken where there is no such weather."""
        probability = getattr(self.weather, fault)
        if not probability or self._chance.random() >= probability:
            return False
        self.met[fault] += 1
        return True


async def _pass_body(line: _Line, head: bytes) -> bool:
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    remaining = int(length[1]) if length else 0
    while remaining:
        body = await line.client.read(min(remaining, 2**16))
        if not body:
            return False
        remaining -= len(body)
        line.requests.write(body)
        await line.requests.drain()
    return True


async def _pass_answers(line: _Line) -> None:
    while data := await line.upstream.read(2**16):
        if line.limit is not None and not data.startswith(b"HTTP/1.1 100"):
            line.answers.write(data[: line.limit])
            line.limit -= len(data)
            if line.limit <= 0:
                break
        else:
            line.answers.write(data)
        await line.answers.drain()
    line.answers.close()


async def _stop(server: asyncio.Server) -> None:
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    # Closed connections say so to their streams in the next turns of the loop.
    await asyncio.sleep(0.01)
