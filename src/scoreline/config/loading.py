"""From a file and the options of the command line to one checked config."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from scoreline.catalogue import FOLDERS, kinds, own_kinds
from scoreline.config.combinations import cross_faults
from scoreline.config.faults import faults_of
from scoreline.config.models import JobConfig, placed
from scoreline.config.overrides import Origin, merge, parse_override
from scoreline.config.positions import MAX_BYTES, decode_json
from scoreline.errors import Problem, ScorelineError, UsageError
from scoreline.own_modules import import_modules, read_modules
from scoreline.storage import is_s3, read_bytes, size

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from scoreline.config.faults import Fault
    from scoreline.config.overrides import Override


def load_config(path: str | Path, overrides: Sequence[str] = (), modules: Sequence[Path] = ()) -> JobConfig:
    """Read a config, apply ``--set`` overrides, import own modules, and check all that can be checked without data.

    Raises UsageError with every problem found, each with its place in the file or the override that caused it.
    """
    own = import_modules(read_modules(modules))
    _refuse_taken_names(own)
    document = decode_json(_content(str(path)), str(path))
    origin = Origin(document, _parsed(overrides))
    return build_config(merge(document.value, origin.overrides), origin, own)


def _refuse_taken_names(modules: Sequence[ModuleType]) -> None:
    """An own kind with the name of one that ships would never be used."""
    problems = [
        Problem(f'"{kind}" is a kind that ships', f"{found.__module__}.{found.__name__}", "give yours another name")
        for folder in FOLDERS
        for kind, found in own_kinds(folder, modules).items()
        if kind in kinds(folder)
    ]
    if problems:
        raise UsageError(*problems)


def build_config(config: Any, origin: Origin, modules: Sequence[ModuleType] = ()) -> JobConfig:
    """The job that JSON values describe; touches neither disk nor network. Raises UsageError with all problems."""
    job, faults = None, []
    try:
        job = JobConfig.model_validate_json(json.dumps(config), strict=True, context={"modules": modules})
    except ValidationError as error:
        faults = faults_of(error, config, modules)
    faults += cross_faults(config, modules)
    if job is None or faults:
        raise UsageError(*_problems(faults, origin))
    return placed(job, origin)


def _problems(faults: Sequence[Fault], origin: Origin) -> list[Problem]:
    """The faults in the order in which a reader of the file meets them; those of overrides come last."""

    def order(fault: Fault) -> tuple[bool, int, int]:
        place = origin.document.place(fault.path)
        return origin.override_of(fault.path) is not None, place.line, place.column

    ordered = sorted(faults, key=order)
    return list(dict.fromkeys(Problem(fault.what, origin.where(fault.path), fault.advice) for fault in ordered))


def _parsed(texts: Sequence[str]) -> tuple[Override, ...]:
    found: list[Override] = []
    problems: list[Problem] = []
    for text in texts:
        try:
            found.append(parse_override(text))
        except UsageError as error:
            problems += error.problems
    if problems:
        raise UsageError(*problems)
    return tuple(found)


def _content(path: str) -> bytes:
    if is_s3(path):
        return _content_on_s3(path)
    try:
        with Path(path).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise UsageError(Problem("there is no such config", path, _similar(Path(path)))) from None
    except OSError as error:
        what = f"the config cannot be read: {(error.strerror or str(error)).lower()}"
        raise UsageError(Problem(what, path, "give the path of a JSON file that you may read")) from error


def _content_on_s3(uri: str) -> bytes:
    try:
        return read_bytes(uri) if size(uri) <= MAX_BYTES else bytes(MAX_BYTES + 1)
    except ScorelineError as error:
        raise UsageError(*error.problems) from error


def _similar(path: Path) -> str:
    """The nearest JSON file in the same folder, or how to make a first config."""
    try:
        names = [entry.name for entry in path.parent.iterdir() if entry.suffix == ".json"]
    except OSError:
        return f"there is no folder {path.parent} either; paths start at the current folder"
    close = difflib.get_close_matches(path.name, names, n=1)
    return f"did you mean {path.with_name(close[0])}?" if close else "write one with: scoreline init DATA --yes"
