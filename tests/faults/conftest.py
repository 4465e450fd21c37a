"""The world that the tests of faults break, made once."""

from __future__ import annotations

import pytest
from tests.faults.scene import Scene, quiet


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Three units, one of which has rows that are refused, and two models."""
    with quiet():
        return Scene(tmp_path_factory.mktemp("scene") / "faults", units=3)
