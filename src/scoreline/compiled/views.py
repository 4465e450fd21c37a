"""What of the codes of rows deep trees compare, side by side for eight rows, and rows in an order that suits trees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreline.compiled.rank_kernel import NAN

ABREAST = 8
"""Rows that go down a tree side by side."""

PLACE = NAN - 1
"""The span of a node that asks whether a code is one place."""

_PLAIN, _NAN_FIRST = -1, -2
"""Kinds of a view: the code as it is, and one where that of NaN comes first; else which 32 places of a category."""

_SPARE = 2**14
"""Numbers behind the last view: a row at its leaf looks at any number of its group that 16 bits can name."""

_COARSE = 3
"""Bits by which rows are sorted of all numbers but the one that most nodes ask for."""


@dataclass(frozen=True, eq=False)
class Views:
    """Codes as the nodes of `Descent` compare them: 32 bits, of which trees look at the upper 16, or at one bit.

    Attributes
    ----------
    views : of each the column of codes, and what is made of it
    root, roots : the column of codes that chooses the root, None when there is one root only; and how many there are
    sorting : by which columns rows are sorted, the first one first; of each the largest code, and the bits left out
    """

    views: tuple[tuple[int, int], ...]
    root: int | None
    roots: int
    sorting: tuple[tuple[int, int, int], ...]

    @classmethod
    def of(cls, tests: np.ndarray, root: int | None, roots: int) -> Views:
        """The views that tests of nodes need: (3, nodes) column, low, span, as in `Walk`."""
        asked = np.unique(tests[0] << 16 | (_kinds(tests) + 2))
        pairs = list(zip((asked >> 16).tolist(), ((asked & 0xFFFF) - 2).tolist(), strict=True))
        needed = [(mine, what) for mine, what in pairs if mine != root or what < 0]
        return cls(tuple(needed or pairs[:1]), root, roots, _sorting(tests))

    def words(self, tests: np.ndarray) -> np.ndarray:
        """The lower 32 bits of nodes with such tests: 16 bits threshold, 11 bits view, 5 bits shift."""
        kind = _kinds(tests)
        view = np.zeros(tests.shape[1], np.int64)
        for number, (mine, what) in enumerate(self.views):
            view[(tests[0] == mine) & (kind == what)] = number
        # The bit of a place, shifted to the top, is above all thresholds of 15 bits.
        threshold, shift = np.where(kind >= 0, 0x7FFF, tests[2]), np.where(kind >= 0, (tests[1] - 1) & 31, 0)
        return np.asarray(threshold << 16 | view << 5 | shift)

    def order(self, codes: np.ndarray) -> np.ndarray:
        """An order in which rows that take similar ways follow each other, of codes (columns, rows).

        Eight rows go side by side until the last one is at its leaf, so ways of one length waste little.
        """
        key = np.zeros(codes.shape[1], np.uint64)
        for column, largest, dropped in self.sorting:
            mine = np.minimum(codes[column], largest) >> dropped
            key = key << np.uint64(largest.bit_length() - dropped) | mine.astype(np.uint64)
        return np.argsort(key)

    def made(self, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The views of codes (columns, rows), eight rows side by side and the last ones filled up; and their roots."""
        rows = codes.shape[1]
        groups = -(-rows // ABREAST)
        made = np.zeros(groups * len(self.views) * ABREAST + _SPARE, np.uint32)
        grouped = made[:-_SPARE].reshape(groups, len(self.views), ABREAST)
        line, roots = np.zeros(groups * ABREAST, np.uint32), np.zeros(groups * ABREAST, np.uint32)
        for number, (column, kind) in enumerate(self.views):
            line[:rows] = _view(codes[column].astype(np.uint32), kind)
            grouped[:, number] = line.reshape(groups, ABREAST)
        if self.root is not None:
            # The root for places that no node asks for is the first one.
            wanted = codes[self.root].astype(np.uint32) + np.uint32(1)
            roots[:rows] = np.where(wanted < self.roots, wanted, 0)
        return made, roots


def _kinds(tests: np.ndarray) -> np.ndarray:
    _, low, span = tests
    return np.where(span == PLACE, (low - 1) >> 5, np.where(low == NAN, _NAN_FIRST, _PLAIN))


def _view(codes: np.ndarray, kind: int) -> np.ndarray:
    if kind == _PLAIN:
        return codes << np.uint32(16)
    if kind == _NAN_FIRST:
        # Beside zero when one counts in a circle.
        return (codes + np.uint32(1)) << np.uint32(16)
    bit = np.uint32(1) << (np.uint32(31) - (codes & np.uint32(31)))
    return np.where(codes >> np.uint32(5) == kind, bit, np.uint32(0))


def _sorting(tests: np.ndarray) -> tuple[tuple[int, int, int], ...]:
    """Categories first, then numbers coarsely, then the one that most nodes ask for; as many as 64 bits hold."""
    column, low, span = tests
    by_weight = np.argsort(-np.bincount(column), kind="stable").tolist()
    places = set(column[span == PLACE].tolist())
    largest = {each: int((low if each in places else span)[column == each].max(initial=0)) + 1 for each in by_weight}
    numbers = [each for each in by_weight if each not in places]
    wanted = [(each, 0) for each in by_weight if each in places]
    wanted += [(each, max(0, largest[each].bit_length() - _COARSE)) for each in numbers[1:]]
    wanted += [(each, 0) for each in numbers[:1]]
    found, bits = [], 0
    for each, dropped in wanted:
        bits += largest[each].bit_length() - dropped
        if bits <= 64 and largest[each] <= NAN:
            found.append((each, largest[each], dropped))
    return tuple(found)
