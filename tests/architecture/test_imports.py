import ast
from pathlib import Path

from importlinter.cli import lint_imports


def test_imports_keep_the_contracts_of_pyproject(root: Path) -> None:
    assert lint_imports(config_filename=str(root / "pyproject.toml"), no_cache=True) == 0


def test_no_module_is_a_drawer_for_odds_and_ends(sources: dict[Path, ast.Module]) -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert [path for path in sources if drawers & {part.removesuffix(".py").strip("_") for part in path.parts}] == []
