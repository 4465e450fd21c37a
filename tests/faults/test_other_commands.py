"""Append, replay, rollback and gc, broken at every step: the same command again, and all is as if nothing had been."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.scene import Ended, Scene
from tests.faults.stories import STORIES, World, play

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(600)]


@pytest.mark.parametrize("story", STORIES)
def test_the_same_command_again_leaves_what_an_undisturbed_one_leaves(
    scene: Scene, tmp_path: Path, story: Callable[[World], Callable[[], Ended]]
) -> None:
    cases, violations = play(World(scene, tmp_path / story.__name__), story)
    assert violations == []
    assert cases > 10
