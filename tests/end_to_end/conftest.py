"""What artifacts are handed over to score, made once for each file of tests."""

from pathlib import Path

import pytest
from tests.end_to_end.handing_over import Desk, everything, write_parts


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three files, one of them without rows and one with one row."""
    return write_parts(tmp_path_factory.mktemp("input") / "data", everything(), 150, 150, 239)


@pytest.fixture
def desk(data: Path, tmp_path: Path) -> Desk:
    """A folder of one's own, and that data."""
    return Desk(tmp_path, data)
