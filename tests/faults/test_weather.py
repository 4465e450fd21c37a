"""S3 that loses answers, refuses, breaks off and stalls: slower, never wrong, and published once."""

from __future__ import annotations

import pytest
from tests.faults.scene import Scene
from tests.faults.weather import LOST_ANSWERS, STORM, weathered
from tests.seaweedfs import SeaweedFS

pytestmark = [pytest.mark.end_to_end, pytest.mark.storage, pytest.mark.timeout(300)]


def test_lost_answers_are_found_out_and_nobody_notices(scene: Scene, seaweedfs: SeaweedFS) -> None:
    found = weathered(scene, seaweedfs, LOST_ANSWERS["10 % of answers lost"], 20, patience=1)
    assert found.violations == []
    assert found.endings == {"0": 20}
    assert found.met["drop"] > 5


def test_in_a_storm_a_run_takes_longer_and_succeeds(scene: Scene, seaweedfs: SeaweedFS) -> None:
    found = weathered(scene, seaweedfs, STORM, 2)
    assert found.violations == []
    assert found.endings == {"0": 2}
    assert found.met["refuse"] > 5
