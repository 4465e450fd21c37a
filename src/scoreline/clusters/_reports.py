"""What workers can tell of themselves within a few seconds: their logs, and where their tasks are in the code."""

from __future__ import annotations

import asyncio
import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from scoreline.clusters._calls import position_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable, Iterator, Mapping, Sequence

    from distributed import Client, Future

_ANSWER_S = 5.0
_PLACES_AT_MOST = 20


def worker_logs(client: Client) -> dict[str, str]:
    """The log of each worker and of the nanny that watches it by a file-safe name, without those that say nothing."""
    scheduler: Any = client.scheduler

    async def lines(address: str) -> list[str]:
        answers = [await scheduler.worker_logs(workers=[address], nanny=nanny) for nanny in (False, True)]
        return sorted(text for answer in answers for _, text in answer.get(address, ()))

    found = _answers(client, lines, _workers(client))
    return {_file_safe(address): "".join(f"{line}\n" for line in text) for address, text in found.items()}


def whereabouts(
    client: Client, processing: Mapping[str, Sequence[Hashable]], attempts: Mapping[int, Sequence[Future[Any]]]
) -> Iterator[tuple[int, str, str]]:
    """Position, worker and, when it can be had, the line of code of calls in flight; the first twenty."""
    scheduler: Any = client.scheduler
    ours = {future.key for futures in attempts.values() for future in futures}
    places = {key: address for address, keys in processing.items() for key in keys if key in ours}

    async def stack(key: Hashable) -> list[str]:
        answer = await scheduler.call_stack(keys=[key])
        return [frame for stacks in answer.values() for frames in stacks.values() for frame in frames]

    some = dict(islice(places.items(), _PLACES_AT_MOST))
    stacks = _answers(client, stack, list(some))
    for key, address in some.items():
        frames = stacks.get(key)
        yield position_of(key), address, f", in {' '.join(frames[-1].split())}" if frames else ""


def _workers(client: Client) -> list[str]:
    scheduler: Any = client.scheduler

    async def identity(_: None) -> list[str]:
        return list((await scheduler.identity(n_workers=-1))["workers"])

    return _answers(client, identity, [None]).get(None, [])


def _answers(client: Client, ask: Callable[[Any], Awaitable[list[str]]], about: Sequence[Any]) -> dict[Any, list[str]]:
    """What comes back in time, for each thing that is asked about."""

    async def gather() -> list[Any]:
        waits = (asyncio.wait_for(ask(one), _ANSWER_S) for one in about)
        return await asyncio.gather(*waits, return_exceptions=True)

    if client.status != "running":
        return {}
    found = client.sync(gather)
    return {one: answer for one, answer in zip(about, found, strict=True) if isinstance(answer, list)}


def _file_safe(address: str) -> str:
    """A file name from an address.

    >>> _file_safe("tcp://127.0.0.1:4000")
    'tcp-127.0.0.1-4000'
    """
    return re.sub(r"[^A-Za-z0-9.]+", "-", address)
