"""However many items there are, neither the scheduler nor the driver grows with them."""

import time
from collections.abc import Sequence

import psutil  # type: ignore[import-untyped]
import pytest

from scoreline.clusters.local import Local

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]

COUNT = 2_000
IN_FLIGHT = 16


class _Large(Sequence[bytes]):
    """Items of a megabyte that exist only while somebody looks at them."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.made = 0

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, position: int) -> bytes:  # type: ignore[override]
        self.made += 1
        return bytes(1_000_000)


def test_thousands_of_items_leave_nothing_on_scheduler_and_driver() -> None:
    with Local(workers=2).open() as session:
        scheduler = session.client.cluster.scheduler
        memory = psutil.Process().memory_info
        list(session.map(abs, range(200), "warming up"))
        before, most = memory().rss, 0
        found = 0
        for position, result in session.map(abs, range(0, -COUNT, -1), "absolute"):
            assert position == result
            found += 1
            most = max(most, len(scheduler.tasks), len(session.client.futures))
            assert len(scheduler.task_groups) <= 1
        assert found == COUNT
        assert most <= 2 * IN_FLIGHT
        assert memory().rss - before < 40e6
        deadline = time.monotonic() + 10
        while (scheduler.tasks or session.client.futures) and time.monotonic() < deadline:
            time.sleep(0.01)
        left = (len(scheduler.tasks), len(scheduler.task_groups), len(session.client.futures))
        assert left == (0, 0, 0)
        assert set(scheduler.task_prefixes) == {"warming up", "absolute"}


def test_items_are_pickled_only_when_it_is_their_turn() -> None:
    items = _Large(150)
    with Local(workers=1).open() as session:
        before = psutil.Process().memory_info().rss
        for number, (_, size) in enumerate(session.map(len, items, "length"), start=1):
            assert size == 1_000_000
            assert items.made <= number + IN_FLIGHT
        assert psutil.Process().memory_info().rss - before < 100e6
