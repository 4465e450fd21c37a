"""`Scorer`: the answers of a fitted pipeline by the fastest way that has proven itself, and which way that is."""

from __future__ import annotations

import logging
import warnings
from contextlib import suppress
from enum import StrEnum
from functools import cache, cached_property, partial
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from scoreline.compiled.certificates import Certificate, certificate
from scoreline.compiled.doubts import Partial, told_apart, without
from scoreline.compiled.linear import compile_linear
from scoreline.compiled.matrix import Encoding, layout_of
from scoreline.compiled.plan import NotCompilable, worthwhile
from scoreline.compiled.proof import fault, holds, together
from scoreline.compiled.sampling import EVERY, Place
from scoreline.compiled.tree_model import compile_trees
from scoreline.compiled.trees import count_trees, is_made_of_trees
from scoreline.compiled.trials import REAL_ROWS, trials
from scoreline.compiled.way import Way, no_look_up

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

    from scoreline.compiled.answers import Answers
    from scoreline.compiled.dictionary import MakeFrame
    from scoreline.compiled.matrix import Layout
    from scoreline.compiled.plan import Plan
    from scoreline.compiled.proof import Piece, Reference

LEAST_ROWS = 4096
"""Parts of fewer rows are left to scikit-learn."""

FIRST_ROWS = 2 * 16_384
"""Nothing is compiled before so many rows have come: the proof costs more time than it saves."""

KERNEL_ROWS = 3 * 16_384
"""Trees are compiled once so many rows have come: the proof takes its time, and large ones take theirs."""

FEW_TREES = 32
"""Fewer trees are compiled later, in proportion: they are quickly asked, and what precedes takes as long as ever."""

NUMBERS_ROWS = 2
"""Linear models of numbers alone are compiled after so many times the first rows for each column: the proof tries some
values in each, and scikit-learn is nearly as fast where nothing has to be encoded."""

TO_COME = 2
"""A tier whose proof is worth so many rows is tried at once where a unit has so many times as many left."""

MANY_TREES = 500
"""So many trees are compiled at once: scikit-learn takes longer for the first part than it takes to prove them."""

DIFFERENCE = "other answers than scikit-learn's"
"""What the reason says for which a tier was given up after it had been in use."""

_log = logging.getLogger(__name__)


class Tier(StrEnum):
    """How answers are computed."""

    COMPILED = "A"
    """Look-up tables and kernels; scikit-learn's own model for parts that leave a doubt."""
    ENCODED = "B"
    """Each distinct value is encoded once, then scikit-learn's own model."""
    PLAIN = "C"
    """The whole pipeline by scikit-learn."""


