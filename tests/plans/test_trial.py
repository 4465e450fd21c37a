"""What a trial says of time is near to what units then take, though those that come first are slow."""

import shutil
import time
from pathlib import Path

import pytest
from benchmarks.protocol_overhead import Workload, planned
from benchmarks.small_jobs import INLINE, write_config

from scoreline.plans.trial import Trial, try_unit
from scoreline.scoring import score_unit
from scoreline.stages.predict import Scoring


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Demo data, and a pipeline that was handed over."""
    folder = tmp_path_factory.mktemp("trial")
    Workload(150_000, 2, pipeline=True).prepare(folder)
    return folder


@pytest.fixture
def scoring(prepared: Path, tmp_path: Path) -> Scoring:
    """A run with a model that nobody has used yet in this process."""
    model = shutil.copy(prepared / "model.joblib", tmp_path)
    return planned(write_config(tmp_path / "job.json", f"{prepared}/data", Path(model), f"{tmp_path}/out", INLINE))


def test_compiling_is_told_apart_from_what_each_row_takes(scoring: Scoring) -> None:
    first, second, *_ = scoring.units
    trial = try_unit(scoring.task, first)
    assert trial.start > 10_000 * trial.row

    def foretells() -> bool:
        told, began = try_unit(scoring.task, first).row * second.rows, time.perf_counter()
        score_unit(scoring.task, second)
        taken = time.perf_counter() - began
        return taken / 4 < told < taken * 4

    # Some hundredths of a second, in which the disk or somebody else may take as long.
    assert any(foretells() for _ in range(5))


def test_a_trial_ends_with_its_block_where_no_faster_tier_is_to_come(scoring: Scoring) -> None:
    settled = try_unit(scoring.task, scoring.units[0])
    again = try_unit(scoring.task, scoring.units[0], enough=0.0)
    assert again.start < settled.start
    assert again.memory > 0


def test_workers_share_the_rows_and_each_starts_by_itself() -> None:
    assert Trial(3.0, 0.01, 0).seconds(600, 3) == pytest.approx(5.0)
