import ast
import subprocess
import sys
from pathlib import Path


def test_imports_keep_the_contracts_of_pyproject(root: Path) -> None:
    # A process of its own, since the tool sets logging up anew and silences all loggers that are there.
    linter = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(linter, check=False, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_module_is_a_drawer_for_odds_and_ends(sources: dict[Path, ast.Module]) -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert [path for path in sources if drawers & {part.removesuffix(".py").strip("_") for part in path.parts}] == []
