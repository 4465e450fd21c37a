"""Machine code that takes rows out from among eight abreast once no further tree can change which score is largest."""

from __future__ import annotations

import ctypes
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from scoreline.compiled.descent_kernel import lanes_of
from scoreline.compiled.machine_code import MachineCode, Writer, hold
from scoreline.compiled.views import ABREAST


class Abreast(NamedTuple):
    """Rows on their way through trees.

    Attributes
    ----------
    views, roots : what `Views.made` gives
    scores : float64 (rows, scores), contiguous, of whole groups
    rows : int64, where each row belongs; one entry a row that is no filling
    """

    views: np.ndarray
    roots: np.ndarray
    scores: np.ndarray
    rows: np.ndarray


_LEAST = "0xFFF0000000000000"
"""Minus infinity, as LLVM writes it."""


def take_out(abreast: Abreast, width: int, reach: float, out: np.ndarray) -> int:
    """Write the scores of rows whose largest leads by more than `reach` to their places in `out`, (any, scores).

    The others move up in place, in their order; gives how many they are. `width` is how many views there are. Raises
    ValueError for arrays of other types. No score may be NaN.
    """
    views, roots, scores, rows = abreast
    hold(scores.dtype == out.dtype == np.float64, scores.flags.c_contiguous, out.flags.c_contiguous)
    hold(scores.shape[1] == out.shape[1] > 1, len(rows) <= len(scores), rows.dtype == np.int64)
    hold(views.dtype == roots.dtype == np.uint32, rows.flags.c_contiguous)
    left = ctypes.c_int64(0)
    arrays = [each.ctypes.data for each in (views, roots, scores, rows, out)]
    # Held while it is called: others may be made meanwhile, and drive it out of the cache.
    kernel = _made(scores.shape[1])
    kernel.call(len(rows), width, reach, *arrays, ctypes.addressof(left))
    return left.value


@lru_cache(maxsize=8)
def _made(scores: int) -> MachineCode:
    counts = [ctypes.c_int64, ctypes.c_int64, ctypes.c_double]
    return MachineCode(code(scores), "take_out", *counts, *[ctypes.c_void_p] * 6)


def code(scores: int) -> str:
    """The function `take_out` in the language of LLVM, for so many scores a row."""
    writer = _Writer(scores)
    writer.begin()
    writer.compare()
    writer.give()
    writer.move_up()
    writer.end()
    return writer.text


