import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from scoreline.errors import UsageError
from scoreline.own_modules import OwnModule, forget_modules, import_modules, read_modules

NAMES = ("own_first", "own_second")


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    forget_modules(NAMES)


def _module(name: str, text: str, folder: Path = Path("/somewhere")) -> OwnModule:
    return OwnModule(name, str(folder / f"{name}.py"), text.encode())


def test_modules_are_imported_from_memory_and_import_one_another() -> None:
    first = _module("own_first", "import own_second\nVALUE = own_second.VALUE + 1\n")
    imported = import_modules([first, _module("own_second", "VALUE = 1\n")])
    assert [module.VALUE for module in imported] == [2, 1]
    assert sys.modules["own_first"] is imported[0]


def test_a_neighbour_that_was_not_named_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "own_second.py").write_text("VALUE = 1\n")
    (tmp_path / "own_first.py").write_text("import own_second\n")
    with pytest.raises(UsageError, match="No module named 'own_second'"):
        import_modules(read_modules([tmp_path / "own_first.py"]))


def test_the_same_text_is_imported_once_and_another_text_anew() -> None:
    (before,) = import_modules([_module("own_first", "VALUE = 1\n")])
    (same,) = import_modules([_module("own_first", "VALUE = 1\n", Path("/elsewhere"))])
    (changed,) = import_modules([_module("own_first", "VALUE = 2\n")])
    assert same is before
    assert (changed is before, changed.VALUE) == (False, 2)


def test_a_module_sees_the_new_text_of_another_that_changed() -> None:
    first = _module("own_first", "import own_second\nVALUE = own_second.VALUE\n")
    import_modules([first, _module("own_second", "VALUE = 1\n")])
    again = import_modules([first, _module("own_second", "VALUE = 2\n")])
    assert again[0].VALUE == 2


def test_a_module_that_fails_can_be_mended_and_imported_again() -> None:
    with pytest.raises(UsageError, match="ZeroDivisionError"):
        import_modules([_module("own_first", "1 / 0\n")])
    (mended,) = import_modules([_module("own_first", "VALUE = 3\n")])
    assert mended.VALUE == 3


def test_a_traceback_shows_the_lines_of_the_module() -> None:
    (module,) = import_modules([_module("own_first", "def fail():\n    return 1 / 0\n")])
    with pytest.raises(ZeroDivisionError) as caught:
        module.fail()
    assert "return 1 / 0" in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("name", ["json", "sys", "numpy", "__main__"])
def test_the_name_of_another_module_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=f"'{name}' is the name of another module"):
        import_modules([_module(name, "")])


def test_the_file_that_a_script_has_imported_itself_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_first.py").write_text("VALUE = []\n")
    monkeypatch.syspath_prepend(tmp_path)
    import own_first  # type: ignore[import-not-found]

    (module,) = import_modules(read_modules([tmp_path / "own_first.py"]))
    assert module is own_first


def test_all_files_that_cannot_be_modules_are_named_at_once(tmp_path: Path) -> None:
    twins = [tmp_path / folder / "own_first.py" for folder in ("a", "b")]
    for path in (*twins, tmp_path / "not-a-name.py", tmp_path / "own_steps.txt"):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    with pytest.raises(UsageError) as caught:
        read_modules([tmp_path / "missing.py", tmp_path / "not-a-name.py", tmp_path / "own_steps.txt", *twins])
    assert len(caught.value.problems) == 4


def test_the_hash_is_of_the_text_alone() -> None:
    text = "VALUE = 1\n"
    assert _module("own_first", text).sha256 == _module("own_second", text, Path("/elsewhere")).sha256
