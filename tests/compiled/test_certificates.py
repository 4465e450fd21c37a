"""What was proven before is not proven again: but where anything that it depends on is different, it is."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from tests.compiled.cases import Case, fitted, some_rows

from scoreline.compiled import certificates
from scoreline.compiled import scorer as scorer_module
from scoreline.compiled.answers import Answers
from scoreline.compiled.cache import FOLDER
from scoreline.compiled.doubts import Partial
from scoreline.compiled.linear import LinearModel
from scoreline.compiled.sampling import Place
from scoreline.compiled.scorer import LEAST_ROWS, Scorer, Tier

PART = some_rows(LEAST_ROWS, seed=5)
LINEAR = fitted("standard", "one_hot", LogisticRegression(max_iter=24))
STATED = {"fitted": ["what its hash is"]}
NOT_SAMPLED = Place("unit", 1, 17)


@pytest.fixture(autouse=True)
def _cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts are compiled from the first one on, and there is an empty cache."""
    monkeypatch.setattr(scorer_module, "FIRST_ROWS", 1)
    monkeypatch.setattr(scorer_module, "FEW_TREES", 1)
    monkeypatch.setenv(FOLDER, str(tmp_path / "cache"))


class Asked:
    """Scikit-learn's answers, counted."""

    def __init__(self, reference: Callable[[pa.Table, bool], Answers]) -> None:
        self.times = 0
        self._reference = reference

    def __call__(self, table: pa.Table, proba: bool) -> Answers:
        self.times += 1
        return self._reference(table, proba)


def asked(case: Case, stated: Mapping[str, Any] | None = STATED, part: pa.Table = PART) -> tuple[int, Tier]:
    """How often a new process asks scikit-learn until it answers for a part itself, and by which tier."""
    asked = Asked(case.reference)
    assert NOT_SAMPLED.is_sampled is False
    work = Scorer(case.plan, case.schema, case.frame, asked, lambda: stated)
    found = work.answers(part, proba=False, place=NOT_SAMPLED)
    assert isinstance(found, Answers)
    assert found.agrees(case.reference(part, False), 0)
    return asked.times, work.tier


@pytest.mark.parametrize(
    ("case", "tier"),
    [
        (LINEAR, Tier.COMPILED),
        (fitted("standard", "one_hot", RandomForestClassifier(40, random_state=0, n_jobs=1)), Tier.COMPILED),
        (fitted("standard", "one_hot", KNeighborsClassifier()), Tier.ENCODED),
    ],
)
def test_it_is_proven_once(case: Case, tier: Tier) -> None:
    part = some_rows(3 * 16_384, seed=5)
    assert asked(case, part=part)[0] > 0
    assert asked(case, part=part) == (0, tier)


@pytest.mark.parametrize("stated", [{"fitted": ["another hash"]}, None])
def test_it_is_proven_again_for_another_artifact_and_where_its_hash_does_not_tell_all(stated: Any) -> None:
    asked(LINEAR)
    assert asked(LINEAR, stated)[0] > 0


def test_nothing_is_remembered_of_what_is_not_stated(tmp_path: Path) -> None:
    asked(LINEAR, None)
    assert not (tmp_path / "cache").exists()


def test_it_is_proven_again_where_columns_are_encoded_otherwise() -> None:
    asked(LINEAR)
    cities = pa.array([f"city {number}" for number in range(PART.num_rows)])
    other = Asked(LINEAR.reference)
    work = Scorer(LINEAR.plan, LINEAR.schema, LINEAR.frame, other, lambda: STATED)
    work.answers(PART.set_column(0, "city", cities), proba=False, place=NOT_SAMPLED)
    assert other.times > 0


def test_what_proves_wrong_is_not_remembered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    right = LinearModel.by_tables
    monkeypatch.setattr(LinearModel, "by_tables", lambda *given: (right(*given) + 1) % 3)
    assert asked(LINEAR)[1] == Tier.ENCODED
    (kept,) = (tmp_path / "cache" / "proven").iterdir()
    assert '"tier": "B"' in kept.read_text()


def test_what_a_sample_shows_to_be_wrong_is_forgotten(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked(LINEAR)
    right = LinearModel.by_tables
    monkeypatch.setattr(LinearModel, "by_tables", lambda *given: (right(*given) + 1) % 3)
    work = Scorer(LINEAR.plan, LINEAR.schema, LINEAR.frame, LINEAR.reference, lambda: STATED)
    assert work.answers(PART, proba=False, place=Place("unit", 0, 1)) is None
    assert work.given_up == 1
    assert list((tmp_path / "cache" / "proven").iterdir()) == []


def test_what_is_believed_can_still_tell_which_values_an_encoder_refuses() -> None:
    strict = fitted("standard", "strict", LogisticRegression(max_iter=24))
    part = some_rows(LEAST_ROWS, seed=5)
    refused = part.set_column(0, "city", pa.array(["nowhere", *part["city"].to_pylist()[1:]]))
    for _ in range(2):
        work = Scorer(strict.plan, strict.schema, strict.frame, strict.reference, lambda: STATED)
        found = work.answers(refused, proba=False, place=NOT_SAMPLED)
        assert isinstance(found, Partial)
        assert found.doubts.tolist() == [0]


def test_a_certificate_that_others_could_have_written_is_not_believed(tmp_path: Path) -> None:
    asked(LINEAR)
    (tmp_path / "cache" / "proven").chmod(0o777)
    assert asked(LINEAR)[0] > 0


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff"])
def test_a_certificate_of_anything_else_is_not_believed(tmp_path: Path, content: bytes) -> None:
    asked(LINEAR)
    (kept,) = (tmp_path / "cache" / "proven").iterdir()
    kept.write_bytes(content)
    assert asked(LINEAR)[0] > 0
    assert asked(LINEAR)[0] == 0


def test_a_cache_that_cannot_be_written_costs_time_alone(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder would be")
    for _ in range(2):
        times, tier = asked(LINEAR)
        assert times > 0
        assert tier == Tier.COMPILED


def test_the_oldest_ones_make_room(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(certificates, "MOST", 2)
    kept = tmp_path / "cache" / "proven"
    for number in range(4):
        asked(LINEAR, {"fitted": [number]})
        for path in kept.iterdir():
            # Files of one moment have no order.
            os.utime(path, (path.stat().st_mtime - 10, path.stat().st_mtime - 10))
    assert len(list(kept.iterdir())) == 2
    assert asked(LINEAR, {"fitted": [3]})[0] == 0
    assert asked(LINEAR, {"fitted": [0]})[0] > 0
