"""What every cluster must do: the same answers, the same errors, the user's modules, nothing left behind."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scoreline.catalogue import kinds
from scoreline.clusters.base import Cluster, Session
from scoreline.clusters.inline import Inline
from scoreline.clusters.local import Local
from scoreline.clusters.scheduler import Scheduler
from scoreline.errors import UsageError

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]

CLUSTERS: dict[str, Callable[[str], Cluster]] = {
    "inline": lambda _: Inline(),
    "local": lambda _: Local(workers=2),
    "scheduler": lambda address: Scheduler(address=address),
}
MODULES = {
    "contract_tables": "FACTOR = 7\nclass Refused(ValueError): pass\n",
    "contract_steps": """
import contract_tables
class Wrapped:
    def __init__(self, value): self.value = value
def wrapped(item): return Wrapped(item.value * contract_tables.FACTOR)
def refuses_three(item):
    if item == 3: raise contract_tables.Refused("three is not wanted")
    return item
""",
}


def test_every_kind_of_cluster_is_tested_here() -> None:
    assert set(CLUSTERS) == set(kinds("clusters"))


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("modules")
    for name, text in MODULES.items():
        (folder / f"{name}.py").write_text(text)
    return [folder / f"{name}.py" for name in MODULES]


@pytest.fixture(scope="module", params=list(CLUSTERS))
def session(request: pytest.FixtureRequest, dask_scheduler: str, modules: list[Path]) -> Iterator[Session]:
    with CLUSTERS[request.param](dask_scheduler).open(modules) as session:
        yield session


@pytest.mark.parametrize("count", [0, 1, 40])
def test_every_item_is_answered_once(session: Session, count: int) -> None:
    found = list(session.map(abs, [-item for item in range(count)], "absolute"))
    assert sorted(found) == [(item, item) for item in range(count)]


def test_functions_and_values_of_own_modules_go_and_come_back(session: Session) -> None:
    import contract_steps  # type: ignore[import-not-found]

    items = [contract_steps.Wrapped(1), contract_steps.Wrapped(2)]
    found = dict(session.map(contract_steps.wrapped, items, "wrapped"))
    assert {position: type(result) for position, result in found.items()} == dict.fromkeys(
        (0, 1), contract_steps.Wrapped
    )
    assert [found[0].value, found[1].value] == [7, 14]


def test_the_exception_of_a_task_is_the_same_one_with_a_note(session: Session) -> None:
    import contract_steps
    import contract_tables  # type: ignore[import-not-found]

    with pytest.raises(contract_tables.Refused, match="three is not wanted") as caught:
        list(session.map(contract_steps.refuses_three, range(6), "refusing"))
    assert caught.value.__notes__ == ["in task 4 of 6 of refusing (position 3)"]


def test_a_session_goes_on_after_an_error_and_after_an_early_end(session: Session) -> None:
    import contract_steps

    with pytest.raises(ValueError, match="three"):
        list(session.map(contract_steps.refuses_three, [3], "refusing"))
    some = session.map(abs, range(100), "absolute")
    next(some)
    some.close()  # type: ignore[attr-defined]
    assert dict(session.map(abs, [-5], "absolute")) == {0: 5}


def test_each_worker_has_a_log_under_a_name_that_is_safe_for_a_file(session: Session) -> None:
    logs = session.worker_logs()
    assert len(logs) == (0 if session.client is None else session.workers)
    assert all("worker" in text and "/" not in name for name, text in logs.items())


@pytest.mark.parametrize("kind", list(CLUSTERS))
def test_a_module_that_is_not_there_is_a_mistake_of_the_command_line(kind: str) -> None:
    nobody = "tcp://127.0.0.1:1"
    with pytest.raises(UsageError, match="no such file"), CLUSTERS[kind](nobody).open([Path("not_here.py")]):
        pass
