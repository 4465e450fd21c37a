"""A file in a folder is a kind, and so is a class of the user's own module."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from scoreline.catalogue import (
    FOLDERS,
    base_class,
    class_name,
    kind_class,
    kind_names,
    kinds,
    load_kind,
    own_kinds,
    union_of,
)
from scoreline.cleaners.base import Step
from scoreline.cleaners.trim_strings import TrimStrings

SOURCE = """
from typing import Literal
from scoreline.cleaners.base import ColumnStep, Step
from scoreline.cleaners.trim_strings import TrimStrings
from scoreline.metrics.base import Metric

class Base(Step):
    times: int = 1

class Shout(Base):
    kind: Literal["shout"] = "shout"

class Hits(Metric):
    kind: Literal["hits"] = "hits"

class Other:
    kind = "other"

def step(): ...
"""


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    made = ModuleType("my_kinds")
    monkeypatch.setitem(sys.modules, "my_kinds", made)
    exec(SOURCE, vars(made))  # noqa: S102
    return made


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_kind_of_a_folder_can_be_loaded(folder: str) -> None:
    assert kinds(folder)
    assert not {"base", "__init__"} & set(kinds(folder))
    for kind in kinds(folder):
        found = load_kind(folder, kind)
        assert issubclass(found, base_class(folder))
        assert found.model_fields["kind"].default == kind


@pytest.mark.parametrize("kind", ["base", "_columns", "trim", "", "../models/ridge"])
def test_what_is_no_kind_is_not_imported(kind: str) -> None:
    assert kind_class("cleaners", kind) is None
    with pytest.raises(KeyError):
        load_kind("cleaners", kind)


@pytest.mark.parametrize(("kind", "name"), [("knn", "Knn"), ("hist_gradient_boosting", "HistGradientBoosting")])
def test_a_kind_names_its_class(kind: str, name: str) -> None:
    assert class_name(kind) == name


def test_own_kinds_are_the_classes_that_a_module_itself_defines(module: ModuleType) -> None:
    assert own_kinds("cleaners", [module]) == {"shout": vars(module)["Shout"]}
    assert own_kinds("metrics", [module]) == {"hits": vars(module)["Hits"]}
    assert own_kinds("models", [module]) == {}
    assert own_kinds("cleaners", []) == {}


def test_own_kinds_stand_beside_those_that_ship(module: ModuleType) -> None:
    assert set(kind_names("cleaners", [module])) == {*kinds("cleaners"), "shout"}
    assert kind_class("cleaners", "shout", [module]) is vars(module)["Shout"]
    assert kind_class("cleaners", "trim_strings", [module]) is TrimStrings


def test_a_kind_that_ships_is_not_replaced(module: ModuleType) -> None:
    class Mine(Step):
        kind: Any = "trim_strings"

    Mine.__module__ = module.__name__
    vars(module)["Mine"] = Mine
    assert kind_class("cleaners", "trim_strings", [module]) is TrimStrings


def test_a_union_tells_kinds_apart() -> None:
    adapter = TypeAdapter[Any](union_of("cleaners"))
    assert adapter.validate_python({"kind": "trim_strings"}) == TrimStrings()
    with pytest.raises(ValidationError, match="whisper"):
        adapter.validate_python({"kind": "whisper"})


def test_a_folder_of_one_kind_is_that_kind() -> None:
    assert union_of("sinks") is load_kind("sinks", "parquet")


def test_one_kind_is_loaded_without_the_others_and_without_what_they_need() -> None:
    script = (
        "import sys\nfrom scoreline.catalogue import kind_class, kinds\n"
        "kind_class('cleaners', 'trim_strings'), kinds('models')\n"
        "print(*sorted(name for name in sys.modules if name.startswith('scoreline.cleaners.')))\n"
        "print('sklearn' in sys.modules, 'pandas' in sys.modules, 'dask' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded, heavy = done.stdout.splitlines()
    public = [name for name in loaded.split() if not name.rpartition(".")[2].startswith("_")]
    assert public == ["scoreline.cleaners.base", "scoreline.cleaners.trim_strings"]
    assert heavy == "False False False"
