"""Drivers, workers, nannies and schedulers that are killed for real cost time, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.faults.kills import Amount, kill_all
from tests.faults.scene import Scene, quiet

pytestmark = [pytest.mark.end_to_end, pytest.mark.cluster, pytest.mark.timeout(600)]

SOME = Amount(inline=3, local=1, workers=2, remote=1, remote_workers=1, nannies=1, schedulers=1, calm=False)


def test_whatever_is_killed_the_same_command_ends_with_the_same_bytes(tmp_path: Path) -> None:
    with quiet():
        scene = Scene(tmp_path / "scene", units=40)
    (tmp_path / "out").mkdir()
    killed = kill_all(scene, tmp_path / "out", SOME, seed=1)
    assert killed.violations == []
    # Which of these is there when it is looked for is for the machine to say.
    own = sum(killed.kills.pop(what, 0) for what in ("worker of a local cluster", "what workers are forked from"))
    assert (own, killed.kills) == (2, {"driver": 5, "worker with a nanny": 1, "nanny": 1, "scheduler": 1})
