"""What a run says: one line per event for a person, the same as JSON for machines, and the record of how it ended."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import TYPE_CHECKING, Any, Literal

from scoreline.errors import Problem, StorageError, printable
from scoreline.runs.progress import Display, LiveDisplay, Pace, PlainDisplay, clock
from scoreline.storage import is_s3, replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TextIO

    from scoreline.runs.folder import RunFolder

Level = Literal["debug", "info", "warning", "error"]

_LEVELS: tuple[Level, ...] = ("debug", "info", "warning", "error")
_UPLOAD_SECONDS = 10.0
_PACKAGES = ("scoreline", "dask", "distributed", "dask-ml", "pyarrow", "pandas", "numpy", "scikit-learn", "s3fs")


class Journal:
    """Tells a person and the run folder what happens.

    Every event is a line on `stream` and in ``log.txt``, and an object in ``events.jsonl``. Without a folder nothing
    is written to disk. Files of a run on S3 are kept in a temporary folder and uploaded about every ten seconds, and
    at the end. Events above the level "debug" never carry values of the data.
    """

    def __init__(
        self,
        folder: RunFolder | None = None,
        *,
        name: str = "",
        command: Sequence[str] = (),
        level: Level = "info",
        as_json: bool = False,
        stream: TextIO | None = None,
    ) -> None:
        self.folder = folder
        self._stream = sys.stderr if stream is None else stream
        self._level = level
        self._as_json = as_json
        self._started = datetime.now(UTC)
        self._record: dict[str, Any] = {"run": folder.run_id if folder else None, "name": name}
        self._record |= {"command": list(command), "versions": versions()}
        self._seconds: dict[str, float] = {}
        self._paces: dict[str, Pace] = {}
        self._display: Display = self._suited_display()
        self._files = None if folder is None else _Files(folder)
        self._write_record("running", None)

    def event(self, name: str, message: str, *, level: Level = "info", **fields: Any) -> None:
        """Tell one thing that happened; `fields` are small JSON values for machines."""
        if _LEVELS.index(level) >= _LEVELS.index(self._level):
            self._tell(level, _line(level, message), {"event": name, "message": message, **fields})

    def problem(self, problem: Problem) -> None:
        """Tell what went wrong in three lines: what, where, what to do."""
        told = {"event": "problem", "message": problem.what, "where": problem.where, "advice": problem.advice}
        self._tell("error", str(problem), told)

    def _tell(self, level: Level, as_text: str, told: dict[str, Any]) -> None:
        stamped = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "level": level, **told}
        as_json = json.dumps(stamped, ensure_ascii=False, default=str)
        self._display.line(as_json if self._as_json else as_text)
        if self._files is not None:
            self._files.append(as_json, as_text)

    def debug(self, name: str, message: str, **fields: Any) -> None:
        """Tell a detail, which may hold values of the data; dropped unless the level is "debug"."""
        self.event(name, message, level="debug", **fields)

    def warning(self, name: str, message: str, **fields: Any) -> None:
        """Tell something that a person should look at."""
        self.event(name, message, level="warning", **fields)

    def progress(self, stage: str, done_rows: int, total_rows: int) -> None:
        """Tell how far a stage is. Call it when the stage begins, with what is done already, and after every unit."""
        now = clock()
        known = self._paces.get(stage)
        if known is not None and known.total == total_rows and known.finished and done_rows:
            # The stage goes over its rows again; it began to when the last time ended.
            known = Pace(stage, total_rows, 0, 0, known.now, known.now)
        elif known is None or known.finished or known.total != total_rows:
            known = Pace(stage, total_rows, done_rows, done_rows, now, now)
        self._paces[stage] = known.at(done_rows, now)
        self._display.show(self._paces[stage])

    @contextmanager
    def stage(self, name: str, message: str) -> Iterator[None]:
        """Tell that a stage begins and, when it is done, how long it took; the seconds go into the record."""
        self.event("stage_started", message, stage=name)
        started = clock()
        try:
            yield
        finally:
            self._seconds[name] = round(self._seconds.get(name, 0.0) + clock() - started, 3)
        self.event(
            "stage_finished", f"{name} done in {self._seconds[name]:.1f} s", stage=name, seconds=self._seconds[name]
        )

    def record(self, **facts: Any) -> None:
        """Add facts to ``run.json``, such as ``keys`` and ``rows``; an object is merged into what is there."""
        for key, value in facts.items():
            known = self._record.get(key)
            self._record[key] = {**known, **value} if isinstance(known, dict) and isinstance(value, dict) else value

    def close(self, status: str, exit_code: int = 0) -> None:
        """Write ``run.json`` and whatever is not written yet. Raises StorageError."""
        self._display.close()
        self._write_record(status, exit_code)
        if self._files is not None:
            self._files.close()

    def _write_record(self, status: str, exit_code: int | None) -> None:
        if self.folder is None:
            return
        finished = None if exit_code is None else datetime.now(UTC).isoformat(timespec="seconds")
        started = self._started.isoformat(timespec="seconds")
        state = {"status": status, "exit_code": exit_code, "started": started, "finished": finished}
        record = {**self._record, **state, "seconds": self._seconds}
        replace(self.folder.record, json.dumps(record, indent=2, ensure_ascii=False, default=str).encode() + b"\n")

    def _suited_display(self) -> Display:
        plain = self._as_json or not self._stream.isatty() or "CI" in os.environ or os.environ.get("TERM") == "dumb"
        return PlainDisplay(self._stream, self._tell_pace) if plain else LiveDisplay(self._stream)

    def _tell_pace(self, pace: Pace) -> None:
        known: dict[str, Any] = {
            "rows": pace.done,
            "of": pace.total,
            "rate": pace.rate,
            "seconds_left": pace.seconds_left,
        }
        self.event("progress", f"{pace.stage}: {pace}", stage=pace.stage, **known)


class _Files:
    """``events.jsonl`` and ``log.txt`` of a run: appended to where they lie, or kept here and uploaded now and then."""

    def __init__(self, folder: RunFolder) -> None:
        self._uris = (folder.events, folder.log)
        for uri in self._uris:
            replace(uri, b"")
        self._spool = tempfile.TemporaryDirectory(prefix="scoreline-") if is_s3(folder.root) else None
        self._paths = [
            Path(uri) if self._spool is None else Path(self._spool.name, Path(uri).name) for uri in self._uris
        ]
        self._uploaded = clock()

    def append(self, *lines: str) -> None:
        for path, line in zip(self._paths, lines, strict=True):
            try:
                with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
                    file.write(line + "\n")
            except OSError as error:
                what = f"the log cannot be written: {error.strerror}"
                raise StorageError(Problem(what, str(path), "make room or give permission, then run again")) from error
        if self._spool is not None and clock() - self._uploaded >= _UPLOAD_SECONDS:
            self._upload()

    def close(self) -> None:
        if self._spool is not None:
            self._upload()
            self._spool.cleanup()

    def _upload(self) -> None:
        for path, uri in zip(self._paths, self._uris, strict=True):
            if path.exists():
                replace(uri, path.read_bytes())
        self._uploaded = clock()


def _line(level: Level, message: str) -> str:
    """An event as a person reads it; what a terminal would obey is spelled out."""
    told = "" if level in ("info", "debug") else f"{level}: "
    return f"{datetime.now().astimezone():%H:%M:%S}  {told}{printable(message)}"


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that results depend on, without importing them."""
    found = {"python": python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
