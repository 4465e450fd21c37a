"""Large trees are packed once, and mapped by who needs them next; what is not what was written is packed again."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesRegressor, HistGradientBoostingClassifier, RandomForestClassifier
from tests.compiled.cases import Case, fitted, some_rows

from scoreline.compiled import kept_trees as kept_module
from scoreline.compiled import tree_model as tree_module
from scoreline.compiled.answers import Answers
from scoreline.compiled.cache import FOLDER
from scoreline.compiled.descent import Going
from scoreline.compiled.matrix import Encoding, layout_of
from scoreline.compiled.plan import Plan
from scoreline.compiled.tree_model import TreeModel, compile_trees
from scoreline.compiled.way import Way, no_look_up

ROWS = some_rows(700, seed=3)
FOREST = fitted("standard", "one_hot", RandomForestClassifier(6, random_state=0, n_jobs=1))
STATED: dict[str, Any] = {"fitted": ["what its hash is"]}


@pytest.fixture(autouse=True)
def _cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path / "cache"))


def compiled(case: Case, stated: dict[str, Any] | None = STATED) -> TreeModel:
    assert isinstance(case.plan, Plan)
    encoding = Encoding(case.plan, case.schema, case.frame, no_look_up)
    blocks = encoding.blocks(ROWS)
    made = compile_trees(case.plan, layout_of(blocks, encoding.stacked(blocks, ROWS.num_rows)), stated)
    assert isinstance(made, TreeModel)
    return made


def answers(case: Case, made: TreeModel) -> Answers:
    assert isinstance(case.plan, Plan)
    return Way(Encoding(case.plan, case.schema, case.frame, made.derive), case.plan.model, made).answers(
        ROWS, proba=case.proba
    )


def no_packing(*_: object) -> None:
    raise AssertionError("packed again")


@pytest.mark.parametrize(
    "case", [FOREST, fitted("standard", "ordinal", ExtraTreesRegressor(5, random_state=0), "number")]
)
def test_they_are_packed_once_and_answer_alike(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = case.reference(ROWS, case.proba)
    for number in range(3):
        made = compiled(case)
        assert isinstance(made.packed, Going)
        assert all(isinstance(array, np.memmap) for array in made.packed.trees)
        assert answers(case, made).agrees(expected, 0)
        if not number:
            monkeypatch.setattr(tree_module, "pack", no_packing)
    with pytest.raises(AssertionError):
        compiled(case, {"fitted": ["another hash"]})


def test_only_large_trees_of_known_artifacts_are_kept(tmp_path: Path) -> None:
    compiled(FOREST, None)
    compiled(fitted("standard", "one_hot", HistGradientBoostingClassifier(max_iter=3)))
    assert not (tmp_path / "cache").exists()


def _shortened(kept: Path) -> None:
    file = kept / "nodes.npy"
    file.write_bytes(file.read_bytes()[:-8])


def _flipped(kept: Path) -> None:
    file = kept / "values.npy"
    body = bytearray(file.read_bytes())
    body[-1] ^= 1
    file.write_bytes(body)


def _of_other_shape(kept: Path) -> None:
    values = np.load(kept / "values.npy")
    np.save(kept / "values.npy", values.reshape(-1))


def _pickled(kept: Path) -> None:
    np.save(kept / "kind.npy", np.array([{}], dtype=object), allow_pickle=True)


def _removed(kept: Path) -> None:
    (kept / "first.npy").unlink()


def _emptied(kept: Path) -> None:
    (kept / "nodes.npy").write_bytes(b"")


def _zipped(kept: Path) -> None:
    with zipfile.ZipFile(kept / "nodes.npy", "w") as file:
        file.writestr("a", "b")


def _about_nothing(kept: Path) -> None:
    (kept / "about.json").write_text("[" * 100_000)


def _of_other_views(kept: Path) -> None:
    told = json.loads((kept / "about.json").read_text())
    told["about"]["views"]["views"].reverse()
    (kept / "about.json").write_text(json.dumps(told))


def _of_something_else(kept: Path) -> None:
    told = json.loads((kept / "about.json").read_text())
    (kept / "about.json").write_text(json.dumps({**told, "hash": "something else"}))


def _of_anybody(kept: Path) -> None:
    kept.chmod(0o777)


SPOILING = (
    _shortened,
    _flipped,
    _of_other_shape,
    _pickled,
    _removed,
    _emptied,
    _zipped,
    _about_nothing,
    _of_other_views,
    _of_something_else,
    _of_anybody,
)


@pytest.mark.parametrize("spoil", SPOILING)
def test_what_is_not_what_was_written_is_packed_again(spoil: Any, tmp_path: Path) -> None:
    compiled(FOREST)
    (kept,) = (tmp_path / "cache" / "trees").iterdir()
    spoil(kept)
    made = compiled(FOREST)
    assert answers(FOREST, made).agrees(FOREST.reference(ROWS, True), 0)
    if spoil is not _of_anybody:
        made = compiled(FOREST)
        assert isinstance(made.packed, Going)
        assert isinstance(made.packed.trees.nodes, np.memmap)


def test_a_cache_that_cannot_be_written_costs_time_alone(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder would be")
    assert answers(FOREST, compiled(FOREST)).agrees(FOREST.reference(ROWS, True), 0)


def test_the_oldest_ones_make_room(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(kept_module, "MOST_BYTES", 1)
    made = compiled(FOREST)
    assert list((tmp_path / "cache" / "trees").iterdir()) == []
    assert answers(FOREST, made).agrees(FOREST.reference(ROWS, True), 0)
