"""The package as the tests of its architecture see it: paths and syntax trees, nothing run."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder that holds pyproject.toml."""
    return ROOT


@pytest.fixture(scope="session")
def sources() -> dict[Path, ast.Module]:
    """Every module of the package with its syntax tree, by path relative to the repository."""
    paths = sorted((ROOT / "src" / "scoreline").rglob("*.py"))
    return {path.relative_to(ROOT): ast.parse(path.read_text("utf-8")) for path in paths}
