"""Machine code that has eight rows at a time go down large trees, and adds what their leaves hold.

It is written for LLVM itself, whose loading takes a small part of what numba's takes, and for one number of scores that
a leaf adds to. A row holds its node, not the node's place; a leaf is its own child, so eight rows go on until none of
them moves. The nodes of a tree are fetched from first to last before rows jump about in them, and what leaves hold
while the next rows go down: memory gives them faster so. Each addition is one of float64, in the order of the trees,
and zeros are added, too: that changes no bit of a sum which is not minus zero, and none of these is.
"""

from __future__ import annotations

import ctypes
from functools import lru_cache
from typing import TYPE_CHECKING

from scoreline.compiled.machine_code import MachineCode, Writer
from scoreline.compiled.views import ABREAST

if TYPE_CHECKING:
    import numpy as np

    from scoreline.compiled.flat import Descent

_ARRAYS = ("base", "first", "place", "nodes", "kind", "values", "views", "roots", "scores")
_LINE = 8
"""Nodes, or scores, in a cache line."""


def descend(views: np.ndarray, width: int, roots: np.ndarray, trees: Descent, scores: np.ndarray) -> None:
    """Add what the leaves of all trees hold to scores, float64 (rows, scores), contiguous: whole groups of eight rows.

    Parameters
    ----------
    views, roots : what `Views.made` gives, for as many rows
    width : how many views there are
    """
    kernel = _made(trees.values.shape[1])
    given = (trees.base, trees.first, trees.place, trees.nodes, trees.kind, trees.values, views, roots, scores)
    counts = len(trees.place), len(scores) // ABREAST, width, scores.shape[1]
    kernel.call(*counts, *(each.ctypes.data for each in given))


@lru_cache(maxsize=8)
def _made(scores: int) -> MachineCode:
    return MachineCode(code(scores), "descend", *[ctypes.c_int64] * 4, *[ctypes.c_void_p] * len(_ARRAYS))


