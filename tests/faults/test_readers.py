"""Readers see one whole version or another, never some of both, however fast versions follow each other."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.faults.scene import Scene
from tests.faults.swaps import Reader, swap

# Thirty commits one after the other wait for the disk, on which other tests write, too.
pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(300)]

OWN = [Reader(sys.executable, "pyarrow", "current"), Reader(sys.executable, "pandas", "symlink")]


def test_no_reader_ever_sees_a_mixture(scene: Scene, tmp_path: Path) -> None:
    seen = swap(scene, tmp_path, 30, OWN, pause=0.02)
    for counts in seen.values():
        assert counts["whole"] > 20
        assert counts.get("mixed", 0) == 0
        assert counts["most_failures_in_a_row"] <= 3
    assert seen["pyarrow, current"]["failures"] == {}
