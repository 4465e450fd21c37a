"""Every step that a run takes on a store, numbered: at one of them it dies, or loses the answer, or somebody comes by.

A step is one call of a function of a store. Dying is an exception that nothing catches; from then on the dead take no
more steps, whatever their ``finally`` blocks try.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from scoreline.errors import Problem, ScorelineError, StorageError
from scoreline.storage import Created, listing, operations
from scoreline.storage.store import store_of

CHANGES = {"create", "replace", "delete", "delete_tree", "link", "rename", "point", "settle"}
"""The functions of stores that change something; what is asked of the system itself always may."""


class Killed(BaseException):
    """The process is dead."""


class Fault(StrEnum):
    """What befalls a step."""

    BEFORE = "killed before"
    AFTER = "killed after"
    LOST = "done, answer lost"
    UNSENT = "not done, answer lost"
    DROPPED = "done, answer dropped on its way"
    PAUSE_BEFORE = "paused before"
    PAUSE_AFTER = "paused after"

    @property
    def kills(self) -> bool:
        """Whether the process dies of it."""
        return self in (Fault.BEFORE, Fault.AFTER)

    @property
    def pauses(self) -> bool:
        """Whether nothing happens but that time passes."""
        return self in (Fault.PAUSE_BEFORE, Fault.PAUSE_AFTER)


@dataclass(frozen=True)
class Step:
    """One call: what was asked of the store, and where."""

    name: str
    uri: str

    @property
    def changes(self) -> bool:
        """Whether it may change something."""
        return self.name in CHANGES or self.name.startswith("os.")


def nothing() -> None:
    """Do nothing."""


@dataclass
class Steps:
    """The steps that this thread takes below `watched` locations.

    Attributes
    ----------
    at, fault : the number of the step to break and how; nothing is broken without a fault
    meanwhile : what happens elsewhere while this process waits at the step, or has just lost an answer
    drop : makes the way to the store lose the answer to the next request that writes
    observe : called after every step that may have changed something
    taken : the steps so far
    """

    watched: tuple[str, ...]
    at: int = -1
    fault: Fault | None = None
    meanwhile: Callable[[], None] = nothing
    drop: Callable[[], None] = nothing
    observe: Callable[[], None] = nothing
    taken: list[Step] = field(default_factory=list)
    dead: bool = False
    _inside: bool = False
    _thread: int = field(default_factory=threading.get_ident)

    @contextlib.contextmanager
    def watching(self) -> Iterator[Steps]:
        """Stand between the code and its stores until the block ends."""
        with pytest.MonkeyPatch.context() as patch:
            for module in (operations, listing):
                patch.setattr(module, "store_of", lambda uri: _Watched(store_of(uri), self))
            self._watch_the_system(patch)
            yield self

    def _watch_the_system(self, patch: pytest.MonkeyPatch) -> None:
        """Links and folders of versions are made without a store's function on some branches."""
        for module, name in ((os, "link"), (os, "rename"), (os, "replace"), (os, "symlink"), (os, "mkdir")):
            patch.setattr(module, name, partial(self._system_call, name, getattr(module, name)))
        patch.setattr(shutil, "rmtree", partial(self._system_call, "rmtree", shutil.rmtree))

    def _system_call(self, name: str, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        # What stores themselves do on the system is inside a step, and names without a folder are theirs.
        place = str(arguments[0 if name in ("mkdir", "rmtree") else 1])
        return self.take(Step(f"os.{name}", place), partial(function, *arguments, **options))

    def live(self) -> None:
        """Raise when this process is dead: it does not even clean up."""
        if self.dead and not self._inside and threading.get_ident() == self._thread:
            raise Killed

    def take(self, step: Step, act: Callable[[], Any]) -> Any:
        """Take one step, or do not."""
        if self._inside or threading.get_ident() != self._thread or not step.uri.startswith(self.watched):
            return act()
        if self.dead:
            raise Killed
        number = len(self.taken)
        self.taken.append(step)
        self._inside = True
        try:
            found = self._broken(self.fault, step, act) if number == self.at and self.fault else act()
            if step.changes:
                self.observe()
            return found
        finally:
            self._inside = False

    def _broken(self, fault: Fault, step: Step, act: Callable[[], Any]) -> Any:
        if fault is Fault.DROPPED:
            self.drop()
            return act()
        if fault in (Fault.UNSENT, Fault.PAUSE_BEFORE):
            self.meanwhile()
        if fault.pauses:
            found = act()
            if fault is Fault.PAUSE_AFTER:
                self.meanwhile()
            return found
        if fault in (Fault.AFTER, Fault.LOST):
            # Whoever dies or gets no answer does not learn of a failure either.
            with contextlib.suppress(OSError, ScorelineError):
                act()
        if fault.kills:
            self.dead = True
            raise Killed
        if fault is Fault.LOST:
            self.meanwhile()
        return _no_answer(step)


def _no_answer(step: Step) -> Created:
    if step.name == "create":
        return Created.UNKNOWN
    if step.name.startswith("os."):
        raise OSError(errno.EIO, os.strerror(errno.EIO), step.uri)
    raise StorageError(Problem("the answer got lost", step.uri, "try again"))


class _Watched:
    """A store whose functions are steps."""

    def __init__(self, store: Any, steps: Steps) -> None:
        self._store = store
        self._steps = steps

    def __getattr__(self, name: str) -> Any:
        function = getattr(self._store, name)

        def step(uri: str, *arguments: Any) -> Any:
            self._steps.live()
            return self._steps.take(Step(name, uri), partial(function, uri, *arguments))

        return step


def watched(uri: str) -> tuple[str, ...]:
    """What belongs to a data set, as the beginning of locations."""
    return (uri, str(Path(uri).parent / ".scoreline-probe")) if not uri.startswith("s3://") else (uri,)


@contextlib.contextmanager
def before_each(act: Callable[[Step], None]) -> Iterator[None]:
    """Do something before every call of a store, in whatever thread, until the block ends."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (operations, listing):
            patch.setattr(module, "store_of", lambda uri: _Announcing(store_of(uri), act))
        yield


@dataclass(frozen=True)
class _Announcing:
    """A store that says what it is asked before it is done."""

    store: Any
    act: Callable[[Step], None]

    def __getattr__(self, name: str) -> Any:
        function = getattr(self.store, name)

        def step(uri: str, *arguments: Any) -> Any:
            self.act(Step(name, uri))
            return function(uri, *arguments)

        return step
