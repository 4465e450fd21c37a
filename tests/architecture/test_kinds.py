"""``kind: parse_dates`` is cleaners/parse_dates.py is class ParseDates is tests/cleaners/test_parse_dates.py."""

import ast
from pathlib import Path

import grimp
import pytest

from scoreline.catalogue import class_name, kinds, load_kind

FOLDERS = ("sources", "cleaners", "transformers", "models", "metrics", "sinks", "clusters")
KINDS = [(folder, kind) for folder in FOLDERS for kind in kinds(folder)]


@pytest.mark.parametrize(("folder", "kind"), KINDS)
def test_the_class_of_a_kind_carries_its_name(folder: str, kind: str) -> None:
    assert load_kind(folder, kind).model_fields["kind"].default == kind


@pytest.mark.parametrize(("folder", "kind"), KINDS)
def test_the_file_of_a_kind_holds_one_public_class(folder: str, kind: str, sources: dict[Path, ast.Module]) -> None:
    body = sources[Path("src/scoreline", folder, f"{kind}.py")].body
    public = [node.name for node in body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    assert public == [class_name(kind)]


@pytest.mark.parametrize(("folder", "kind"), KINDS)
def test_a_kind_has_its_own_tests(folder: str, kind: str, root: Path) -> None:
    assert (root / "tests" / folder / f"test_{kind}.py").is_file()


@pytest.mark.parametrize(("folder", "kind"), KINDS)
def test_every_option_of_a_kind_is_described(folder: str, kind: str) -> None:
    fields = load_kind(folder, kind).model_fields
    assert [name for name, field in fields.items() if name != "kind" and not field.description] == []


def test_nothing_beside_a_kind_imports_it() -> None:
    graph = grimp.build_graph("scoreline", exclude_type_checking_imports=True, cache_dir=None)
    for folder in FOLDERS:
        shipped = {f"scoreline.{folder}.{kind}" for kind in kinds(folder)}
        imported = {
            module: graph.find_modules_directly_imported_by(module)
            for module in graph.find_children(f"scoreline.{folder}")
        }
        assert {module: found & shipped for module, found in imported.items() if found & shipped} == {}
