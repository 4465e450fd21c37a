"""Plans: the immutable record of what a run scores and with what, under the key that follows from it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scoreline.dataset.claims import claim
from scoreline.dataset.receipts import no_answer
from scoreline.errors import DataError, Problem, StorageError
from scoreline.keys import digest
from scoreline.storage import Created, create, read_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scoreline.dataset.layout import Layout

_SHOWN, _SHORT = 5, 60
_SAID_OTHERWISE = ("arrow_schema",)
"""What differs only where something else differs, too, and says nothing to a person."""


@dataclass(frozen=True)
class RunPlan:
    """What a run scores, wherever the data lie.

    Attributes
    ----------
    recipe : what decides the prediction of a row besides the row: model, contract, cleaning, options
    files : relative path, size and stamp of each input file
    units : names of the units that are scored, in order
    adopted : hashes of files that the run takes over from others as they are
    rows, size : of all units to score: records, and bytes to read
    """

    recipe: Mapping[str, Any]
    files: tuple[tuple[str, int, str], ...]
    units: tuple[str, ...]
    rows: int
    size: int
    adopted: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The score_key."""
        return digest(self._identity)

    @property
    def _identity(self) -> dict[str, Any]:
        said = {"recipe": self.recipe, "files": self.files, "units": self.units}
        return {**said, "adopted": self.adopted} if self.adopted else said

    def as_bytes(self) -> bytes:
        """The plan as it is stored."""
        said = {**self._identity, "adopted": self.adopted, "rows": self.rows, "size": self.size}
        return json.dumps(said, indent=1, sort_keys=True).encode()


def begin(layout: Layout, plan: RunPlan) -> None:
    """Claim the run and keep its plan in the store; one that is there is the same.

    Raises StorageError when the store gives no answer, ConflictError when the run is being collected.
    """
    claim(layout)
    if create(layout.plan, plan.as_bytes()) is Created.UNKNOWN:
        raise StorageError(no_answer(layout.plan))


def read_plan(layout: Layout) -> RunPlan | None:
    """The plan of a run; None when it was collected. Raises StorageError when it is damaged."""
    try:
        stored = read_json(layout.plan)
    except DataError:
        return None
    try:
        files = tuple((path, size, stamp) for path, size, stamp in stored["files"])
        units, adopted = tuple(stored["units"]), tuple(stored["adopted"])
        return RunPlan(stored["recipe"], files, units, stored["rows"], stored["size"], adopted)
    except (TypeError, KeyError, ValueError) as error:
        problem = Problem("the plan of a run is damaged", layout.plan, "restore it from a copy")
        raise StorageError(problem) from error


def differences(old: RunPlan, new: RunPlan, *, files: bool = True) -> list[str]:
    """Why a run is another one: what changed from one plan to the other, a sentence each; input files if asked for.

    >>> before = RunPlan({"model": "a", "options": {"proba": False}}, (("x", 1, "0"),), ("u",), 1, 1)
    >>> after = RunPlan({"model": "b", "options": {"proba": True}}, (("x", 2, "0"), ("y", 1, "0")), ("u",), 1, 1)
    >>> differences(before, after)
    ['model was "a", is "b"', 'options.proba was false, is true', '1 input file is new: y', '1 input file changed: x']
    """
    return [*_recipe_changes(old.recipe, new.recipe), *(_file_changes(old, new) if files else ())]


def _recipe_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for part in sorted({*old, *new}):
        found = list(_leaves((part,), _plain(old.get(part)), _plain(new.get(part))))
        shown = [change for path, change in found if path[-1] not in _SAID_OTHERWISE] or [change for _, change in found]
        yield from shown[:_SHOWN]
        if len(shown) > _SHOWN:
            yield f"{len(shown) - _SHOWN} more changes of {part}"


def _plain(value: Any) -> Any:
    """The value as JSON brings it back."""
    return json.loads(json.dumps(value, default=str))


def _leaves(path: tuple[str, ...], before: Any, after: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    """The places below a path where two JSON values differ, each with a sentence."""
    if before == after:
        return
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        before, after = ({str(number): value for number, value in enumerate(values)} for values in (before, after))
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted({*before, *after}):
            yield from _leaves((*path, name), before.get(name), after.get(name))
    else:
        yield path, _change(".".join(path), before, after)


def _change(name: str, before: Any, after: Any) -> str:
    short = all(isinstance(value, (str, int, float, bool, type(None))) for value in (before, after))
    if short and len(f"{before}{after}") < _SHORT:
        return f"{name} was {json.dumps(before)}, is {json.dumps(after)}"
    return f"{name} changed"


def _file_changes(old: RunPlan, new: RunPlan) -> Iterator[str]:
    before, after = ({path: (size, stamp) for path, size, stamp in plan.files} for plan in (old, new))
    yield from _files([path for path in after if path not in before], "new")
    yield from _files([path for path in after if path in before and before[path] != after[path]], "changed")
    yield from _files([path for path in before if path not in after], "gone")


def _files(paths: list[str], how: str) -> Iterator[str]:
    if paths:
        more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
        are = {"changed": "changed"}.get(how, f"{'is' if len(paths) == 1 else 'are'} {how}")
        yield f"{len(paths):,} input file{'s' * (len(paths) > 1)} {are}: {', '.join(paths[:_SHOWN])}{more}"
