"""The cache of the user: where it is, and what is not believed."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scoreline.compiled import cache
from scoreline.compiled.cache import FOLDER, NEW, make_room, place_of


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


@pytest.fixture
def _usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_usual_umask")
def test_what_others_may_write_to_is_not_believed(tmp_path: Path) -> None:
    place = place_of("things", {})
    assert place is not None
    assert not place.is_private
    place.make_folder()
    place.path.write_text("kept")
    assert place.is_private
    for path in (place.path, *place.path.parents[:2]):
        before = path.stat().st_mode
        for mode in (0o720, 0o702, 0o777):
            path.chmod(mode)
            assert not place.is_private
        path.chmod(before)
    assert place.is_private
    assert not (tmp_path / ".cache" / "scoreline").stat().st_mode & 0o077


def test_room_is_made_by_removing_what_is_ours_the_oldest_first(tmp_path: Path) -> None:
    names = [str(number) * 32 for number in range(4)]
    for age, name in enumerate([*names, "theirs", f"{NEW}lately", f"{NEW}once"]):
        (tmp_path / name).mkdir()
        written = time.time() - 60 * age - (86_400 if name.endswith("once") else 0)
        os.utime(tmp_path / name, (written, written))
    make_room(tmp_path, lambda _: 1, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*names[:2], "theirs", f"{NEW}lately"])


def test_without_a_word_from_llvm_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("failed to get host cpu features")

    cache._here.cache_clear()
    monkeypatch.setattr("llvmlite.binding.get_host_cpu_features", broken)
    assert place_of("things", {}) is None


def test_the_home_of_the_user_is_known_by_its_sign(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(FOLDER, "~/mine")
    assert folder_of_cache() == tmp_path / "mine"
