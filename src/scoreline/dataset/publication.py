"""Publishing: one commit makes a run, whole, part of the next version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scoreline.dataset.claims import claim, is_collected
from scoreline.dataset.commits import highest_commit, next_commit, published_run, read_commit
from scoreline.dataset.manifests import check_files, create_manifest, read_manifest
from scoreline.dataset.receipts import no_answer
from scoreline.dataset.versions import forget_staged, lead_readers, newest_version, settle_version, stage
from scoreline.errors import ConflictError, DataError, Problem, ScorelineError, StorageError
from scoreline.storage import Created, create

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scoreline.dataset.commits import Commit, Kind, PublishedRun
    from scoreline.dataset.layout import Layout
    from scoreline.dataset.receipts import Receipt


@dataclass(frozen=True)
class Goal:
    """What a run becomes part of: the version after `base`, beside the whole runs `kept` of it."""

    base: Commit | None
    kind: Kind = "replace"
    kept: tuple[PublishedRun, ...] = ()

    def reached(self, newest: Commit, run: str) -> bool:
        """Whether a version is already what publishing the run would make."""
        return newest.names == (*(kept.run for kept in self.kept), run)


def publish(layout: Layout, receipts: Sequence[Receipt], goal: Goal) -> Commit:
    """Publish a run whose units all have receipts, as the version after the goal's base; then lead readers to it.

    A run that is the newest version already is not published twice; of several drivers of one run any may do any step.
    Raises ConflictError when another run took the version, or when nobody can tell: nothing of this run is lost, and
    the same command publishes it. Raises StorageError when files of the run are gone or are not those of its manifest.
    """
    newest = highest_commit(layout)
    if newest is not None and goal.reached(newest, layout.score_key):
        return lead_readers(layout, newest)
    claim(layout)
    manifest = create_manifest(layout, receipts)
    check_files(layout, manifest)
    return _published(layout, next_commit(goal.base, goal.kind, (*goal.kept, published_run(layout, manifest))))


def roll_back(layout: Layout, version: int | None = None) -> Commit:
    """Publish the runs of an older version again, as the next version; done again, it changes nothing.

    Without a version, that before the newest one that was not rolled back to itself. Raises DataError when there is no
    such version, StorageError when files of it were collected, ConflictError when another writer took the next version.
    """
    base = newest_version(layout)
    old = _wanted(layout, base, version)
    if old.names == base.names:
        return lead_readers(layout, base)
    for run in old.names:
        _take_up(layout.of(run), old.version)
    return _published(layout, next_commit(base, "rollback", old.runs))


def _wanted(layout: Layout, base: Commit, version: int | None) -> Commit:
    """The version to roll back to."""
    wanted = version
    if wanted is None:
        own = (number for number in range(base.version, 0, -1) if read_commit(layout, number).kind != "rollback")
        wanted = next(own, 1) - 1
    if not 1 <= wanted <= base.version:
        what = "there is no version before the current one" if version is None else f"there is no version {version}"
        raise DataError(Problem(what, layout.uri, f"scoreline data history {layout.uri} lists the versions"))
    return read_commit(layout, wanted)


def _take_up(layout: Layout, version: int) -> None:
    """Make sure that a run is there and stays there."""
    if is_collected(layout):
        advice = f"scoreline data history {layout.uri} tells which versions are left"
        raise StorageError(Problem(f"files of version {version} were collected", layout.run, advice))
    claim(layout)
    check_files(layout, read_manifest(layout))


def _published(layout: Layout, commit: Commit) -> Commit:
    """Commit, and lead readers to it; a folder that was staged in vain goes, whatever happens."""
    staged = stage(layout, commit)
    try:
        standing = _committed(layout, commit)
    except ScorelineError:
        forget_staged(layout, staged)
        raise
    settle_version(layout, standing.version, staged)
    return lead_readers(layout, standing)


def _committed(layout: Layout, commit: Commit) -> Commit:
    """Create the commit; the one that stands when another driver of the same made it first."""
    uri = layout.commit(commit.version)
    outcome = create(uri, commit.as_bytes())
    if outcome is Created.CREATED:
        return commit
    if outcome is Created.UNKNOWN:
        raise ConflictError(no_answer(uri))
    winner = read_commit(layout, commit.version)
    if winner.names != commit.names:
        raise ConflictError(
            Problem(
                f"another run ({winner.run[:10]}) published version {winner.version} while this one was working",
                layout.uri,
                "run the same command again to publish this run's predictions as the next version",
            )
        )
    return winner
