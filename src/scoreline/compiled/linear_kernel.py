"""Machine code that adds up the scores of a linear model and tells the label where it is beyond doubt.

It is written for LLVM itself, whose loading takes a small part of what numba's takes, and for one shape of model: rows
one after another, the scores of a row side by side in vectors. Each addition is one of float64 and none is left out, so
the bound on rounding of `scoreline.compiled.linear` holds.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

DOUBT, NOT_FINITE = -1, -2
"""What stands in the place of a label: scores too close to one another, or features that are not finite."""

MOST_TERMS = 512
"""Vectors that are added up for a row: with more, the code would be long, and BLAS is as fast."""


_ARRAYS = ("codes", "tables", "numbers", "strides", "weights", "labels")


@dataclass(frozen=True)
class Shape:
    """How much is added up for a row: columns in codes, numbers, and scores, beside which fillers end the last vector.

    >>> Shape(4, 5, 22).lanes, Shape(4, 5, 22).width
    (8, 24)
    """

    columns: int
    numbers: int
    scores: int

    @property
    def lanes(self) -> int:
        """Scores in a vector."""
        return next((lanes for lanes in (2, 4) if self.scores <= lanes), 8)

    @property
    def width(self) -> int:
        """Scores and fillers."""
        return -(-self.scores // self.lanes) * self.lanes

    @property
    def terms(self) -> int:
        """Vectors that are added up for a row."""
        return (self.columns + self.numbers) * (self.width // self.lanes)


class Kernel:
    """The machine code for a model. Safe for threads.

    Making it takes some hundredths of a second; raises what LLVM raises where it does not work.

    Parameters
    ----------
    shape : how much is added up
    weights : float64: the intercepts (width,), their magnitude, the coefficients (numbers, width), and the magnitude of
        those of each number
    """

    def __init__(self, shape: Shape, weights: np.ndarray) -> None:
        # Imported here: small jobs do without.
        from llvmlite import binding

        binding.initialize_native_target()
        binding.initialize_native_asmprinter()
        features = binding.get_host_cpu_features().flatten()
        target = binding.Target.from_default_triple()
        machine = target.create_target_machine(binding.get_host_cpu_name(), features, opt=3)
        module = binding.parse_assembly(code(shape))
        module.verify()
        # The code lives as long as its engine.
        self._engine: Any = binding.create_mcjit_compiler(module, machine)
        self._engine.finalize_object()
        address = self._engine.get_function_address("decide")
        self._shape = shape
        self._weights = np.ascontiguousarray(weights, dtype=np.float64)
        self._decide = ctypes.CFUNCTYPE(None, ctypes.c_int64, *[ctypes.c_void_p] * len(_ARRAYS))(address)

    def labels(
        self, codes: Sequence[np.ndarray], tables: Sequence[np.ndarray], numbers: Sequence[np.ndarray], rows: int
    ) -> np.ndarray:
        """The place of each row's best score, or DOUBT or NOT_FINITE; int32 (rows,).

        Raises ValueError for arrays of another shape or type. Codes that are not in their table end the process.

        Parameters
        ----------
        codes : for each column int32 (rows,), contiguous: rows of its table
        tables : for each column float64 (values, width + 2), contiguous: what is added to the scores, the magnitude of
            it, and the count of terms
        numbers : for each number float64 (rows,), with any stride
        """
        width = self._shape.width + 2
        _hold(len(codes) == len(tables) == self._shape.columns, len(numbers) == self._shape.numbers)
        _hold(*(each.shape == (rows,) for each in (*codes, *numbers)), *(each.shape[1] == width for each in tables))
        _hold(*(each.flags.c_contiguous for each in (*codes, *tables)), *(each.dtype == np.int32 for each in codes))
        _hold(*(each.dtype == np.float64 for each in (*tables, *numbers)))
        made = np.empty(rows, np.int32)
        groups = (np.array([each.ctypes.data for each in group], np.uintp) for group in (codes, tables, numbers))
        strides = np.array([each.strides[0] for each in numbers], np.int64)
        given: list[np.ndarray] = [*groups, strides, self._weights, made]
        self._decide(len(made), *(each.ctypes.data for each in given))
        return made


def _hold(*conditions: bool) -> None:
    if not all(conditions):
        what = "arrays of another shape or type than the code is made for"
        raise ValueError(what)


def code(shape: Shape) -> str:
    """The function `decide` in the language of LLVM."""
    writer = _Writer(shape)
    writer.begin()
    values, starts, bound = writer.inputs()
    writer.decision([writer.sum(first, values, starts) for first in range(0, shape.width, shape.lanes)], bound)
    return "\n".join(writer.lines)


class _Writer:
    """Writes the instructions one after another; each method gives the names of what it computes."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.vector = f"<{shape.lanes} x double>"
        self.lines: list[str] = []

    def _do(self, instruction: str) -> str:
        name = f"%v{len(self.lines)}"
        self.lines.append(f"  {name} = {instruction}")
        return name

    def _load(self, kind: str, array: str, place: int | str, *, by: str = "") -> str:
        """The entry of an array at a place, which is counted in entries or in values of another type."""
        at = self._do(f"getelementptr {by or kind}, ptr {array}, i64 {place}")
        return self._do(f"load {kind}, ptr {at}, align {4 if kind == 'i32' else 8}")

    def _filled(self, value: str) -> str:
        """A vector of one value."""
        lanes = self.shape.lanes
        first = self._do(f"insertelement {self.vector} undef, double {value}, i32 0")
        return self._do(f"shufflevector {self.vector} {first}, {self.vector} undef, <{lanes} x i32> zeroinitializer")

    def begin(self) -> None:
        """The head of the function, the addresses of the columns, and the head of the loop over rows."""
        self.lines += [
            "declare double @llvm.fabs.f64(double)",
            "declare i32 @llvm.ctpop.i32(i32)",
            "declare i32 @llvm.cttz.i32(i32, i1)",
            f"define void @decide(i64 %rows, {', '.join(f'ptr %{name}' for name in _ARRAYS)}) {{",
            "entry:",
        ]
        columns, numbers = range(self.shape.columns), range(self.shape.numbers)
        self._codes = [self._load("ptr", "%codes", place) for place in columns]
        self._tables = [self._load("ptr", "%tables", place) for place in columns]
        self._numbers = [self._load("ptr", "%numbers", place) for place in numbers]
        self._strides = [self._load("i64", "%strides", place) for place in numbers]
        self.lines += [
            "  %some = icmp sgt i64 %rows, 0",
            "  br i1 %some, label %loop, label %done",
            "loop:",
            "  %row = phi i64 [0, %entry], [%next, %loop]",
        ]

    def inputs(self) -> tuple[list[str], list[str], str]:
        """Of a row the numbers as vectors, where what its codes add is found, and the bound on rounding."""
        width, numbers = self.shape.width, self.shape.numbers
        magnitude, terms, values, starts = self._load("double", "%weights", width), f"{numbers + 1}.0", [], []
        for codes, table in zip(self._codes, self._tables, strict=True):
            wide = self._do(f"sext i32 {self._load('i32', codes, '%row')} to i64")
            offset = self._do(f"mul i64 {wide}, {width + 2}")
            starts.append(self._do(f"getelementptr double, ptr {table}, i64 {offset}"))
            magnitude = self._do(f"fadd double {magnitude}, {self._load('double', starts[-1], width)}")
            terms = self._do(f"fadd double {terms}, {self._load('double', starts[-1], width + 1)}")
        for place, (array, stride) in enumerate(zip(self._numbers, self._strides, strict=True)):
            offset = self._do(f"mul i64 %row, {stride}")
            value = self._load("double", array, offset, by="i8")
            size = self._do(f"call double @llvm.fabs.f64(double {value})")
            largest = self._load("double", "%weights", width + 1 + numbers * width + place)
            product = self._do(f"fmul double {size}, {largest}")
            magnitude = self._do(f"fadd double {magnitude}, {product}")
            values.append(self._filled(value))
        return values, starts, self._bound(magnitude, terms)

    def _bound(self, magnitude: str, terms: str) -> str:
        """As in `scoreline.compiled.linear`."""
        more = self._do(f"fadd double {terms}, 2.0")
        small = self._do(f"fmul double {more}, {_exactly(2.0**-53)}")
        above, below = self._do(f"fmul double {small}, 3.0"), self._do(f"fsub double 1.0, {small}")
        share = self._do(f"fdiv double {above}, {below}")
        return self._do(f"fadd double {self._do(f'fmul double {share}, {magnitude}')}, {_exactly(1e-300)}")

    def sum(self, first: int, values: Sequence[str], starts: Sequence[str]) -> str:
        """A vector of scores, from the given one on."""
        width, vector = self.shape.width, self.vector
        made = self._load(vector, "%weights", first, by="double")
        for start in starts:
            made = self._do(f"fadd {vector} {made}, {self._load(vector, start, first, by='double')}")
        for place, value in enumerate(values):
            coef = self._load(vector, "%weights", width + 1 + place * width + first, by="double")
            made = self._do(f"fadd {vector} {made}, {self._do(f'fmul {vector} {value}, {coef}')}")
        return made

    def decision(self, scores: Sequence[str], bound: str) -> None:
        """The label of a row, and the end of loop and function."""
        twice = self._do(f"fmul double {bound}, 2.0")
        least = self._filled(self._do(f"fsub double {self._largest(scores)}, {twice}"))
        found, label = "0", "0"
        for number, some in enumerate(scores):
            lanes = self.shape.lanes
            near = self._do(f"fcmp oge {self.vector} {some}, {least}")
            mask = self._do(f"zext i{lanes} {self._do(f'bitcast <{lanes} x i1> {near} to i{lanes}')} to i32")
            found = self._do(f"add i32 {found}, {self._do(f'call i32 @llvm.ctpop.i32(i32 {mask})')}")
            lane = self._do(f"call i32 @llvm.cttz.i32(i32 {mask}, i1 false)")
            place, here = self._do(f"add i32 {lane}, {number * lanes}"), self._do(f"icmp ne i32 {mask}, 0")
            label = self._do(f"select i1 {here}, i32 {place}, i32 {label}")
        # No score is near the best one where none is a number.
        certain, finite = self._do(f"icmp eq i32 {found}, 1"), self._do(f"fcmp olt double {bound}, {_exactly(np.inf)}")
        label = self._do(f"select i1 {certain}, i32 {label}, i32 {DOUBT}")
        label = self._do(f"select i1 {finite}, i32 {label}, i32 {NOT_FINITE}")
        self.lines += [
            "  %place = getelementptr i32, ptr %labels, i64 %row",
            f"  store i32 {label}, ptr %place, align 4",
            "  %next = add i64 %row, 1",
            "  %more = icmp slt i64 %next, %rows",
            "  br i1 %more, label %loop, label %done",
            "done:",
            "  ret void",
            "}",
        ]

    def _largest(self, scores: Sequence[str]) -> str:
        best, lanes = scores[0], self.shape.lanes
        for other in scores[1:]:
            best = self._larger(best, other)
        half = lanes // 2
        while half:
            places = ", ".join(f"i32 {(lane + half) % lanes}" for lane in range(lanes))
            kinds = f"{self.vector} {best}, {self.vector} undef, <{lanes} x i32> <{places}>"
            best, half = self._larger(best, self._do(f"shufflevector {kinds}")), half // 2
        return self._do(f"extractelement {self.vector} {best}, i32 0")

    def _larger(self, one: str, other: str) -> str:
        more = self._do(f"fcmp ogt {self.vector} {one}, {other}")
        return self._do(f"select <{self.shape.lanes} x i1> {more}, {self.vector} {one}, {self.vector} {other}")


def _exactly(value: float) -> str:
    """A number as LLVM spells it to the last bit."""
    return f"0x{int(np.float64(value).view(np.uint64)):016X}"
