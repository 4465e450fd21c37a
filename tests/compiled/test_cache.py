"""The cache of the user: where it is, and what is not believed."""

import json
from pathlib import Path

import pytest

from scoreline.compiled import cache
from scoreline.compiled.cache import FOLDER, by_age, is_private, place_of


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def folder_of_cache() -> Path:
    place = place_of("things", {})
    assert place is not None
    return place.path.parent.parent


def test_it_lies_where_the_system_has_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert folder_of_cache() == tmp_path / ".cache" / "scoreline"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    assert folder_of_cache() == tmp_path / "elsewhere" / "scoreline"
    # The standard has relative ones left alone.
    monkeypatch.setenv("XDG_CACHE_HOME", "elsewhere")
    assert folder_of_cache() == tmp_path / ".cache" / "scoreline"


def test_a_variable_names_another_folder_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path / "named"))
    assert folder_of_cache() == tmp_path / "named"
    monkeypatch.setenv(FOLDER, "")
    assert place_of("things", {}) is None


def test_nothing_is_kept_for_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("could not determine home directory")

    monkeypatch.setattr(Path, "home", nowhere)
    assert place_of("things", {}) is None


def test_the_place_depends_on_what_is_stated_and_on_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    one, same, other = (place_of("things", {"fitted": value}) for value in ("a", "a", "b"))
    assert one == same
    assert one is not None
    assert other is not None
    assert other.path != one.path
    told = json.loads(one.statement)
    assert told["fitted"] == "a"
    assert {"numpy", "sklearn", "python", "llvmlite"} <= told["versions"].keys()
    cache._here.cache_clear()
    monkeypatch.setattr(cache, "_own_files", lambda: "other code")
    changed = place_of("things", {"fitted": "a"})
    cache._here.cache_clear()
    assert changed is not None
    assert changed.path != one.path


def test_what_others_may_write_to_is_not_believed(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    assert not is_private(mine)
    mine.mkdir(mode=0o700)
    assert is_private(mine)
    for mode in (0o720, 0o702, 0o777):
        mine.chmod(mode)
        assert not is_private(mine)
    mine.chmod(0o755)
    assert is_private(mine)


def test_what_is_there_is_listed_from_the_newest_on(tmp_path: Path) -> None:
    import os

    for age, name in enumerate(["new", "old", "older"]):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1_000 - age, 1_000 - age))
    assert [path.name for path in by_age(tmp_path)] == ["new", "old", "older"]
