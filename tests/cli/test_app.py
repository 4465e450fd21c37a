import subprocess
import sys
import time
from importlib.metadata import version

import pytest
from typer.testing import CliRunner

from scoreline.cli.app import app

COMMANDS = ("demo", "init", "check", "run", "train", "evaluate", "predict", "config")
HEAVY = ("dask", "distributed", "numpy", "pandas", "pyarrow", "pydantic", "s3fs", "sklearn")


def scoreline(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout, result.stderr


def test_help_names_every_command() -> None:
    code, out, _ = scoreline("--help")
    assert code == 0
    assert all(f"  {command} " in out for command in COMMANDS)


def test_help_imports_nothing_heavy() -> None:
    script = f"import sys; from scoreline.cli.app import app; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_help_is_quick() -> None:
    def quickest(*arguments: str) -> float:
        seconds = []
        for _ in range(3):
            started = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
            seconds.append(time.perf_counter() - started)
        return min(seconds)

    # Most of it is typer; machines differ.
    assert quickest("-m", "scoreline", "--help") < max(0.5, 3 * quickest("-c", "import typer"))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_its_options(command: str) -> None:
    code, out, _ = scoreline(command, "--help")
    assert code == 0
    assert "--help" in out


def test_version_is_that_of_the_package() -> None:
    assert scoreline("--version") == (0, f"scoreline {version('scoreline')}\n", "")


def test_an_unknown_command_gets_the_nearest_one() -> None:
    code, out, err = scoreline("perdict", "job.json")
    assert (code, out) == (2, "")
    assert "'predict'" in err


@pytest.mark.parametrize("arguments", [["run"], ["run", "a", "b"], ["run", "--sett", "a=1"], ["demo", "--rows", "x"]])
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    code, out, err = scoreline(*arguments)
    assert (code, out) == (2, "")
    assert "Error" in err


@pytest.mark.parametrize("command", ["check", "run", "train", "evaluate", "predict"])
def test_a_config_that_is_not_there_is_told_in_three_lines(command: str) -> None:
    code, out, err = scoreline(command, "no-such.json")
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        "there is no such config",
        "  where: no-such.json",
        "  do:    write one with: scoreline init DATA --yes",
    ]
