"""Machine code that adds up the scores of a linear model and tells the label where it is beyond doubt.

It is written for LLVM itself, whose loading takes a small part of what numba's takes, and for one shape of model: rows
one after another, the scores of a row side by side in vectors. Each addition is one of float64, in the given order, and
none is left out: scores are those of scikit-learn where it adds up in this order too, and the bound on rounding of
`scoreline.compiled.linear` holds where it does not.
"""

from __future__ import annotations

import ctypes
import logging
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from scoreline.compiled.machine_code import Writer, columns_given, hold, machine_code

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DOUBT, NOT_FINITE = -1, -2
"""What stands in the place of a label: scores too close to one another, or some that are not finite."""

MOST_TERMS = 512
"""Vectors that are added up for a row: with more, the code would be long, and BLAS is as fast."""

KERNEL_ROWS = 16 * 16_384
"""Machine code is made once so many rows have come: by then it would have saved what it costs."""

_ARRAYS = ("codes", "tables", "numbers", "strides", "weights", "labels")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Shape:
    """What is added up for a row.

    Attributes
    ----------
    order : "c" for a column in codes, "n" for a number, as they are added up
    scores : how many; behind them fillers end the last vector
    exact : whether the intercept comes last, and the scores are the very ones to compare: the first of the best wins

    >>> Shape("ccnc", 22).lanes, Shape("ccnc", 22).width, Shape("ccnc", 22).columns
    (8, 24, 3)
    """

    order: str
    scores: int
    exact: bool = False

    @property
    def columns(self) -> int:
        """Columns in codes."""
        return self.order.count("c")

    @property
    def numbers(self) -> int:
        """Numbers."""
        return self.order.count("n")

    @property
    def lanes(self) -> int:
        """Scores in a vector."""
        return next((lanes for lanes in (2, 4) if self.scores <= lanes), 8)

    @property
    def width(self) -> int:
        """Scores and fillers."""
        return -(-self.scores // self.lanes) * self.lanes

    @property
    def looked_up(self) -> int:
        """What is looked up for a code: scores and fillers, and where these are not exact their magnitude and count."""
        return self.width + (0 if self.exact else 2)

    @property
    def terms(self) -> int:
        """Vectors that are added up for a row."""
        return len(self.order) * (self.width // self.lanes)


class Kernel:
    """The machine code for a model. Safe for threads.

    Making it takes some hundredths of a second; raises what LLVM raises where it does not work.

    Parameters
    ----------
    shape : what is added up
    weights : float64: the intercepts (width,), the coefficients (numbers, width), and where scores are not exact the
        magnitude of the intercepts, then of the coefficients of each number
    """

    def __init__(self, shape: Shape, weights: np.ndarray) -> None:
        self.shape = shape
        self._weights = np.ascontiguousarray(weights, dtype=np.float64)
        self._code = machine_code(code(shape), "decide", ctypes.c_int64, *[ctypes.c_void_p] * len(_ARRAYS))

    def labels(
        self, codes: Sequence[np.ndarray], tables: Sequence[np.ndarray], numbers: Sequence[np.ndarray], rows: int
    ) -> np.ndarray:
        """The place of each row's best score, or DOUBT or NOT_FINITE; int32 (rows,).

        Raises ValueError for arrays of another shape or type. Codes that are not in their table end the process.

        Parameters
        ----------
        codes : for each column int32 (rows,), contiguous: rows of its table
        tables : for each column float64 (values, looked_up), contiguous: what is added to the scores, and where they
            are not exact the magnitude of it, and the count of terms
        numbers : for each number float64 (rows,), with any stride
        """
        given, width = columns_given(codes, tables, numbers, rows), self.shape.looked_up
        hold(len(tables) == self.shape.columns, len(numbers) == self.shape.numbers)
        hold(*(each.shape[1:] == (width,) for each in tables))
        made = np.empty(rows, np.int32)
        self._code.call(rows, *(each.ctypes.data for each in (*given, self._weights, made)))
        return made


class Trial:
    """Whether a model has machine code: not before enough rows have come, nor when it differs. Safe for threads."""

    def __init__(self) -> None:
        self.kernel: Kernel | None = None
        self._rows = 0
        self._over = False
        self._lock = Lock()

    def learn(self, rows: int, make: Callable[[], Kernel | None], holds: Callable[[Kernel], bool]) -> None:
        """Count the rows of a part; when it is time, make the code, and keep it if it answers alike."""
        with self._lock:
            self._rows += rows
            if self._over or self._rows < KERNEL_ROWS:
                return
            self._over = True
        try:
            kernel = make()
            same = kernel is None or holds(kernel)
        except Exception as error:  # noqa: BLE001  LLVM is not there, or of another version
            _log.info("a linear model goes on without machine code: %s: %s", type(error).__name__, error)
            return
        if same:
            self.kernel = kernel
        else:
            _log.warning("a linear model goes on without machine code, which comes to other labels")


def vectors(scores: np.ndarray, width: int) -> np.ndarray:
    """Scores (rows, scores) as machine code takes them: (rows, width), one for each class, and fillers of zero.

    >>> vectors(np.array([[3.0]]), 2).tolist(), vectors(np.array([[3.0, 1.0, 2.0]]), 4).tolist()
    ([[-3.0, 3.0]], [[3.0, 1.0, 2.0, 0.0]])
    """
    # Of two classes, which have one score, the second wins when it is above zero, and so above minus itself.
    both = np.hstack([-scores, scores]) if scores.shape[1] == 1 else scores
    return np.pad(both, ((0, 0), (0, width - both.shape[1])))


def code(shape: Shape) -> str:
    """The function `decide` in the language of LLVM."""
    writer = _Writer(shape)
    writer.begin()
    starts, values = writer.starts(), writer.values()
    scores = [writer.sum(first, starts, values) for first in range(0, shape.width, shape.lanes)]
    writer.end(writer.first_of_best(scores) if shape.exact else writer.certain(scores, writer.bound(starts, values)))
    return writer.text


class _Writer(Writer):
    """Writes the code for one row in a loop over all of them."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.vector = f"<{shape.lanes} x double>"

    def _filled(self, value: str) -> str:
        return self.filled("double", self.shape.lanes, value)

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
        self._codes = [self.load("ptr", "%codes", place) for place in columns]
        self._tables = [self.load("ptr", "%tables", place) for place in columns]
        self._numbers = [self.load("ptr", "%numbers", place) for place in numbers]
        self._strides = [self.load("i64", "%strides", place) for place in numbers]
        self.lines += [
            "  %some = icmp sgt i64 %rows, 0",
            "  br i1 %some, label %loop, label %done",
            "loop:",
            "  %row = phi i64 [0, %entry], [%next, %loop]",
        ]

    def starts(self) -> list[str]:
        """Where what each code adds is found."""
        made = []
        for codes, table in zip(self._codes, self._tables, strict=True):
            wide = self.do(f"sext i32 {self.load('i32', codes, '%row')} to i64")
            offset = self.do(f"mul i64 {wide}, {self.shape.looked_up}")
            made.append(self.do(f"getelementptr double, ptr {table}, i64 {offset}"))
        return made

    def values(self) -> list[str]:
        """The numbers."""
        offsets = [self.do(f"mul i64 %row, {stride}") for stride in self._strides]
        pairs = zip(self._numbers, offsets, strict=True)
        return [self.load("double", array, offset, by="i8") for array, offset in pairs]

    def bound(self, starts: Sequence[str], values: Sequence[str]) -> str:
        """The bound on rounding, as in `scoreline.compiled.linear`."""
        width, sizes = self.shape.width, self.shape.width * (1 + self.shape.numbers)
        magnitude, terms = self.load("double", "%weights", sizes), f"{len(values) + 1}.0"
        for start in starts:
            magnitude = self.do(f"fadd double {magnitude}, {self.load('double', start, width)}")
            terms = self.do(f"fadd double {terms}, {self.load('double', start, width + 1)}")
        for place, value in enumerate(values):
            size = self.do(f"call double @llvm.fabs.f64(double {value})")
            product = self.do(f"fmul double {size}, {self.load('double', '%weights', sizes + 1 + place)}")
            magnitude = self.do(f"fadd double {magnitude}, {product}")
        small = self.do(f"fmul double {self.do(f'fadd double {terms}, 2.0')}, {_exactly(2.0**-53)}")
        above, below = self.do(f"fmul double {small}, 3.0"), self.do(f"fsub double 1.0, {small}")
        share = self.do(f"fdiv double {above}, {below}")
        return self.do(f"fadd double {self.do(f'fmul double {share}, {magnitude}')}, {_exactly(1e-300)}")

    def sum(self, first: int, starts: Sequence[str], values: Sequence[str]) -> str:
        """A vector of scores, from the given one on."""
        width, vector = self.shape.width, self.vector
        intercept = self.load(vector, "%weights", first, by="double")
        made = "zeroinitializer" if self.shape.exact else intercept
        columns, numbers = iter(starts), iter(enumerate(values))
        for kind in self.shape.order:
            if kind == "c":
                term = self.load(vector, next(columns), first, by="double")
            else:
                place, value = next(numbers)
                coef = self.load(vector, "%weights", (place + 1) * width + first, by="double")
                term = self.do(f"fmul {vector} {self.filled('double', self.shape.lanes, value)}, {coef}")
            made = self.do(f"fadd {vector} {made}, {term}")
        return self.do(f"fadd {vector} {made}, {intercept}") if self.shape.exact else made

    def certain(self, scores: Sequence[str], bound: str) -> str:
        """The label, if only one score is so large that it may be the best one."""
        twice = self.do(f"fmul double {bound}, 2.0")
        masks = self._masks("oge", scores, self.do(f"fsub double {self._largest(scores)}, {twice}"))
        found = "0"
        for mask in masks:
            found = self.do(f"add i32 {found}, {self.do(f'call i32 @llvm.ctpop.i32(i32 {mask})')}")
        # No score is near the best one where none is a number.
        certain, finite = self.do(f"icmp eq i32 {found}, 1"), self.do(f"fcmp one double {bound}, {_exactly(np.inf)}")
        label = self.do(f"select i1 {certain}, i32 {self._first(masks)}, i32 {DOUBT}")
        return self.do(f"select i1 {finite}, i32 {label}, i32 {NOT_FINITE}")

    def first_of_best(self, scores: Sequence[str]) -> str:
        """The label, as ``argmax`` finds it, unless a score is not finite."""
        label = self._first(self._masks("oge", scores, self._largest(scores)))
        # Minus itself an infinite score is NaN. Fillers, which are infinite, do not count.
        finite = "1"
        for number, some in enumerate(scores):
            kept = min(self.shape.lanes, self.shape.scores - number * self.shape.lanes)
            difference = self.do(f"fsub {self.vector} {some}, {some}")
            (mask,) = self._masks("ord", [difference], "0.0")
            own = self.do(f"and i32 {mask}, {(1 << kept) - 1}")
            whole = self.do(f"icmp eq i32 {own}, {(1 << kept) - 1}")
            finite = self.do(f"and i1 {finite}, {whole}")
        return self.do(f"select i1 {finite}, i32 {label}, i32 {NOT_FINITE}")

    def _masks(self, comparison: str, scores: Sequence[str], value: str) -> list[str]:
        """For each vector of scores a bit for each that compares so with a value."""
        filled, lanes, masks = self._filled(value), self.shape.lanes, []
        for some in scores:
            near = self.do(f"fcmp {comparison} {self.vector} {some}, {filled}")
            masks.append(self.do(f"zext i{lanes} {self.do(f'bitcast <{lanes} x i1> {near} to i{lanes}')} to i32"))
        return masks

    def _first(self, masks: Sequence[str]) -> str:
        """The place of the first bit that is set."""
        label = "0"
        for number, mask in reversed(list(enumerate(masks))):
            lane = self.do(f"call i32 @llvm.cttz.i32(i32 {mask}, i1 false)")
            place, here = self.do(f"add i32 {lane}, {number * self.shape.lanes}"), self.do(f"icmp ne i32 {mask}, 0")
            label = self.do(f"select i1 {here}, i32 {place}, i32 {label}")
        return label

    def end(self, label: str) -> None:
        """The label of a row, and the end of loop and function."""
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
            best, half = self._larger(best, self.do(f"shufflevector {kinds}")), half // 2
        return self.do(f"extractelement {self.vector} {best}, i32 0")

    def _larger(self, one: str, other: str) -> str:
        more = self.do(f"fcmp ogt {self.vector} {one}, {other}")
        return self.do(f"select <{self.shape.lanes} x i1> {more}, {self.vector} {one}, {self.vector} {other}")


def _exactly(value: float) -> str:
    """A number as LLVM spells it to the last bit."""
    return f"0x{int(np.float64(value).view(np.uint64)):016X}"
