"""Machine code that adds up scores in the order of a BLAS: the very bits that it gives, with no matrix.

It is written for LLVM itself, and for one `Program`. Terms of features that are zero are left out, as they change no
bit of a sum that began with zero; so what a category adds is looked up.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from scoreline.compiled.blas_order import LANES
from scoreline.compiled.machine_code import Writer, columns_given, hold, machine_code

if TYPE_CHECKING:
    from collections.abc import Sequence

_ARRAYS = ("codes", "tables", "numbers", "strides", "weights", "scores")


class Term(NamedTuple):
    """What is added.

    Attributes
    ----------
    kind : "looked up" is added as it is; a "value" that is looked up, or a "number" of the row, times its coefficients
    column : which column of codes, or which number
    place : where in the row of its table
    """

    kind: Literal["looked up", "value", "number"]
    column: int
    place: int = 0


class Program(NamedTuple):
    """What is added up for a row, in order.

    Attributes
    ----------
    scores : how many a row has
    lanes : sums of a score side by side: `LANES` for a single score, else one
    sums : the terms of each sum
    left_over : terms that are added at last to a single score: values and numbers
    widths : of the table of each column of codes
    """

    scores: int
    lanes: int
    sums: tuple[tuple[Term, ...], ...]
    left_over: tuple[Term, ...]
    widths: tuple[int, ...]

    @property
    def vector(self) -> int:
        """Scores, or lanes, that are added at once."""
        return self.lanes if self.lanes > 1 else next((lanes for lanes in (2, 4) if self.scores <= lanes), 8)

    @property
    def width(self) -> int:
        """What is looked up for a term: all scores with fillers, or all lanes."""
        return self.vector if self.lanes > 1 else -(-self.scores // self.vector) * self.vector

    @property
    def numbers(self) -> int:
        """How many numbers a row has."""
        terms = [term for some in (*self.sums, self.left_over) for term in some]
        return 1 + max((term.column for term in terms if term.kind == "number"), default=-1)

    @property
    def steps(self) -> int:
        """Vectors that are added for a row."""
        return sum(map(len, self.sums)) * (self.width // self.vector)


class BlasKernel:
    """The machine code of a program. Safe for threads.

    Making it takes some hundredths of a second; raises what LLVM raises where it does not work.

    Parameters
    ----------
    program : what is added up
    weights : float64: for each value and number of the sums its coefficients (width,), in order, then those of what is
        left over, one each, then the intercepts, one a score with fillers
    """

    def __init__(self, program: Program, weights: np.ndarray) -> None:
        self.program = program
        self._weights = np.ascontiguousarray(weights, dtype=np.float64)
        self._code = machine_code(_code(program), "add", ctypes.c_int64, *[ctypes.c_void_p] * len(_ARRAYS))

    def scores(
        self, codes: Sequence[np.ndarray], tables: Sequence[np.ndarray], numbers: Sequence[np.ndarray], rows: int
    ) -> np.ndarray:
        """The scores, float64 (rows, scores).

        Raises ValueError for arrays of another shape or type. Codes that are not in their table end the process.

        Parameters
        ----------
        codes : for each column int32 (rows,), contiguous: rows of its table
        tables : for each column float64 (values, its width), contiguous
        numbers : for each number float64 (rows,), with any stride
        """
        program = self.program
        given = columns_given(codes, tables, numbers, rows)
        hold(len(numbers) >= program.numbers)
        hold(*(each.shape[1:] == (width,) for each, width in zip(tables, program.widths, strict=True)))
        # The fillers of a row lie where the next one begins, which is written after it.
        made = np.empty(rows * program.scores + program.width)
        self._code.call(rows, *(each.ctypes.data for each in (*given, self._weights, made)))
        return made[: rows * program.scores].reshape(rows, program.scores)


def _code(program: Program) -> str:
    writer = _Writer(program)
    writer.begin()
    for first in range(0, program.width, program.vector):
        writer.add(first)
    writer.end()
    return writer.text


class _Writer(Writer):
    """Writes the code for one row in a loop over all of them."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        self._program = program
        self._vector = f"<{program.vector} x double>"

    def begin(self) -> None:
        """The head of the function and of the loop, and what all vectors of scores need of a row."""
        vector, arrays = f"v{self._program.vector}f64", ", ".join(f"ptr noalias %{name}" for name in _ARRAYS)
        kinds = f"{self._vector}, {self._vector}, {self._vector}"
        self.write(f"declare {self._vector} @llvm.fma.{vector}({kinds})")
        self.write("declare double @llvm.fma.f64(double, double, double)")
        self.write(f"define void @add(i64 %rows, {arrays}) {{", "entry:")
        columns, numbers = range(len(self._program.widths)), range(self._program.numbers)
        codes, tables = ([self.load("ptr", array, place) for place in columns] for array in ("%codes", "%tables"))
        addresses = [self.load("ptr", "%numbers", place) for place in numbers]
        strides = [self.load("i64", "%strides", place) for place in numbers]
        self.write("  %some = icmp sgt i64 %rows, 0", "  br i1 %some, label %loop, label %done")
        self.write("loop:", "  %row = phi i64 [0, %entry], [%next, %loop]")
        wide = [self.do(f"sext i32 {self.load('i32', each, '%row')} to i64") for each in codes]
        offsets = [self.do(f"mul i64 {each}, {width}") for each, width in zip(wide, self._program.widths, strict=True)]
        self._entries = [self.at("double", *pair) for pair in zip(tables, offsets, strict=True)]
        steps = [self.do(f"mul i64 %row, {stride}") for stride in strides]
        self._numbers = [self.load("double", *pair, by="i8") for pair in zip(addresses, steps, strict=True)]
        self._at = self.do(f"mul i64 %row, {self._program.scores}")

    def add(self, first: int) -> None:
        """A vector of scores, from the given one on, or the only one."""
        program, coefficients = self._program, first
        whole = ""
        for terms in program.sums:
            made = "zeroinitializer"
            for term in terms:
                if term.kind == "looked up":
                    entry = self.load(self._vector, self._entries[term.column], term.place + first, by="double")
                    made = self.do(f"fadd {self._vector} {made}, {entry}")
                else:
                    filled = self.filled("double", program.vector, self._value(term))
                    coef = self.load(self._vector, "%weights", coefficients, by="double")
                    made, coefficients = self._fused(filled, coef, made), coefficients + program.width
            whole = self._together(whole, made)
        if program.lanes > 1:
            self._one(whole or "0.0", coefficients)
        else:
            intercept = self.load(self._vector, "%weights", coefficients, by="double")
            found = self.do(f"fadd {self._vector} {whole or 'zeroinitializer'}, {intercept}")
            self.store(self._vector, found, "%scores", self.do(f"add i64 {self._at}, {first}"), by="double")

    def _value(self, term: Term) -> str:
        if term.kind == "number":
            return self._numbers[term.column]
        return self.load("double", self._entries[term.column], term.place)

    def _fused(self, one: str, other: str, more: str, kind: str = "") -> str:
        kind, name = kind or self._vector, "f64" if kind == "double" else f"v{self._program.vector}f64"
        return self.do(f"call {kind} @llvm.fma.{name}({kind} {one}, {kind} {other}, {kind} {more})")

    def _together(self, before: str, sums: str) -> str:
        """The sums so far and those of some more features."""
        if self._program.lanes == 1:
            return self.do(f"fadd {self._vector} {before}, {sums}") if before else sums
        lane = [self.do(f"extractelement {self._vector} {sums}, i32 {place}") for place in range(LANES)]
        # The upper half is added to the lower one first.
        halves = [self.do(f"fadd double {lane[place]}, {lane[place + 2]}") for place in (0, 1)]
        found = self.do(f"fadd double {halves[0]}, {halves[1]}")
        return self.do(f"fadd double {before}, {found}") if before else found

    def _one(self, whole: str, coefficients: int) -> None:
        """The single score, with what is left over."""
        terms = self._program.left_over
        pairs = [
            (self._value(term), self.load("double", "%weights", coefficients + place))
            for place, term in enumerate(terms)
        ]
        if len(pairs) == 1:
            whole = self._fused(*pairs[0], whole, "double")
        elif pairs:
            # The compiler of OpenBLAS fuses the first product with the second, and the third with these.
            more = self._fused(*pairs[0], self.do(f"fmul double {pairs[1][0]}, {pairs[1][1]}"), "double")
            more = self._fused(*pairs[2], more, "double") if len(pairs) > 2 else more
            whole = self.do(f"fadd double {whole}, {more}")
        intercept = self.load("double", "%weights", coefficients + len(terms))
        self.store("double", self.do(f"fadd double {whole}, {intercept}"), "%scores", self._at)

    def end(self) -> None:
        """The end of loop and function."""
        self.write("  %next = add i64 %row, 1", "  %more = icmp slt i64 %next, %rows")
        self.write("  br i1 %more, label %loop, label %done", "done:", "  ret void", "}")
