"""Every fault of the matrix ends in the exit code that it should, with a sentence, and never in a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.faults.matrix import ROWS, Bench, Row, listed
from tests.faults.scene import Scene
from tests.seaweedfs import SeaweedFS

ROOT = Path(__file__).parents[2]


@pytest.mark.end_to_end
@pytest.mark.storage
@pytest.mark.timeout(120)
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.number}-{row.play.__name__}")
def test_a_fault_ends_as_the_matrix_says(row: Row, scene: Scene, seaweedfs: SeaweedFS, tmp_path: Path) -> None:
    observed = row.play(Bench(scene, tmp_path, seaweedfs))
    assert (observed.code, observed.again) == (row.code, row.again), observed
    assert bool(observed.said) is (row.code != 0)
    assert "a bug" not in observed.said


def test_tests_that_the_matrix_names_are_there() -> None:
    for row in listed("elsewhere"):
        path, _, name = row["test"].partition("::")
        assert f"def {name}(" in (ROOT / path).read_text("utf-8"), row
