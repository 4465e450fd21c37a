"""No bit of a published data set changes unnoticed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.faults.scene import Scene

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(120)]


def test_any_flipped_bit_and_any_cut_is_found_and_named(scene: Scene, tmp_path: Path) -> None:
    from tests.faults.rot import damage_all, published

    rotted = damage_all(published(scene, tmp_path), 100, seed=1)
    assert rotted.violations == []
    assert rotted.damages.total() == 100