class _Writer(Writer):
    """Writes the loop over rows."""

    def __init__(self, scores: int) -> None:
        super().__init__()
        self._width = scores

    def begin(self) -> None:
        """The head of the function, and that of the loop."""
        arrays = "ptr noalias %views, ptr noalias %roots, ptr noalias %scores, ptr noalias %belongs, ptr noalias %out"
        self.write(f"define void @take_out(i64 %rows, i64 %width, double %reach, {arrays}, ptr noalias %left) {{")
        self.write("entry:", "  %some = icmp sgt i64 %rows, 0", "  br i1 %some, label %row, label %done")
        self.write("row:", "  %at = phi i64 [0, %entry], [%next, %row_last]")
        self.write("  %kept = phi i64 [0, %entry], [%kept_next, %row_last]", "  %next = add i64 %at, 1")
        self._mine = self.at("double", "%scores", self.do(f"mul i64 %at, {self._width}"))

    def compare(self) -> None:
        """The largest score and the one after it, halves against halves; and whether the row is decided."""
        lanes = lanes_of(self._width)
        size, begin = lanes[0], 0
        best, second = "", ""
        while size:
            for _ in range(lanes.count(size)):
                found = self.load(_kind(size), self._mine, begin, by="double")
                best, second = self._merged(size, best, second, found)
                begin += size
            size //= 2
            if size:
                best, second = self._halved(size, best, second)
        lead = self.do(f"fsub double {best}, {second}")
        self.write(f"  %decided = fcmp ogt double {lead}, %reach", "  br i1 %decided, label %give, label %keep")

    def _merged(self, lanes: int, best: str, second: str, found: str) -> tuple[str, str]:
        if not best:
            return found, _filled(lanes)
        less = self._chosen(lanes, "olt", best, found)
        return self._chosen(lanes, "ogt", best, found), self._chosen(lanes, "ogt", second, less)

    def _halved(self, lanes: int, best: str, second: str) -> tuple[str, str]:
        """Both of so many lanes, of both of twice as many."""
        lower, upper = (self._part(lanes, best, side) for side in (0, 1))
        behind = self._chosen(lanes, "ogt", *(self._part(lanes, second, side) for side in (0, 1)))
        return self._merged(lanes, lower, behind, upper)

    def _part(self, lanes: int, vector: str, side: int) -> str:
        kind = _kind(2 * lanes)
        if lanes == 1:
            return self.do(f"extractelement {kind} {vector}, i32 {side}")
        places = ", ".join(f"i32 {side * lanes + lane}" for lane in range(lanes))
        return self.do(f"shufflevector {kind} {vector}, {kind} undef, <{lanes} x i32> <{places}>")

    def _chosen(self, lanes: int, order: str, one: str, other: str) -> str:
        kind, bits = _kind(lanes), "i1" if lanes == 1 else f"<{lanes} x i1>"
        is_one = self.do(f"fcmp {order} {kind} {one}, {other}")
        return self.do(f"select {bits} {is_one}, {kind} {one}, {kind} {other}")

    def give(self) -> None:
        """A row that is decided."""
        self.write("give:")
        place = self.load("i64", "%belongs", "%at")
        self._copy(self.at("double", "%out", self.do(f"mul i64 {place}, {self._width}")))
        self.write("  br label %row_last")

    def _copy(self, to: str) -> None:
        begin = 0
        for lanes in lanes_of(self._width):
            found = self.load(_kind(lanes), self._mine, begin, by="double")
            self.store(_kind(lanes), found, to, begin, by="double")
            begin += lanes

    def move_up(self) -> None:
        """A row that goes on: it stays where it is until one before it was taken out."""
        self.write("keep:", "  %more = add i64 %kept, 1", "  %stays = icmp eq i64 %kept, %at")
        self.write("  br i1 %stays, label %row_last, label %move", "move:")
        self._copy(self.at("double", "%scores", self.do(f"mul i64 %kept, {self._width}")))
        for kind, name in (("i64", "%belongs"), ("i32", "%roots")):
            self.store(kind, self.load(kind, name, "%at"), name, "%kept")
        source, target = self._first_view("%at"), self._first_view("%kept")
        self.write("  br label %view", "view:", "  %view_at = phi i64 [0, %move], [%view_next, %view]")
        step = self.do(f"mul i64 %view_at, {ABREAST}")
        self.store("i32", self.load("i32", source, step), target, step)
        self.write("  %view_next = add i64 %view_at, 1", "  %views_left = icmp slt i64 %view_next, %width")
        self.write("  br i1 %views_left, label %view, label %row_last")

    def _first_view(self, row: str) -> str:
        group, lane = self.do(f"udiv i64 {row}, {ABREAST}"), self.do(f"urem i64 {row}, {ABREAST}")
        begin = self.do(f"mul i64 {self.do(f'mul i64 {group}, %width')}, {ABREAST}")
        return self.at("i32", "%views", self.do(f"add i64 {begin}, {lane}"))

    def end(self) -> None:
        """The end of the loop, and that of the function."""
        self.write("row_last:", "  %kept_next = phi i64 [%kept, %give], [%more, %keep], [%more, %view]")
        self.write("  %rows_left = icmp slt i64 %next, %rows", "  br i1 %rows_left, label %row, label %done")
        self.write("done:", "  %count = phi i64 [0, %entry], [%kept_next, %row_last]")
        self.store("i64", "%count", "%left")
        self.write("  ret void", "}")


def _kind(lanes: int) -> str:
    return "double" if lanes == 1 else f"<{lanes} x double>"


def _filled(lanes: int) -> str:
    return _LEAST if lanes == 1 else "<" + ", ".join([f"double {_LEAST}"] * lanes) + ">"
