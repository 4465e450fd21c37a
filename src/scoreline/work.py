"""A command at work: what it runs in, and the cluster that is open for as long as it lasts."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from scoreline.bundle.files import as_json
from scoreline.dataset.layout import Layout
from scoreline.dataset.versions import check_target
from scoreline.errors import ScorelineError
from scoreline.storage import absolute, create, delete_tree, join, probe_writable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from scoreline.clusters.base import Cluster, Session
    from scoreline.config.models import JobConfig
    from scoreline.runs import Journal, RunFolder

Found = TypeVar("Found")
Given = ParamSpec("Given")

INLINE_ROWS = 1_000_000
"""Below about this many rows, starting worker processes costs more than it saves."""


def nothing_begun(_kind: str) -> None:
    """For a command that has begun nothing for a cluster that it may have."""


@dataclass(frozen=True)
class Context:
    """What a command runs in.

    Attributes
    ----------
    journal, folder : where it tells what it does, and where its files go
    modules : the user's own
    chosen : called with the kind of cluster once it is known, in case that something was begun for another
    """

    journal: Journal
    folder: RunFolder
    modules: tuple[Path, ...] = ()
    chosen: Callable[[str], None] = nothing_begun


@dataclass(frozen=True, eq=False)
class Work:
    """A command at work: the job, what it runs in, and the open cluster."""

    job: JobConfig
    context: Context
    session: Session

    @contextmanager
    def stage(self, name: str, message: str, rows: int) -> Iterator[Callable[[int], None]]:
        """Tell that a stage begins and ends; gives what the stage calls with the rows of every unit that is done."""
        done = 0

        def advance(more: int) -> None:
            nonlocal done
            # A stage that goes over its rows again is shown from the beginning.
            done = more if more and done >= rows else done + more
            self.context.journal.progress(name, done, rows)

        with self.context.journal.stage(name, message):
            yield advance


def located(
    command: Callable[Concatenate[JobConfig, Given], Found],
) -> Callable[Concatenate[JobConfig, Given], Found]:
    """A command whose problems name places of the config by file and line."""

    @wraps(command)
    def located(job: JobConfig, /, *given: Given.args, **named: Given.kwargs) -> Found:
        try:
            return command(job, *given, **named)
        except ScorelineError as error:
            raise type(error)(*(job.located(problem) for problem in error.problems)) from error

    return located


@contextmanager
def at_work(job: JobConfig, context: Context, rows: int) -> Iterator[Work]:
    """Check that the places to write to can be written, then open the cluster.

    At the end, however it comes, worker logs are kept, and scratch data that nobody asked to keep are gone.
    """
    probe_writable(context.folder.root)
    if job.predict is not None:
        layout = Layout(absolute(job.predict.sink.uri), "")
        check_target(layout)
        probe_writable(layout.store)
    create(context.folder.config, as_json(job.as_json()))
    cluster = chosen_cluster(job, rows)
    context.chosen(cluster.kind)
    context.journal.event("cluster", f"cluster {cluster.kind}", cluster=cluster.model_dump(mode="json"))

    def tell(sentence: str) -> None:
        context.journal.warning("cluster", sentence)

    with cluster.open(context.modules, tell) as session:
        try:
            yield Work(job, context, session)
        finally:
            for name, text in session.worker_logs().items():
                create(context.folder.worker_log(name), text.encode())
            _forget_scratch(job, context.folder)


def _forget_scratch(job: JobConfig, folder: RunFolder) -> None:
    asked = () if job.train is None else job.train.keep
    if not asked:
        delete_tree(folder.data)
    for name in ("sample", "cleaned", "evaluation", "references"):
        if name not in asked:
            delete_tree(join(folder.data, name))


def chosen_cluster(job: JobConfig, rows: int) -> Cluster:
    """The cluster that the config names, or the one that suits so many rows."""
    from scoreline.clusters.inline import Inline
    from scoreline.clusters.local import Local

    return job.cluster or (Inline() if rows < INLINE_ROWS else Local())
