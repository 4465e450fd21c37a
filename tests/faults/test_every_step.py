"""A run that dies or loses an answer at any step, alone or with company, ends as if nothing had happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from tests.faults.interruptions import Case, Company, cases, play_all, spread, steps_of
from tests.faults.remains import Place
from tests.faults.scene import Scene
from tests.faults.steps import Fault, Step, nothing
from tests.lossy_proxy import DROP, LossyProxy
from tests.seaweedfs import SeaweedFS

from scoreline.storage import Created, local

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(300)]


def local_places(folder: Path) -> Iterator[Place]:
    return (Place(str(folder / f"{number:04}")) for number in count())


def alone(steps: list[Step]) -> list[Case]:
    """Every fault of every step that changes something."""
    every = cases(steps, proxied=False)
    return [case for case in every if case.company is Company.ALONE and steps[case.at].changes]


def in_company(steps: list[Step]) -> list[Case]:
    every = cases(steps, proxied=False)
    return [case for case in every if case.company is not Company.ALONE]


@pytest.mark.parametrize(("chosen", "most"), [(alone, 200), (in_company, 40)])
def test_on_a_local_disk(scene: Scene, tmp_path: Path, chosen: Callable[[list[Step]], list[Case]], most: int) -> None:
    steps = steps_of(scene, Place(str(tmp_path / "calm")), "steps-local")
    some = spread(chosen(steps), most)
    counted = play_all(scene, local_places(tmp_path), some, nothing)
    assert counted.violations == []
    assert counted.cases.total() == len(some) > 30
    assert counted.looks > counted.cases.total()


@pytest.mark.storage
def test_on_s3(scene: Scene, seaweedfs: SeaweedFS, s3_bucket: str, lossy_proxy: LossyProxy) -> None:
    client = seaweedfs.client()
    steps = steps_of(scene, Place(f"{s3_bucket}/calm", client), "steps-s3")
    some = spread(cases(steps, proxied=True), 25)
    places = (Place(f"{s3_bucket}/{number:04}", client) for number in count())
    counted = play_all(scene, places, some, lambda: lossy_proxy.faults.append(DROP))
    assert counted.violations == []
    assert counted.cases.total() == len(some)
    assert not lossy_proxy.faults


create = local.create


def overwritten(uri: str, body: bytes | Path) -> Created:
    """Create as a store does it that ignores conditions, but for the probe at the start."""
    if ".scoreline-probe" in uri:
        return create(uri, body)
    local.replace(uri, body if isinstance(body, bytes) else body.read_bytes())
    return Created.CREATED


def partly_lost(uri: str, body: bytes | Path) -> Created:
    """Create as a disk does it that loses some of what it took."""
    return Created.CREATED if "/quarantine/" in uri else create(uri, body)


@pytest.mark.parametrize(("mistake", "violations"), [(create, 0), (overwritten, 1), (partly_lost, 1)])
def test_mistakes_are_noticed(
    scene: Scene,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mistake: Callable[..., Created],
    violations: int,
) -> None:
    steps = steps_of(scene, Place(str(tmp_path / "calm")), f"steps-{mistake.__name__}")
    (commit,) = [number for number, step in enumerate(steps) if step.name == "create" and "/commits/" in step.uri]
    monkeypatch.setattr(local, "create", mistake)
    case = Case(Company.OTHER, Fault.PAUSE_BEFORE, commit)
    counted = play_all(scene, local_places(tmp_path), [case], nothing)
    assert len(counted.violations) == violations
