"""A key changes with whatever changes the result, and with nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scoreline.dataset.plans import RunPlan
from scoreline.keys import digest, library_versions, module_hashes, recipe, snapshot, train_key
from scoreline.storage import FileInfo

FILES = (FileInfo("/data/a.csv", "a.csv", 10, "1"), FileInfo("/data/b.csv", "b.csv", 20, "2"))
LEARNING = {"target": "y", "train": {"seed": 1, "model": {"kind": "ridge", "params": {}}}}
OPTIONS = {"proba": False, "row_id": True}


def module(folder: Path, text: str, name: str = "my_steps") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.py"
    path.write_text(text)
    return path


def keys(**changes: Any) -> tuple[str, str]:
    given = {"files": FILES, "first": LEARNING, "options": OPTIONS, "references": ("r1",), "modules": (), **changes}
    made_by = recipe(given["first"], given["options"], given["references"], given["modules"])
    files = tuple((file.path, file.size, file.stamp) for file in given["files"])
    scored = RunPlan(made_by, files, ("u0",), 1, 1).key
    return train_key(given["files"], given["first"], given["references"], given["modules"]), scored


def test_keys_are_hashes_that_differ_between_training_and_scoring() -> None:
    trained, scored = keys()
    assert trained != scored
    assert all(len(key) == 64 and set(key) <= set("0123456789abcdef") for key in (trained, scored))
    assert keys() == (trained, scored)


@pytest.mark.parametrize(
    "changes",
    [
        {"files": FILES[:1]},
        {"files": (FILES[0], replace(FILES[1], size=21))},
        {"files": (FILES[0], replace(FILES[1], stamp="3"))},
        {"files": (FILES[0], replace(FILES[1], path="c.csv"))},
        {"first": {**LEARNING, "target": "z"}},
        {"first": {**LEARNING, "train": {"seed": 2, "model": {"kind": "ridge", "params": {}}}}},
        {"references": ()},
        {"references": ("r1", "r2")},
        {"references": ("r2",)},
    ],
)
def test_what_changes_the_result_changes_both_keys(changes: dict[str, Any]) -> None:
    trained, scored = keys()
    assert keys(**changes)[0] != trained
    assert keys(**changes)[1] != scored


def test_options_change_only_the_predictions() -> None:
    assert keys(options={**OPTIONS, "proba": True})[0] == keys()[0]
    assert keys(options={**OPTIONS, "proba": True})[1] != keys()[1]


def test_where_the_files_are_does_not_matter() -> None:
    assert keys(files=[replace(file, uri=f"s3://bucket/{file.path}") for file in FILES]) == keys()


def test_the_order_of_what_a_config_says_does_not_matter() -> None:
    assert keys(first={name: LEARNING[name] for name in reversed(LEARNING)}) == keys()


def test_the_text_of_a_module_matters_and_its_folder_does_not(tmp_path: Path) -> None:
    first = keys(modules=[module(tmp_path / "a", "x = 1")])
    assert keys(modules=[module(tmp_path / "b", "x = 1")]) == first
    assert keys(modules=[module(tmp_path / "c", "x = 2")]) != first
    assert keys(modules=[module(tmp_path / "d", "x = 1", "other_name")]) != first
    assert len(module_hashes([module(tmp_path / "e", "x"), module(tmp_path / "e", "x", "y")])) == 2


def test_the_versions_of_libraries_count_for_what_is_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    trained, scored = keys()
    other = {**library_versions(), "scikit-learn": "0.1"}
    monkeypatch.setattr("scoreline.keys.library_versions", lambda: other)
    assert keys()[0] != trained
    assert keys()[1] == scored


@pytest.mark.parametrize(
    ("first", "second"),
    [({"a": 1}, {"a": "1"}), ({"a": None}, {}), ([1, 2], [2, 1]), ("é", "e"), ([[]], [])],
)
def test_different_values_have_different_digests(first: Any, second: Any) -> None:
    assert digest(first) != digest(second)


def test_a_snapshot_is_told_in_the_order_of_the_files() -> None:
    assert snapshot(FILES) == [["a.csv", 10, "1"], ["b.csv", 20, "2"]]
