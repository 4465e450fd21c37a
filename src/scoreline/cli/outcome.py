"""How a command ends: its result on stdout, its problems on stderr, its exit code for the scheduler."""

from __future__ import annotations

import errno
import json
import signal
import sys
import threading
import time
import traceback
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, Self

import typer

from scoreline.cli.printing import say
from scoreline.errors import Problem, ScorelineError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import CodeType, FrameType, TracebackType
    from typing import TextIO

    from scoreline.runs import Journal


_PACKAGE = f"{Path(__file__).parents[2]}/"


_OF_THE_MACHINE = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EIO,
    errno.EROFS,
    errno.EACCES,
    errno.EMFILE,
    errno.ENOTDIR,
)
"""What disks and limits of the machine refuse, wherever it happens."""

_IMPORTS = "<frozen importlib._bootstrap>"
_AGAIN_S = 0.02
"""After so long a signal comes again that could not be heard."""

_PATIENCE_S = 3.0
"""How long an import may go on after a signal: those of libraries take less, and what hangs must end."""


class Result(Protocol):
    """What a command found out."""

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        ...

    def lines(self) -> list[str]:
        """As lines to read."""
        ...


class Terminated(KeyboardInterrupt):
    """The process was asked to end by SIGTERM; it ends as after Ctrl-C."""


