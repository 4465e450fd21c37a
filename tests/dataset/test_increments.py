"""What is left to score: whatever happened to the input, the next version has every file that is there exactly once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreline.dataset.commits import PublishedRun
from scoreline.dataset.increments import Increment, increment, out_of_date, repaired, with_refused_rows
from scoreline.dataset.manifests import Manifest
from scoreline.dataset.receipts import Receipt, StoredFile
from scoreline.errors import DataError
from scoreline.units import InputFile

PATHS = "abcdefgh"


def file(path: str, stamp: str = "1") -> InputFile:
    return InputFile(path, 10, stamp)


def receipt(unit: str, *files: InputFile, recipe: str = "r", refused: int = 0) -> Receipt:
    counts = {"bad_value": refused} if refused else {}
    return Receipt(unit, 5, 5 - refused, 0, counts, StoredFile(f"x/{unit}", "0", 1), files=files, recipe=recipe)


def version(*runs: tuple[Receipt, ...]) -> dict[PublishedRun, Manifest]:
    return {
        PublishedRun(f"run{number}", "0", len(receipts), 0, 0, 0, 0): Manifest(receipts, "0")
        for number, receipts in enumerate(runs)
    }


def present(*files: InputFile) -> dict[str, InputFile]:
    return {each.path: each for each in files}


def names(found: Increment) -> tuple[set[str], list[str], list[str]]:
    """Files to score, runs that stay whole, units that are adopted."""
    return set(found.paths), [run.run for run in found.kept], [each.unit for each in found.adopted]


def test_new_files_alone_are_scored() -> None:
    before = version((receipt("u0", file("a")),), (receipt("u1", file("b")),))
    found = increment(before, present(file("a"), file("b"), file("c")), out_of_date("r"))
    assert names(found) == ({"c"}, ["run0", "run1"], [])


def test_nothing_is_scored_when_nothing_is_new_and_files_that_went_keep_their_predictions() -> None:
    before = version((receipt("u0", file("a")), receipt("u1", file("b"))))
    found = increment(before, present(file("a")), out_of_date("r"))
    assert names(found) == (set(), ["run0"], [])


def test_a_changed_file_is_scored_again_with_those_of_its_unit() -> None:
    before = version((receipt("u0", file("a"), file("b")), receipt("u1", file("c"))))
    found = increment(before, present(file("a", "2"), file("b"), file("c")), out_of_date("r"))
    assert names(found) == ({"a", "b"}, [], ["u1"])


def test_units_of_one_file_go_together() -> None:
    before = version((receipt("u0", file("a")), receipt("u1", file("a"), file("b")), receipt("u2", file("c"))))
    found = increment(before, present(file("a"), file("b", "2"), file("c")), out_of_date("r"))
    assert names(found) == ({"a", "b"}, [], ["u2"])


def test_another_recipe_scores_everything_again() -> None:
    before = version((receipt("u0", file("a")),), (receipt("u1", file("b"), recipe="new"),))
    found = increment(before, present(file("a"), file("b")), out_of_date("new"))
    assert names(found) == ({"a"}, ["run1"], [])


def test_a_unit_that_must_be_made_again_needs_all_of_its_files() -> None:
    before = version((receipt("u0", file("a"), file("b")),))
    with pytest.raises(DataError, match="1 input files are gone") as error:
        increment(before, present(file("a", "2")), out_of_date("r"))
    assert error.value.problems[0].where == "b"


def test_a_repair_takes_units_with_refused_rows_and_no_new_files() -> None:
    before = version((receipt("u0", file("a"), refused=1), receipt("u1", file("b"))))
    found = repaired(increment(before, present(file("a", "2"), file("b", "2"), file("c")), with_refused_rows))
    assert names(found) == ({"a"}, [], ["u1"])


@st.composite
def histories(draw: st.DrawFn) -> tuple[dict[PublishedRun, Manifest], dict[str, InputFile]]:
    """A version whose runs have some files each once, and files of which some are as they were."""
    order = draw(st.permutations(PATHS))
    cuts = sorted(draw(st.lists(st.integers(0, len(PATHS)), min_size=1, max_size=4)))
    groups = [order[start:stop] for start, stop in zip([0, *cuts], cuts, strict=False) if start < stop]
    recipes = [draw(st.sampled_from(["r", "old"])) for _ in groups]
    receipts = [
        receipt(f"u{number}", *map(file, group), recipe=recipe)
        for number, (group, recipe) in enumerate(zip(groups, recipes, strict=True))
    ]
    first = draw(st.integers(0, len(receipts)))
    runs = [tuple(part) for part in (receipts[:first], receipts[first:]) if part]
    now = {path: file(path, draw(st.sampled_from(["1", "1", "2"]))) for path in draw(st.sets(st.sampled_from(PATHS)))}
    return version(*runs), now


@given(histories())
def test_every_file_that_is_there_is_in_the_next_version_once_and_as_it_is(
    history: tuple[dict[PublishedRun, Manifest], dict[str, InputFile]],
) -> None:
    before, now = history
    try:
        found = increment(before, now, out_of_date("r"))
    except DataError:
        every = [each for manifest in before.values() for each in manifest.receipts]
        there = [{file.path for file in each.files} & set(now) for each in every]
        assert any(some and some < {file.path for file in each.files} for some, each in zip(there, every, strict=True))
        return
    staying = [each for run in found.kept for each in before[run].receipts] + list(found.adopted)
    files = [file for each in staying for file in each.files]
    assert len({file.path for file in files}) == len(files)
    assert {file.path for file in files} & found.paths == set()
    assert {file.path for file in files} | found.paths >= set(now)
    assert all(now.get(file.path, file) == file for file in files)
    assert all(each.recipe == "r" for each in staying if {file.path for file in each.files} & set(now))
