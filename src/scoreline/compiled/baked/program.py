"""`Program`: a fitted pipeline as arrays, which answers for records and tables as scikit-learn does, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from scoreline.compiled.answers import Answers
from scoreline.compiled.baked.plain import probabilities, walk_plainly, weigh_plainly
from scoreline.compiled.baked.reading import read_table, record_reader

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from scoreline.compiled.baked.finish import Finish
    from scoreline.compiled.baked.reading import Read, ReadRecord
    from scoreline.compiled.baked.slots import Input, Slot
    from scoreline.compiled.flat import Walk, Weights

_MANY = 256
"""Rows from which on they walk a tree side by side, and not trees side by side for one row."""
_ROWS_OF_WALKS = 8192

PLAIN_CALLS = 16
"""Times that a process answers in numpy before it loads numba, which takes longer: golden rows, then records."""

_calls = 0


def _in_numpy(rows: int) -> bool:
    """Whether these rows and those before are too few to load numba for; it stays loaded, and goes on being used."""
    global _calls  # noqa: PLW0603  it counts what this process did
    _calls += 1
    return _calls <= PLAIN_CALLS and rows <= _MANY


class Partly(NamedTuple):
    """The rows that a program answers for, int64, and its answers; the others are left to scikit-learn."""

    rows: np.ndarray
    answers: Answers


class BakedModel(Protocol):
    """A model that answers from codes and numbers."""

    @property
    def gives_proba(self) -> bool:
        """Whether it gives probabilities."""
        ...

    def one(self, codes: list[int], numbers: list[float], *, proba: bool) -> Answers | None:
        """The answers for one row; None where they are not certain."""
        ...

    def some(self, read: Read, *, proba: bool) -> Partly:
        """The answers for those of the rows that are known and certain."""
        ...

    def near_proba(self, read: Read) -> np.ndarray | None:
        """The probabilities of rows that are all known, up to rounding; None where it cannot tell."""
        ...


@dataclass(frozen=True, eq=False)
class BakedTrees:
    """Trees: every slot gives a code. `start` is what the scores begin with."""

    walk: Walk
    start: np.ndarray
    finish: Finish

    @property
    def gives_proba(self) -> bool:
        """Whether it gives probabilities."""
        return self.finish.gives_proba

    def one(self, codes: list[int], numbers: list[float], *, proba: bool) -> Answers:
        """The answers for one row."""
        sums = self.start[np.newaxis].copy()
        self._walk(np.array(codes, np.uint16)[np.newaxis], sums)
        return self.finish.answers(sums, proba=proba)

    def some(self, read: Read, *, proba: bool) -> Partly:
        """The answers for all rows that are known."""
        rows = np.flatnonzero(read.known)
        codes, sums = read.codes[rows].astype(np.uint16), np.tile(self.start, (len(rows), 1))
        self._walk(codes, sums)
        return Partly(rows, self.finish.answers(sums, proba=proba))

    def near_proba(self, read: Read) -> np.ndarray | None:
        """The probabilities of all rows; None when the model gives none."""
        return self.some(read, proba=True).answers.proba if self.gives_proba else None

    def _walk(self, codes: np.ndarray, sums: np.ndarray) -> None:
        if _in_numpy(len(codes)):
            walk_plainly(codes, self.walk, sums)
            return
        from scoreline.compiled.kernels import walk, walk_one_by_one

        if len(codes) > _MANY:
            walk(codes, self.walk, sums, _ROWS_OF_WALKS)
        else:
            walk_one_by_one(codes, self.walk, sums)


@dataclass(frozen=True, eq=False)
class BakedWeights:
    """A linear classifier: look-ups give rows of a table, other slots numbers.

    It gives labels alone, since the last bits of probabilities depend on the order in which BLAS adds up. `is_logistic`
    says that they are known up to rounding, which is enough to hold them to golden ones.
    """

    weights: Weights
    labels: np.ndarray
    is_logistic: bool = False
    gives_proba: bool = False

    def one(self, codes: list[int], numbers: list[float], *, proba: bool) -> Answers | None:
        """The label of one row; None when it is not certain."""
        found = self._weighed(np.array([codes], np.int64), np.array([numbers], np.float64))
        return Answers(self.labels.take(found)) if found[0] >= 0 else None

    def some(self, read: Read, *, proba: bool) -> Partly:
        """The labels that are certain."""
        known = np.flatnonzero(read.known)
        found = self._weighed(read.codes[known], read.numbers[known])
        certain = np.flatnonzero(found >= 0)
        return Partly(known[certain], Answers(self.labels.take(found[certain])))

    def near_proba(self, read: Read) -> np.ndarray | None:
        """The probabilities of all rows up to rounding; None when the model is of another kind."""
        return probabilities(read.codes, read.numbers, self.weights) if self.is_logistic else None

    def _weighed(self, codes: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        found = np.empty(len(codes), np.int64)
        if _in_numpy(len(codes)):
            weigh_plainly(codes, numbers, self.weights, found)
            return found
        from scoreline.compiled.kernels import weigh

        weigh(codes, numbers, self.weights, found)
        return found


@dataclass(frozen=True, eq=False)
class Program:
    """A fitted pipeline as arrays; safe for threads.

    Attributes
    ----------
    inputs : the columns that it reads, as they are after cleaning
    slots : what becomes of their values
    model : what answers from that
    """

    inputs: tuple[Input, ...]
    slots: tuple[Slot, ...]
    model: BakedModel

    @cached_property
    def _read(self) -> ReadRecord:
        return record_reader(self.inputs, self.slots)

    def answer(self, record: Mapping[str, Any], *, proba: bool = False) -> Answers | None:
        """The answer for one record, with one row; None when it is left to scikit-learn.

        Raises KeyError when a column is missing.
        """
        read = self._read(record)
        if read is None or (proba and not self.model.gives_proba):
            return None
        return self.model.one(*read, proba=proba)

    def partly(self, table: pa.Table, *, proba: bool = False) -> Partly | None:
        """The answers for the rows that are covered; None when there are none for any row; eager."""
        if proba and not self.model.gives_proba:
            return None
        read = read_table(table, self.inputs, self.slots)
        return None if read is None else self.model.some(read, proba=proba)

    def near_proba(self, table: pa.Table) -> np.ndarray | None:
        """The probabilities of all rows up to rounding; None where it cannot tell for every row. Eager."""
        read = read_table(table, self.inputs, self.slots)
        return self.model.near_proba(read) if read is not None and read.known.all() else None

    def answers(self, table: pa.Table, *, proba: bool = False) -> Answers | None:
        """The answers for all rows; None when scikit-learn must be asked. Eager."""
        found = self.partly(table, proba=proba)
        return None if found is None or len(found.rows) < table.num_rows else found.answers