def lanes_of(scores: int) -> list[int]:
    """The lengths of vectors that so many scores fill.

    >>> lanes_of(22), lanes_of(1)
    ([8, 8, 4, 2], [1])
    """
    return [8] * (scores // 8) + [lanes for lanes in (4, 2, 1) if scores & lanes]


def code(scores: int) -> str:
    """The function `descend` in the language of LLVM, for leaves that add to so many scores."""
    writer = _Writer(scores)
    writer.begin()
    writer.fetch_nodes()
    writer.begin_group()
    writer.go_down()
    writer.hold()
    writer.end()
    return writer.text


class _Writer(Writer):
    """Writes the loop over trees, and the one over groups of rows in there."""

    def __init__(self, scores: int) -> None:
        super().__init__()
        self._width = scores

    def begin(self) -> None:
        """The head of the function, and that of the loop over trees."""
        arrays = ", ".join(f"ptr noalias readonly %{name}" for name in _ARRAYS[:-1])
        given = f"i64 %trees, i64 %groups, i64 %width, i64 %apart, {arrays}, ptr noalias %scores"
        self.write("declare void @llvm.prefetch.p0(ptr, i32, i32, i32)", f"define void @descend({given}) {{", "entry:")
        self.write("  %some_trees = icmp sgt i64 %trees, 0", "  %some_groups = icmp sgt i64 %groups, 0")
        self.write("  %some = and i1 %some_trees, %some_groups", "  br i1 %some, label %tree, label %done")
        self.write("tree:", "  %tree_at = phi i64 [0, %entry], [%tree_next, %tree_last]")
        self.write("  %tree_next = add i64 %tree_at, 1")
        self._first, self._place = self.load("i64", "%first", "%tree_at"), self.load("i64", "%place", "%tree_at")

    def fetch_nodes(self) -> None:
        """Have all nodes of the tree come nearer."""
        begin, end = self.load("i64", "%base", "%tree_at"), self.load("i64", "%base", "%tree_next")
        self._nodes = self.at("i64", "%nodes", begin)
        self.write("  br label %fetch", "fetch:", f"  %node = phi i64 [{begin}, %tree], [%node_next, %fetch]")
        self._fetch(self.at("i64", "%nodes", "%node"), 2)
        self.write(f"  %node_next = add i64 %node, {_LINE}")
        more = self.do(f"icmp slt i64 %node_next, {end}")
        self.write(f"  br i1 {more}, label %fetch, label %group")

    def _fetch(self, address: str, nearness: int) -> None:
        self.write(f"  call void @llvm.prefetch.p0(ptr {address}, i32 0, i32 {nearness}, i32 1)")

    def begin_group(self) -> None:
        """The head of the loop over groups of rows."""
        self.write("group:", "  %group_at = phi i64 [0, %fetch], [%group_next, %group_last]")
        for lane in range(ABREAST):
            self.write(f"  %held{lane} = phi ptr [null, %fetch], [%holds{lane}, %group_last]")
        self.write("  %group_next = add i64 %group_at, 1")

    def go_down(self) -> None:
        """From the root of each row two steps at a time, until no row moves."""
        row = self.do(f"mul i64 %group_at, {ABREAST}")
        views, roots = self.at("i32", "%views", self.do(f"mul i64 {row}, %width")), self.at("i32", "%roots", row)
        places = [self.do(f"zext i32 {self.load('i32', roots, lane)} to i64") for lane in range(ABREAST)]
        words = [self.load("i64", self._nodes, place) for place in places]
        self.write("  br label %step", "step:")
        for lane, word in enumerate(words):
            self.write(f"  %word{lane} = phi i64 [{word}, %group], [%moved{lane}, %step]")
        moving = "0"
        for lane in range(ABREAST):
            between = self._step(f"%word{lane}", views, lane)
            self.write(f"  %moved{lane} = add i64 {self._step(between, views, lane)}, 0")
            moving = self.do(f"or i64 {moving}, {self.do(f'xor i64 %moved{lane}, {between}')}")
        self.write(f"  %moving = icmp ne i64 {moving}, 0", "  br i1 %moving, label %step, label %hold", "hold:")

    def _step(self, word: str, views: str, lane: int) -> str:
        """The node that a row goes to from its node, see `Descent`; `views` are those of its group."""
        # Eight views of 4 bytes stand side by side, so a view's number, 5 bits up in the word, is its place in bytes.
        group = self.at("i8", views, self.do(f"and i64 {word}, {0xFFE0}"))
        low = self.do(f"trunc i64 {word} to i32")
        view = self.do(f"shl i32 {self.load('i32', group, lane)}, {self.do(f'and i32 {low}, 31')}")
        right = self.do(f"zext i1 {self.do(f'icmp ugt i32 {view}, {low}')} to i64")
        return self.load("i64", "%nodes", self.do(f"add i64 {self.do(f'lshr i64 {word}, 32')}, {right}"))

    def hold(self) -> None:
        """Fetch what the leaf of each row of the group holds, and add what those of the group before held."""
        kinds = self.at("i32", "%kind", self._first)
        for lane in range(ABREAST):
            kind = self.load("i32", kinds, self.do(f"and i64 %moved{lane}, {0xFFFF}"))
            place = self.do(f"mul i64 {self.do(f'zext i32 {kind} to i64')}, {self._width}")
            self.write(f"  %holds{lane} = getelementptr double, ptr %values, i64 {place}")
            for line in range(0, self._width, _LINE):
                self._fetch(self.at("double", f"%holds{lane}", line), 3)
        first = self.do("icmp eq i64 %group_at, 0")
        self.write(f"  br i1 {first}, label %group_last, label %add", "add:")
        self._add("held", self.do("sub i64 %group_at, 1"))
        self.write("  br label %group_last")

    def end(self) -> None:
        """The ends of both loops, with what the last group holds, and that of the function."""
        self.write("group_last:")
        more = self.do("icmp slt i64 %group_next, %groups")
        self.write(f"  br i1 {more}, label %group, label %tree_last", "tree_last:")
        self._add("holds", "%group_at")
        more = self.do("icmp slt i64 %tree_next, %trees")
        self.write(f"  br i1 {more}, label %tree, label %done", "done:", "  ret void", "}")

    def _add(self, held: str, group: str) -> None:
        """Add what is held for each row of a group to its scores."""
        row = self.do(f"mul i64 {group}, {ABREAST}")
        scores = self.at("double", "%scores", self.do(f"add i64 {self.do(f'mul i64 {row}, %apart')}, {self._place}"))
        for lane in range(ABREAST):
            begin = 0
            for lanes in lanes_of(self._width):
                kind = f"<{lanes} x double>"
                value = self.load(kind, f"%{held}{lane}", begin, by="double")
                before = self.load(kind, scores, begin, by="double")
                self.store(kind, self.do(f"fadd {kind} {before}, {value}"), scores, begin, by="double")
                begin += lanes
            scores = self.at("double", scores, "%apart")