class Scorer:
    """Answers like scikit-learn, or not at all; compiled once enough rows have come. Safe for threads.

    Every tier answers with the same bits, so nothing depends on when a process comes to a faster one.

    Parameters
    ----------
    plan : what to compile, or why not
    schema : the input columns
    frame : makes the frame that scikit-learn is given, of a table and the schema of its columns
    reference : the answers of scikit-learn
    state : gives what a certificate states of what was fitted, JSON values, or None when every process proves it;
        asked once something is compiled
    """

    def __init__(
        self,
        plan: Plan | NotCompilable,
        schema: pa.Schema,
        frame: MakeFrame,
        reference: Reference,
        state: Callable[[], Mapping[str, Any] | None] = lambda: None,
    ) -> None:
        self._plan = plan
        self._schema = schema
        self._frame = frame
        self._reference = reference
        self._state = state
        self._lock = Lock()
        self._waiting = [Tier.COMPILED, Tier.ENCODED]
        self._worth = {tier: 0 if isinstance(plan, NotCompilable) else self._rows_worth(plan, tier) for tier in Tier}
        self._ways: dict[Tier, Way] = {}
        self._reasons: list[str] = []
        self._parts = self._rows = self._given_up = 0

    @cached_property
    def _stated(self) -> Mapping[str, Any] | None:
        return self._state()

    @property
    def tier(self) -> Tier:
        """The fastest tier that has proven itself so far."""
        return next(iter(self._ways), Tier.PLAIN)

    @property
    def is_settled(self) -> bool:
        """Whether it will come to no faster tier than it has."""
        return not any(waiting < self.tier for waiting in self._waiting)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why faster tiers are not used, as far as known."""
        return tuple(self._reasons)

    @property
    def given_up(self) -> int:
        """How many tiers this process has given up, because of a difference in a sample."""
        return self._given_up

    def answers(self, table: pa.Table, *, proba: bool, place: Place | None = None) -> Answers | Partial | None:
        """The answers for all rows of a part, or for all but some; None when scikit-learn must be asked about all.

        A sample of the rows is answered by scikit-learn too. Any difference ends the tier for good, and is logged.
        `place` says where the part stands, and decides the sample; without it parts are counted as they come.
        """
        left = 0 if place is None else (place.parts - place.part) * table.num_rows
        if self.leaves(table.num_rows, left):
            return None
        with self._lock:
            self._parts, self._rows = self._parts + 1, self._rows + table.num_rows
            self._compile(table, left)
            found = next(iter(self._ways.items()), None)
            place = place or Place("", self._parts - 1, self._parts + EVERY)
        if found is None:
            return None
        tier, way = found
        part = told_apart(way, table, proba=proba)
        if part is None:
            return None
        if place.is_sampled and not self._holds(part, table, place):
            self._end(tier, place)
            return None
        return part if len(part.doubts) else part.answers

    def leaves(self, rows: int, left: int = 0) -> bool:
        """Whether a part of so many rows is left to scikit-learn whatever is in it; if so, it is counted.

        `left` is how many rows its unit has from there on, as far as known.
        """
        if rows < LEAST_ROWS:
            return True
        with self._lock:
            if self._ways or any(self._is_due(tier, self._rows + rows, left) for tier in self._waiting):
                return False
            self._parts, self._rows = self._parts + 1, self._rows + rows
            return True

    def _holds(self, part: Partial, table: pa.Table, place: Place) -> bool:
        left = without(table, part.doubts)
        return holds(part.way, left, part.answers, self._reference, place.rows(left.num_rows))

    def _is_due(self, tier: Tier, rows: int, left: int) -> bool:
        """Whether a tier is worth its proof after so many rows, with so many left."""
        return rows >= self._worth[tier] or left >= TO_COME * self._worth[tier]

    def _compile(self, table: pa.Table, left: int) -> None:
        """Try the tiers that are worth it by now, and keep those that prove themselves."""
        if isinstance(self._plan, NotCompilable):
            self._reasons += [self._plan.reason] if self._waiting else []
            self._waiting = []
            return
        due = [tier for tier in self._waiting if self._is_due(tier, self._rows, left)]
        # Tiers are named from the fastest on.
        due = [tier for tier in due if not any(proven < tier for proven in self._ways)]
        if due:
            self._waiting = [tier for tier in self._waiting if tier not in due]
            # Hard rows overflow on purpose, and encoders warn of unknown categories.
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                try:
                    self._prove(worthwhile(self._plan, table), table, due)
                except Exception as error:  # noqa: BLE001  objects from elsewhere need not be what they look like
                    self._reasons += [f"{tier}: {type(error).__name__}: {error}" for tier in due]

    def _rows_worth(self, plan: Plan, tier: Tier) -> int:
        """The rows from which on a tier is worth its proof."""
        trees = count_trees(plan.model) if tier == Tier.COMPILED else 0
        if trees >= MANY_TREES:
            return 0
        if trees:
            return KERNEL_ROWS * max(FEW_TREES, trees) // trees
        encodes = any(branch.widths for branch in plan.branches)
        return FIRST_ROWS if encodes else FIRST_ROWS * NUMBERS_ROWS * len(self._schema)

    def _prove(self, plan: Plan, table: pa.Table, due: list[Tier]) -> None:
        """Keep the fastest of some tiers that holds; slower ones would only have to be proven, too."""
        tried = cache(partial(self._tried, plan, table))
        for tier in due:
            way = self._made(plan, table, tier)
            proven = self._proven(tier, way, tried) if isinstance(way, Way) else way
            if isinstance(proven, Way):
                self._ways = dict(sorted((self._ways | {tier: proven}).items()))
                return
            self._reasons.append(f"{tier}: {proven.reason}")

    def _tried(self, plan: Plan, table: pa.Table) -> list[Piece]:
        return together(trials(table, self._schema), self._reference, proba=hasattr(plan.model, "predict_proba"))

    def _proven(self, tier: Tier, way: Way, tried: Callable[[], list[Piece]]) -> Way | NotCompilable:
        """A way that has proven itself, now or before as a certificate says; or why it is no good."""
        known = self._certificate(tier, way)
        if known.exists:
            return way
        found = fault(way, tried(), self._reference)
        if found is None:
            known.keep()
        return found or way

    def _certificate(self, tier: Tier, way: Way) -> Certificate:
        if self._stated is None:
            return Certificate(None)
        return certificate({**self._stated, "tier": tier, **way.described})

    def _made(self, plan: Plan, table: pa.Table, tier: Tier) -> Way | NotCompilable:
        if tier == Tier.ENCODED:
            return self._with_matrix(plan, table)
        try:
            return self._with_tables(plan, table)
        except Exception as error:  # noqa: BLE001  a machine on which LLVM does not work, or trees of another kind
            return NotCompilable(f"{type(error).__name__}: {error}")

    def _with_matrix(self, plan: Plan, table: pa.Table) -> Way | NotCompilable:
        encoding = self._encoding(plan, no_look_up, table)
        return Way(encoding, plan.model) if encoding.is_shorter else NotCompilable("no column to encode by value")

    def _with_tables(self, plan: Plan, table: pa.Table) -> Way | NotCompilable:
        if plan.after:
            return NotCompilable(f"{type(plan.after[0]).__name__} follows, which takes the whole matrix")
        layout = self._layout(plan, table)
        if layout is None:
            return NotCompilable("scikit-learn refuses its first rows")
        compiled = (
            compile_trees(plan, layout, self._stated) if is_made_of_trees(plan.model) else compile_linear(plan, layout)
        )
        if isinstance(compiled, NotCompilable):
            return compiled
        return Way(self._encoding(plan, compiled.derive, table), plan.model, compiled)

    def _layout(self, plan: Plan, table: pa.Table) -> Layout | None:
        """The layout of the matrix, from the first rows that can be encoded: many of them, for they decide its type."""
        encoding = Encoding(plan, self._schema, self._frame, no_look_up)
        return next((layout for piece in _first_rows(table) if (layout := _layout(encoding, piece)) is not None), None)

    def _encoding(self, plan: Plan, derive: Any, table: pa.Table) -> Encoding:
        encoding = Encoding(plan, self._schema, self._frame, derive)
        encoding.settle(table.slice(0, REAL_ROWS))
        for piece in _first_rows(table):
            # Encoders tell which value they refuse once they know others, which may stand beside it.
            with suppress(Exception):
                encoding.blocks(piece)
                break
        return encoding

    def _end(self, tier: Tier, place: Place) -> None:
        with self._lock:
            way = self._ways.pop(tier, None)
            if way is None:
                return
            self._certificate(tier, way).revoke()
            self._given_up += 1
            self._waiting = [each for each in Tier if tier < each < Tier.PLAIN and each not in self._ways]
            where = f"part {place.part + 1} of {place.unit}" if place.unit else "a part"
            self._reasons.append(f"{tier}: {DIFFERENCE} for rows of {where}")
            _log.warning(
                "tier %s is given up by this process: its answers for rows of %s are others than scikit-learn's; "
                "the unit is scored again without it, those before it had no difference in their samples",
                tier,
                where,
            )


def _first_rows(table: pa.Table) -> list[pa.Table]:
    """The first rows of a table; then two at a time, in case one of them is refused."""
    return [table.slice(0, REAL_ROWS), *(table.slice(start, 2) for start in range(0, 64, 2))]


def _layout(encoding: Encoding, table: pa.Table) -> Layout | None:
    try:
        blocks = encoding.blocks(table)
        return layout_of(blocks, encoding.stacked(blocks, table.num_rows))
    except Exception:  # noqa: BLE001  a row is refused
        return None
