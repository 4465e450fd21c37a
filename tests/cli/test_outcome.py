import gc
import io
import json
import shutil
import signal
import sys
import time
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer

from scoreline.cli.outcome import Outcome
from scoreline.errors import BudgetError, DataError, Problem, ScorelineError
from scoreline.garbage import uncollected
from scoreline.own_modules import import_modules, read_modules
from scoreline.runs import Journal, RunFolder


class Found:
    def as_json(self) -> dict[str, Any]:
        return {"rows": 3, "city": "São Paulo"}

    def lines(self) -> list[str]:
        return ["3 rows", "of São Paulo"]


def ended(error: BaseException, *, as_json: bool = False, debug: bool = False, journal: Journal | None = None) -> int:
    outcome = Outcome(as_json=as_json, debug=debug)
    outcome.journal = journal
    with pytest.raises(typer.Exit) as caught, outcome:
        raise error
    return caught.value.exit_code


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(RunFolder(str(tmp_path), "run"), stream=io.StringIO())


def record(tmp_path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((tmp_path / "runs" / "run" / "run.json").read_text("utf-8"))
    return found


def test_a_result_is_lines_or_json_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    Outcome().show(Found())
    assert capsys.readouterr().out == "3 rows\nof São Paulo\n"
    Outcome(as_json=True).show(Found())
    assert json.loads(capsys.readouterr().out) == Found().as_json()


@pytest.mark.parametrize(
    ("error", "code"), [(DataError(Problem("a")), 3), (BudgetError(Problem("a")), 8), (KeyboardInterrupt(), 130)]
)
def test_an_error_ends_with_its_own_code(error: BaseException, code: int) -> None:
    assert ended(error) == code


def test_every_problem_is_three_lines_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    ended(ScorelineError(Problem("no file", "data/", "check the path"), Problem("no rows", "b.csv", "add some")))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[:3] == ["no file", "  where: data/", "  do:    check the path"]
    assert len(err.splitlines()) == 6


def test_problems_are_json_on_stdout_when_results_would_be(capsys: pytest.CaptureFixture[str]) -> None:
    ended(DataError(Problem("no file", "data/", "check")), as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told == {"exit_code": 3, "problems": [{"what": "no file", "where": "data/", "advice": "check"}]}


def test_a_bug_is_told_without_its_message_which_may_hold_data(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(ValueError("could not convert 'Maria Silva'")) == 1
    told = capsys.readouterr().err
    assert "Maria" not in told
    assert "a bug: ValueError at " in told
    assert "run again with --debug" in told


def test_the_message_of_the_operating_system_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    ended(OSError(71, "Protocol error"))
    assert "Protocol error" in capsys.readouterr().err


def test_what_the_machine_refuses_is_no_bug(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(OSError(28, "No space left on device", "/data/unit.parquet")) == 5
    assert capsys.readouterr().err.splitlines()[:2] == ["no space is left", "  where: /data/unit.parquet"]


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_output_that_knows_few_characters_gets_escaped_json(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    Outcome(as_json=True).show(Found())
    sys.stdout.flush()
    assert json.loads(written.getvalue()) == Found().as_json()


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    ended(ValueError("could not convert"), debug=True)
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_sigterm_ends_like_ctrl_c_and_the_old_handler_comes_back(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(typer.Exit) as caught, Outcome():
        signal.raise_signal(signal.SIGTERM)
    assert caught.value.exit_code == 143
    assert "the same command goes on" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(("level", "told"), [("info", False), ("debug", True)])
@pytest.mark.filterwarnings("default")
def test_warnings_of_libraries_are_details(tmp_path: Path, level: Any, told: bool) -> None:
    stream = io.StringIO()
    with Outcome() as outcome:
        outcome.journal = Journal(RunFolder(str(tmp_path), "run"), level=level, stream=stream)
        warnings.warn("odd value 'Maria'", UserWarning, stacklevel=1)
    assert ("odd value 'Maria'" in stream.getvalue()) is told


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(DataError(Problem("a")), "failed", 3), (KeyboardInterrupt(), "interrupted", 130), (KeyError("a"), "failed", 1)],
)
def test_the_record_of_the_run_tells_how_it_ended(
    journal: Journal, tmp_path: Path, error: BaseException, status: str, code: int
) -> None:
    ended(error, journal=journal)
    assert (record(tmp_path)["status"], record(tmp_path)["exit_code"]) == (status, code)


def test_a_good_end_is_recorded_too(journal: Journal, tmp_path: Path) -> None:
    with Outcome() as outcome:
        outcome.journal = journal
    assert (record(tmp_path)["status"], record(tmp_path)["exit_code"]) == ("done", 0)


def test_problems_of_a_run_are_in_its_log(journal: Journal, tmp_path: Path) -> None:
    ended(DataError(Problem("no file", "data/", "check the path")), journal=journal)
    assert "no file\n  where: data/\n  do:    check the path\n" in (tmp_path / "runs/run/log.txt").read_text("utf-8")


def test_a_record_that_cannot_be_written_does_not_hide_the_error(
    journal: Journal, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record_file = tmp_path / "runs" / "run" / "run.json"
    record_file.unlink()
    record_file.mkdir()
    (record_file / "in the way").touch()
    assert ended(DataError(Problem("no file")), journal=journal) == 3
    assert "run.json" in capsys.readouterr().err


def test_a_log_that_cannot_be_written_does_not_hide_the_error(journal: Journal, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "runs" / "run")
    assert ended(DataError(Problem("no file")), journal=journal) == 3
    assert isinstance(journal._stream, io.StringIO)
    assert journal._stream.getvalue().startswith("no file")


OWN = """
from scoreline.cleaners import base
def fail():
    raise ValueError("could not convert Maria")
"""


def test_an_exception_of_an_own_module_is_told_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own_module_that_fails.py").write_text(OWN)
    (module,) = import_modules(read_modules([tmp_path / "own_module_that_fails.py"]))
    with pytest.raises(typer.Exit) as caught, Outcome():
        module.fail()
    told = capsys.readouterr().err
    assert caught.value.exit_code == 2
    assert f"where: {tmp_path / 'own_module_that_fails.py'}:4" in told
    assert "Maria" not in told


def test_a_method_that_an_own_kind_lacks_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "own_module_without_methods.py").write_text(OWN)
    (module,) = import_modules(read_modules([tmp_path / "own_module_without_methods.py"]))
    with pytest.raises(typer.Exit) as caught, Outcome():
        module.base.Step(kind="half").apply(None)
    assert caught.value.exit_code == 2
    assert "does not define the method 'apply'" in capsys.readouterr().err


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_that_comes_while_python_collects_garbage_is_not_lost(sent: signal.Signals, code: int) -> None:
    left, before = [sent], sys.unraisablehook

    def collecting(_phase: str, _info: dict[str, int]) -> None:
        if left:
            signal.raise_signal(left.pop())

    # Not before the signals are heard.
    with uncollected():
        try:
            with pytest.raises(typer.Exit) as caught, Outcome():  # noqa: PT012  (these steps are the case)
                gc.callbacks.append(collecting)
                gc.collect()
                time.sleep(5)
        finally:
            gc.callbacks.remove(collecting)
    assert caught.value.exit_code == code
    assert (left, sys.unraisablehook) == ([], before)


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_waits_for_the_end_of_an_import(
    sent: signal.Signals, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slowly.py").write_text(
        f"import signal, time\nsignal.raise_signal({sent})\ntime.sleep(0.1)\nwhole = 1\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "slowly", raising=False)
    with pytest.raises(typer.Exit) as caught, Outcome():  # noqa: PT012  (two steps are the case)
        import slowly  # type: ignore[import-not-found]

        time.sleep(5)
    assert (caught.value.exit_code, slowly.whole) == (code, 1)


def test_an_import_that_hangs_does_not_keep_signals_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sending = f"signal.raise_signal({signal.SIGTERM})\nsignal.raise_signal({signal.SIGINT})"
    hanging = f"import signal, time\n{sending}\nfor _ in range(600):\n    time.sleep(0.05)\n"
    (tmp_path / "hanging.py").write_text(hanging)
    monkeypatch.syspath_prepend(tmp_path)
    started = time.monotonic()
    with pytest.raises(typer.Exit) as caught, Outcome():
        import_module("hanging")
    assert caught.value.exit_code == 143
    assert 1 < time.monotonic() - started < 20
