"""Mistakes that a protocol can have, each with a scenario that shows it and the invariant that it violates.

Most were made by somebody before: tables lost data to clean-ups after lost answers, doubled rows to random file names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.protocol import invariants
from tests.protocol.invariants import ALL_END_WELL
from tests.protocol.moves import Scenario
from tests.protocol.scenarios import LOCAL, S3, SAME_BYTES, named
from tests.protocol.world import Rules

_ONCE = invariants.a_version_has_every_unit_exactly_once.__name__
_KEPT = invariants.files_of_kept_versions_are_those_of_their_manifests.__name__
_FOR_EVER = invariants.a_commit_stands_for_ever_and_no_version_is_left_out.__name__
_PLANNED_ON = invariants.a_run_is_published_over_the_version_that_it_was_planned_on.__name__
_PUBLISHED = invariants.who_ends_well_has_published.__name__
_CONFLICT = invariants.a_conflict_is_told_only_when_the_version_is_anothers.__name__
_ONE_VERSION = invariants.a_reader_sees_one_version_or_an_error.__name__
_POINTERS_WHOLE = invariants.pointers_lead_to_whole_committed_versions.__name__
_POINTERS_NEWEST = invariants.who_ends_well_leaves_pointers_at_the_newest_version.__name__
_RESTORED = invariants.a_rollback_restores_exactly_the_wanted_runs.__name__
_NOT_AGAIN = invariants.what_is_done_is_not_computed_again.__name__


@dataclass(frozen=True)
class Mistake:
    """What is wrong, where it shows, and what it violates."""

    violates: str
    scenario: str
    rules: Rules
    wrong: tuple[str, ...]

    @property
    def built_in(self) -> Scenario:
        """The scenario in a store whose drivers make the mistake."""
        return named(self.scenario, replace(self.rules, mistakes=frozenset(self.wrong)))

    def __str__(self) -> str:
        return f"{' and '.join(self.wrong)} ({'local' if self.rules.local else 'S3'})"


_DATA_FIRST = "a collection deletes data before receipts"
_TRUSTING = "receipts are trusted without their files"

MISTAKES = (
    Mistake(_KEPT, "one run", S3, ("a plain PUT of unit files",)),
    Mistake(_FOR_EVER, "rivals", S3, ("a plain PUT of commits",)),
    Mistake(_KEPT, "one run", S3, ("random names of unit files",)),
    Mistake(_ONE_VERSION, "read through link", LOCAL, ("file names without the key of the run",)),
    Mistake(_ONCE, "one run", S3, ("a commit before all units have receipts",)),
    Mistake(_NOT_AGAIN, "one run", S3, ("a resume starts from nothing",)),
    Mistake(_CONFLICT, "one run", S3, ("no read-back after a lost answer",)),
    Mistake(_PUBLISHED, "one run", S3, ("silence counts as success",)),
    Mistake(_KEPT, "one run", S3, ("cleaning up when the commit fails",)),
    Mistake(_CONFLICT, "twins", S3, ("twins take each other for strangers",)),
    Mistake(_PLANNED_ON, "rivals", S3, ("a commit over a base that moved",)),
    Mistake(_POINTERS_WHOLE, "one run", S3, ("pointers before the commit",)),
    Mistake(_POINTERS_NEWEST, "rivals", S3, ("no second look after the pointers",)),
    Mistake(_POINTERS_WHOLE, "one run", LOCAL, ("a folder gets its place before it is whole",)),
    Mistake(_ONCE, "appends that overlap", S3, ("a set difference with an old manifest",)),
    Mistake(_ONCE, "append of a changed file", S3, ("superseded units stay",)),
    Mistake(_RESTORED, "rollback while read", S3, ("a rollback goes one version back",)),
    Mistake(_RESTORED, "gc while its run is restored", S3, ("a rollback checks no files",)),
    Mistake(_KEPT, "gc while its run is restored", S3, ("a rollback tells nobody",)),
    Mistake(_KEPT, "gc of an unfinished run", S3, ("a collection forgets the newest versions",)),
    Mistake(_ONCE, "gc of an unfinished run", S3, ("a collection forgets the retention",)),
    Mistake(_ONCE, "gc of an unfinished run", S3, ("a collection forgets the retention", "no check of the listing")),
    Mistake(_KEPT, "gc while read through current", S3, ("the retention counts from the commit itself",)),
    Mistake(_POINTERS_WHOLE, "gc while read through link", LOCAL, ("a collection leaves pointers as they are",)),
    Mistake(_POINTERS_WHOLE, "gc while read through latest", S3, ("a collection leaves pointers as they are",)),
    Mistake(_KEPT, "gc while its run is restored", S3, ("a collection sets no marks",)),
    Mistake(_ONCE, "gc while its run is published again", S3, ("drivers ignore the marks of a collection",)),
    Mistake(_KEPT, "gc while its run is published again", S3, (_DATA_FIRST,)),
    Mistake(ALL_END_WELL, "gc while its run is published again", SAME_BYTES, (_DATA_FIRST, _TRUSTING)),
    Mistake(
        _KEPT,
        "gc while its run is published again",
        SAME_BYTES,
        (_DATA_FIRST, _TRUSTING, "no check of the listing"),
    ),
    Mistake(_POINTERS_WHOLE, "gc of an unfinished run", LOCAL, ("drivers fill one folder together",)),
    Mistake(_ONE_VERSION, "gc while read through latest", S3, ("readers of prefixes do not count",)),
)
