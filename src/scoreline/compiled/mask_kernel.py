"""Machine code that finds the leaves of small trees for hundreds of rows at once, and adds up what they are worth.

What each tree adds is added in the order of the trees. The leaves that are left to a row are held in bytes, eight in
each, for 64 rows in a vector: a test clears few leaves that lie side by side, and so touches one byte of a row, rarely
more. The tests of a byte are made one after another while the leaves of all rows stay in registers. Codes are bytes,
too, where they are few: histogram boosting has at most 255 of a feature.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from scoreline.compiled.machine_code import Writer, constant, machine_code, processor_has

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scoreline.compiled.flat import Masks

ROWS, WIDE_ROWS = 256, 512
"""Rows that go through all trees together, and how many do where registers are wide."""

MOST_IN_BYTE = 254
"""The largest code of a row that a byte holds beside that of NaN."""

_LANES, _AT_ONCE = 64, 8
_VECTOR, _FLAGS = f"<{_LANES} x i8>", f"<{_LANES} x i1>"
_IN_WORD = 4
_NONE, _EVERY, _ALL = constant("i8", _LANES, 0), constant("i8", _LANES, -1), 0xFF
_SCORES, _PLACES = f"<{_AT_ONCE} x double>", f"<{_AT_ONCE} x i64>"
_WIDE, _IN_PAIR = "avx512f", 2 * _AT_ONCE
_PERMUTE = "llvm.x86.avx512.vpermi2var.pd.512"
_ARRAYS = ("first", "tests", "first_table", "category", "tables", "leaf", "place", "value")


@dataclass(frozen=True)
class Shape:
    """What the code is made for.

    Attributes
    ----------
    bytes : for the leaves that are left to a row
    bits : of a code, 8 or 16
    asks_categories : whether there are tables of categories
    wide : whether the processor has registers of 512 bits, and chooses among what is in two of them
    """

    bytes: int
    bits: int
    asks_categories: bool
    wide: bool

    @property
    def rows(self) -> int:
        """Rows that go through all trees together."""
        return WIDE_ROWS if self.wide else ROWS

    @property
    def pairs(self) -> int:
        """How many pairs of registers have room for what the leaves of a tree are worth."""
        return -(-8 * self.bytes // _IN_PAIR)


class MaskKernel:
    """Trees and the machine code for them. Safe for threads.

    Making it takes some hundredths of a second; raises what LLVM raises where it does not work, and ValueError for
    categories with more codes than a byte tells apart.

    Parameters
    ----------
    trees : the trees
    most_code : the largest code of a row, but for that of NaN
    """

    def __init__(self, trees: Masks, most_code: int) -> None:
        if (trees.table[:, 255] != trees.table[:, 256]).any():
            what = "trees ask for a category with 256 codes, and a byte has room for 255 and the missing one"
            raise ValueError(what)
        leaves = int(np.diff([*trees.leaf, len(trees.value)]).max())
        bits = 8 if most_code <= MOST_IN_BYTE else 16
        self.shape = Shape(-(-leaves // 8), bits, len(trees.table) > 0, processor_has(_WIDE))
        self._trees, self._arrays = len(trees.place), _arrays(trees, self.shape)
        whole, array = ctypes.c_int64, ctypes.c_void_p
        kinds = [whole, whole, array, whole, array, whole, *[array] * len(_ARRAYS)]
        self._code = machine_code(code(self.shape), "add", *kinds)

    def sums(self, codes: np.ndarray, start: np.ndarray) -> np.ndarray:
        """What all trees add to `start`, float64 (scores,); float64 (rows, scores), column by column in memory.

        `codes` are uint16 (columns, rows), none of them larger than was said.
        """
        rows, together = codes.shape[1], self.shape.rows
        made = np.empty((len(start), rows))
        made[:] = start[:, np.newaxis]
        whole = rows - rows % together
        self._add(codes[:, :whole], made[:, :whole])
        if whole < rows:
            rest = np.zeros((len(start), together))
            rest[:, : rows - whole] = made[:, whole:]
            self._add(codes[:, whole:], rest)
            made[:, whole:] = rest[:, : rows - whole]
        return made.T

    def _add(self, codes: np.ndarray, scores: np.ndarray) -> None:
        rows, chunks = codes.shape[1], scores.shape[1] // self.shape.rows
        # Columns an odd number of cache lines apart do not drive each other out of the cache.
        width = (scores.shape[1] // 64 | 1) * 64
        narrow = np.zeros((len(codes), width), np.uint8 if self.shape.bits == 8 else np.uint16)
        # All ones, the code of NaN, stay all ones.
        narrow[:, :rows] = codes
        arrays = [array.ctypes.data for array in self._arrays]
        apart = narrow.shape[1], scores.strides[0] // scores.itemsize
        self._code.call(chunks, apart[0], narrow.ctypes.data, apart[1], scores.ctypes.data, self._trees, *arrays)


def _arrays(trees: Masks, shape: Shape) -> tuple[np.ndarray, ...]:
    """What the code reads of trees, named in `_ARRAYS`: of each tree its tables, and of each of its bytes the tests."""
    width = shape.bytes
    keep = _bytes(trees.keep)[:, :width]
    first, test, byte = _by_byte(keep != _ALL, trees.first)
    tests = np.stack([trees.column[test], trees.low[test], trees.span[test], keep[test, byte]], axis=1)
    # The last code stands for missing categories.
    tables = trees.table[:, :256].astype(np.uint32 if width <= _IN_WORD else np.uint64)
    whole = (trees.sets, trees.category, trees.leaf, trees.place)
    sets, category, leaf, place = (each.astype(np.int64) for each in whole)
    # Of the last tree as much is read as of the largest.
    value = np.append(trees.value, np.zeros(_IN_PAIR * shape.pairs)) if shape.wide else trees.value
    return first, tests.astype(np.uint16), sets, category, tables, leaf, place, value


def _bytes(words: np.ndarray) -> np.ndarray:
    """The bytes of words along a last axis, the lowest one first."""
    little = np.ascontiguousarray(words, words.dtype.newbyteorder("<"))
    return little.view(np.uint8).reshape(*words.shape, words.itemsize)


def _by_byte(touched: np.ndarray, first: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each byte of each tree where those that touch it begin, and the end; these, and the byte of each.

    `touched` says which bytes each touches, `first` which is the first of each tree, and the end.
    """
    trees, width = len(first) - 1, touched.shape[1]
    every, byte = np.nonzero(touched)
    key = np.repeat(np.arange(trees), np.diff(first))[every] * width + byte
    order = np.argsort(key, kind="stable")
    return np.searchsorted(key[order], np.arange(trees * width + 1)), every[order], byte[order]