class Outcome:
    """A ``with`` block around the work of a command; every way of leaving it ends in an exit code.

    Set `journal` as soon as there is one: it is closed, and told what went wrong. Warnings of libraries are details,
    which may hold values of the data: they are told at the level "debug".
    """

    def __init__(self, *, as_json: bool = False, debug: bool = False) -> None:
        self.journal: Journal | None = None
        self._as_json = as_json
        self._debug = debug
        self._handlers: dict[signal.Signals, Any] = {}
        self._hook = sys.unraisablehook
        self._later = threading.Timer(0, int)
        self._interrupt = _Interrupt()
        self._warnings = warnings.catch_warnings()

    def show(self, result: Result) -> None:
        """Print the result of the command on stdout; what it has done is done, whoever reads it."""
        text = _as_json(result.as_json()) if self._as_json else "\n".join(result.lines())
        try:
            say(text)
        except BrokenPipeError:
            self._close("done", 0)
            raise

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._handlers[signal.SIGTERM] = signal.signal(signal.SIGTERM, self._interrupt)
            # Who does not hear Ctrl-C, as in the background of a shell, stays deaf.
            if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
                self._handlers[signal.SIGINT] = signal.signal(signal.SIGINT, self._interrupt)
            sys.unraisablehook = self._raise_again
        self._warnings.__enter__()
        warnings.showwarning = self._tell_warning
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._warnings.__exit__(kind, error, trace)
        if self._handlers:
            # What is sent now would find nobody who handles it.
            self._later.cancel()
            self._interrupt.cancel()
            for signum, handler in self._handlers.items():
                signal.signal(signum, handler)
            sys.unraisablehook = self._hook
        if error is None:
            self._close("done", 0)
        elif not isinstance(error, (typer.Exit, SystemExit, BrokenPipeError)):
            self._fail(error)

    def _fail(self, error: BaseException) -> NoReturn:
        problems, code = _explained(error, self._log())
        if self._debug:
            traceback.print_exception(error)
        for problem in problems:
            self._tell(problem)
        if self._as_json:
            told = [{"what": p.what, "where": p.where, "advice": p.advice} for p in problems]
            # stderr has been told.
            with suppress(StorageError, BrokenPipeError):
                say(_as_json({"exit_code": code, "problems": told}))
        self._close("interrupted" if isinstance(error, KeyboardInterrupt) else "failed", code)
        raise typer.Exit(code)

    def _raise_again(self, ignored: sys.UnraisableHookArgs) -> None:
        """Have a signal come once more that came where Python cannot raise it, as in a callback of its collector."""
        if issubclass(ignored.exc_type, KeyboardInterrupt):
            self._later = _send_again(signal.SIGTERM if issubclass(ignored.exc_type, Terminated) else signal.SIGINT)
        else:
            self._hook(ignored)

    def _tell_warning(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if self.journal is not None:
            self.journal.debug("warning", f"{category.__name__} of {Path(filename).name}:{lineno}: {message}")

    def _tell(self, problem: Problem) -> None:
        if self.journal is None:
            print(problem, file=sys.stderr)
        else:
            # The terminal is told first; a log that cannot be written must not hide the problem.
            with suppress(StorageError):
                self.journal.problem(problem)

    def _close(self, status: str, code: int) -> None:
        if self.journal is None:
            return
        try:
            self.journal.close(status, code)
        except StorageError as error:
            print(error, file=sys.stderr)
            raise typer.Exit(code or error.exit_code) from None

    def _log(self) -> str:
        folder = None if self.journal is None else self.journal.folder
        return "" if folder is None else folder.log


def _as_json(found: Any) -> str:
    """JSON for stdout; escaped where stdout cannot say everything."""
    everything = (sys.stdout.encoding or "").lower().startswith("utf")
    return json.dumps(found, indent=2, ensure_ascii=not everything, default=str)


class _Interrupt:
    """Raises for Ctrl-C or SIGTERM; later while a module is imported, since that may leave the lock of imports held.

    Of signals that come meanwhile the first one counts.
    """

    def __init__(self) -> None:
        self._first: int | None = None
        self._since = 0.0
        self._again = threading.Timer(0, int)

    def cancel(self) -> None:
        """Forget what is still to come again."""
        self._again.cancel()

    def __call__(self, signum: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        if self._first is None:
            self._first, self._since = signum, time.monotonic()
        self._again.cancel()
        waited = time.monotonic() - self._since
        if waited < _PATIENCE_S and any(code.co_filename == _IMPORTS for code in _codes(frame)):
            self._again = _send_again(signum)
            return
        first, self._first = self._first, None
        raise Terminated if first == signal.SIGTERM else KeyboardInterrupt


def _codes(frame: FrameType | None) -> Iterator[CodeType]:
    while frame is not None:
        yield frame.f_code
        frame = frame.f_back


def _send_again(signum: int) -> threading.Timer:
    timer = threading.Timer(_AGAIN_S, _send, [signum])
    timer.daemon = True
    timer.start()
    return timer


def _send(signum: int) -> None:
    """Have the main thread handle a signal, also where it sleeps; it is dropped where nobody handles it any more."""
    number = threading.main_thread().ident
    if callable(signal.getsignal(signum)) and number is not None:
        signal.pthread_kill(number, signum)


def _explained(error: BaseException, log: str) -> tuple[tuple[Problem, ...], int]:
    """What to say about an exception, and the exit code."""
    if isinstance(error, ScorelineError):
        return error.problems, error.exit_code
    again = "the same command goes on where it stopped"
    if isinstance(error, Terminated):
        return (Problem("stopped by SIGTERM", log, again),), 143
    if isinstance(error, KeyboardInterrupt):
        return (Problem("stopped by Ctrl-C", log, again),), 130
    if isinstance(error, OSError) and error.errno in _OF_THE_MACHINE:
        from scoreline.storage.failures import translate

        return translate(error, str(error.filename or log)).problems, StorageError.exit_code
    from scoreline.own_modules import imported_files

    own = imported_files()
    theirs = _own_code(error, own)
    return ((_bug(error, log, own),), 1) if theirs is None else ((theirs,), 2)


def _own_code(error: BaseException, own: Sequence[str]) -> Problem | None:
    """What to say about an exception of the user's own module; None for one that has nothing to do with it."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        place = f"{frame.filename}:{frame.lineno}"
        if frame.filename in own:
            what = f"{frame.name} of an own module raised {type(error).__name__}"
            return Problem(what, place, "mend the module; run again with --debug for the traceback")
        if frame.filename.startswith(_PACKAGE):
            if not own or not isinstance(error, NotImplementedError):
                return None
            what = f"a kind of an own module does not define the method '{frame.name}'"
            return Problem(what, ", ".join(own), f"define it as {frame.filename.removeprefix(_PACKAGE)} describes it")
    return None


def _bug(error: BaseException, log: str, own: Sequence[str]) -> Problem:
    """An exception nobody expected. Its message is told only where it cannot hold values of the data."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith(_PACKAGE)] or frames
    place = f" at {ours[-1].filename.removeprefix(_PACKAGE)}:{ours[-1].lineno}" if ours else ""
    message = f": {error}" if isinstance(error, (OSError, ImportError)) else ""
    what = f"a bug: {type(error).__name__}{place}{message}"
    report = f"see whether {', '.join(own)} returns what its base classes ask for, or" if own else "and"
    return Problem(what, log, f"run again with --debug for the traceback, {report} report it")