def code(shape: Shape) -> str:
    """The function `add` in the language of LLVM."""
    writer = _Writer(shape)
    writer.begin()
    if shape.asks_categories:
        writer.look_up()
    found = [(_NONE, _NONE) for _ in range(0, shape.rows, _LANES)]
    # From the last byte to the first: the lowest leaf that is left is the row's own.
    for byte in reversed(range(shape.bytes)):
        found = writer.lowest(byte, writer.after_tests(byte, writer.after_tables(byte)), found)
    writer.keep_leaves(found)
    writer.add_values()
    writer.end()
    return writer.text


class _Writer(Writer):
    """Writes the loop over chunks of rows, the one over trees in it, and the code of each byte in there."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self._shape = shape
        self._rows, self._starts = shape.rows, range(0, shape.rows, _LANES)
        self._code = f"i{shape.bits}"
        self._block = ""

    def _begin_block(self, name: str) -> None:
        self.write(f"{name}:")
        self._block = name

    def _begin_loop(self, name: str, begin: str | int, end: str | int) -> None:
        """A loop from `begin` to `end`, which lies behind it. What has a value before the first line is given here."""
        before = self._block
        self.write(f"  %{name}_end = add i64 {end}, 0", f"  br label %{name}")
        self._begin_block(name)
        self.write(f"  %{name}_at = phi i64 [{begin}, %{before}], [%{name}_next, %{name}_last]")

    def _end_loop(self, name: str, step: int = 1) -> None:
        self.write(f"  br label %{name}_last", f"{name}_last:")
        self.write(f"  %{name}_next = add i64 %{name}_at, {step}")
        more = self.do(f"icmp slt i64 %{name}_next, %{name}_end")
        self.write(f"  br i1 {more}, label %{name}, label %{name}_done")
        self._begin_block(f"{name}_done")

    def begin(self) -> None:
        """The head of the function, and those of the loops over chunks and trees."""
        given = "i64 %chunks, i64 %codes_apart, ptr %codes, i64 %scores_apart, ptr %scores, i64 %trees"
        arrays = ", ".join(f"ptr %{name}" for name in _ARRAYS)
        self.write(f"declare {_VECTOR} @llvm.cttz.v{_LANES}i8({_VECTOR}, i1)")
        if self._shape.wide:
            self.write(f"declare {_SCORES} @{_PERMUTE}({_SCORES}, {_PLACES}, {_SCORES})")
        self.write(f"define void @add({given}, {arrays}) {{")
        self._begin_block("entry")
        self.write(
            f"  %leaves = alloca [{self._rows} x i8], align 64",
            f"  %words = alloca [{self._rows} x i64], align 64",
        )
        self.write(f"  %rest = alloca [{self._rows * self._shape.bytes} x i8], align 64")
        self.write("  %some = icmp sgt i64 %chunks, 0", "  br i1 %some, label %begin, label %chunk_done")
        self._begin_block("begin")
        self._begin_loop("chunk", 0, "%chunks")
        row = self.do(f"mul i64 %chunk_at, {self._rows}")
        self._codes, self._scores = self.at(self._code, "%codes", row), self.at("double", "%scores", row)
        self._begin_loop("tree", 0, "%trees")
        self._first = self.do(f"mul i64 %tree_at, {self._shape.bytes}")

    def end(self) -> None:
        """The ends of both loops, and of the function."""
        self._end_loop("tree")
        self._end_loop("chunk")
        self.write("  ret void", "}")

    def _bounds(self, first: str, byte: int) -> tuple[str, str, str]:
        """Begin and end of what touches a byte, and whether there is any."""
        place = self.do(f"add i64 {self._first}, {byte}")
        begin, end = self.load("i64", first, place), self.load("i64", first, self.do(f"add i64 {place}, 1"))
        return begin, end, self.do(f"icmp slt i64 {begin}, {end}")

    def _column(self, column: str) -> str:
        """Where the codes of a column begin."""
        return self.at(self._code, self._codes, self.do(f"mul i64 {column}, %codes_apart"))

    def look_up(self) -> None:
        """Write for each byte the leaves that are left after all tables of categories."""
        begin, end = (self.load("i64", "%first_table", self.do(f"add i64 %tree_at, {place}")) for place in (0, 1))
        some = self.do(f"icmp slt i64 {begin}, {end}")
        self.write(f"  br i1 {some}, label %some_table, label %no_table")
        self._begin_block("some_table")
        self._look_up_words(begin, end)
        self.write("  br label %looked_up")
        self._begin_block("no_table")
        for start in range(0, self._shape.bytes * self._rows, _LANES):
            self.store(_VECTOR, _EVERY, "%rest", start, by="i8")
        self.write("  br label %looked_up")
        self._begin_block("looked_up")

    def _look_up_words(self, begin: str, end: str) -> None:
        """Tables give all bytes in a word, row by row; then these are put apart."""
        word = "i32" if self._shape.bytes <= _IN_WORD else "i64"
        words = f"<{_LANES} x {word}>"
        for start in self._starts:
            self.store(words, constant(word, _LANES, -1), "%words", start, by=word)
        self._begin_loop("table", begin, end)
        codes = self._column(self.load("i64", "%category", "%table_at"))
        table = self.at(f"[256 x {word}]", "%tables", "%table_at")
        self._begin_loop("looked", 0, self._rows)
        for each in range(_AT_ONCE):
            row = self.do(f"add i64 %looked_at, {each}")
            # The lower byte is enough: there are 255 codes, and the missing one.
            low = self.do(f"zext i8 {self.load('i8', self.at(self._code, codes, row))} to i64")
            left = self.do(f"and {word} {self.load(word, '%words', row)}, {self.load(word, table, low)}")
            self.store(word, left, "%words", row)
        self._end_loop("looked", _AT_ONCE)
        self._end_loop("table")
        for start, byte in product(self._starts, range(self._shape.bytes)):
            left = self.load(words, "%words", start, by=word)
            mine = self.do(f"lshr {words} {left}, {constant(word, _LANES, 8 * byte)}")
            self.store(
                _VECTOR,
                self.do(f"trunc {words} {mine} to {_VECTOR}"),
                "%rest",
                byte * self._rows + start,
                by="i8",
            )

    def after_tables(self, byte: int) -> list[str]:
        """The leaves that are left after all tables of categories."""
        if not self._shape.asks_categories:
            return [_EVERY for _ in self._starts]
        return [self.load(_VECTOR, "%rest", byte * self._rows + start, by="i8") for start in self._starts]

    def after_tests(self, byte: int, left: Sequence[str]) -> list[str]:
        """The leaves that are left after all tests."""
        begin, end, some = self._bounds("%first", byte)
        name, before = f"test{byte}", self._block
        self.write(f"  br i1 {some}, label %{name}_some, label %{name}_known")
        self._begin_block(f"{name}_some")
        self._begin_loop(name, begin, end)
        kept = [f"%{name}_left{number}" for number in range(len(left))]
        for each, given in zip(kept, left, strict=True):
            self.write(f"  {each} = phi {_VECTOR} [{given}, %{name}_some], [{each}_next, %{name}_last]")
        self._test(self.at("[4 x i16]", "%tests", f"%{name}_at"), kept)
        self._end_loop(name)
        self.write(f"  br label %{name}_known")
        self._begin_block(f"{name}_known")
        return [
            self.do(f"phi {_VECTOR} [{given}, %{before}], [{each}_next, %{name}_done]")
            for each, given in zip(kept, left, strict=True)
        ]

    def _test(self, test: str, left: Sequence[str]) -> None:
        """One more test, which is column, low, span, and what it keeps: of what is left, the next ones."""
        codes = self._column(self.do(f"zext i16 {self.load('i16', test)} to i64"))
        low, span = (self.filled(self._code, _LANES, self.load(self._code, test, place, by="i16")) for place in (1, 2))
        keep, kind = self.filled("i8", _LANES, self.load("i8", test, 3, by="i16")), f"<{_LANES} x {self._code}>"
        for start, given in zip(self._starts, left, strict=True):
            away = self.do(f"sub {kind} {self.load(kind, codes, start, by=self._code)}, {low}")
            right, kept = self.do(f"icmp ugt {kind} {away}, {span}"), self.do(f"and {_VECTOR} {given}, {keep}")
            self.write(f"  {given}_next = select {_FLAGS} {right}, {_VECTOR} {kept}, {_VECTOR} {given}")

    def lowest(self, byte: int, left: Sequence[str], found: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """The first byte so far with leaves in it, and how many leaves are before it."""
        made = []
        for mine, (other, place) in zip(left, found, strict=True):
            some = self.do(f"icmp ne {_VECTOR} {mine}, {_NONE}")
            lower = self.do(f"select {_FLAGS} {some}, {_VECTOR} {mine}, {_VECTOR} {other}")
            before = f"{_VECTOR} {constant('i8', _LANES, 8 * byte)}, {_VECTOR} {place}"
            made.append((lower, self.do(f"select {_FLAGS} {some}, {before}")))
        return made

    def keep_leaves(self, found: Sequence[tuple[str, str]]) -> None:
        """Write the leaf of each row."""
        for start, (byte, before) in zip(self._starts, found, strict=True):
            bit = self.do(f"call {_VECTOR} @llvm.cttz.v{_LANES}i8({_VECTOR} {byte}, i1 true)")
            self.store(_VECTOR, self.do(f"add {_VECTOR} {bit}, {before}"), "%leaves", start, by="i8")

    def add_values(self) -> None:
        """Add the value of each row's leaf to its score, some rows at a time."""
        values = self.at("double", "%value", self.load("i64", "%leaf", "%tree_at"))
        apart = self.do(f"mul i64 {self.load('i64', '%place', '%tree_at')}, %scores_apart")
        scores = self.at("double", self._scores, apart)
        registers = range(2 * self._shape.pairs if self._shape.wide else 0)
        every = [self.load(_SCORES, values, _AT_ONCE * register, by="double") for register in registers]
        self._begin_loop("row", 0, self._rows)
        added = self._chosen(every) if every else self._read(values)
        before = self.load(_SCORES, scores, "%row_at", by="double")
        self.store(_SCORES, self.do(f"fadd {_SCORES} {before}, {added}"), scores, "%row_at", by="double")
        self._end_loop("row", _AT_ONCE)

    def _read(self, values: str) -> str:
        """The values of the leaves of some rows, from memory."""
        # One reading for eight leaves, since there are more readings here than anything else.
        leaves, read = self.load("i64", "%leaves", "%row_at", by="i8"), "undef"
        for each in range(_AT_ONCE):
            leaf = self.do(f"and i64 {self.do(f'lshr i64 {leaves}, {8 * each}')}, 255")
            read = self.do(f"insertelement {_SCORES} {read}, double {self.load('double', values, leaf)}, i32 {each}")
        return read

    def _chosen(self, every: Sequence[str]) -> str:
        """The values of the leaves of some rows, from the registers that hold all values of the tree."""
        bytes_of = f"<{_AT_ONCE} x i8>"
        leaves = self.do(f"zext {bytes_of} {self.load(bytes_of, '%leaves', '%row_at', by='i8')} to {_PLACES}")
        chosen = ""
        for pair, (low, high) in enumerate(zip(every[::2], every[1::2], strict=True)):
            given = f"{_SCORES} {low}, {_PLACES} {leaves}, {_SCORES} {high}"
            mine = self.do(f"call {_SCORES} @{_PERMUTE}({given})")
            begins = self.do(f"icmp uge {_PLACES} {leaves}, {constant('i64', _AT_ONCE, _IN_PAIR * pair)}")
            kind = f"select <{_AT_ONCE} x i1> {begins}, {_SCORES} {mine}, {_SCORES} {chosen}"
            chosen = self.do(kind) if chosen else mine
        return chosen
