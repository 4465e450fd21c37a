"""How many thresholds are below each number, by machine code that looks for many numbers side by side."""

from __future__ import annotations

import ctypes
import logging
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from scoreline.compiled.machine_code import MachineCode, Writer

if TYPE_CHECKING:
    from collections.abc import Sequence

NAN = 0xFFFF
"""The code of NaN."""

_LANES, _VECTORS = 4, 8
_AT_ONCE = _LANES * _VECTORS
_NUMBERS, _PLACES = f"<{_LANES} x double>", f"<{_LANES} x i64>"
_log = logging.getLogger(__name__)


def ranks(values: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """For each number how many of the sorted `cuts` are below it, and `NAN` for NaN; uint16. Both are float64.

    >>> ranks(np.array([1.0, 1.5, np.nan]), np.array([1.0, 2.0])).tolist()
    [0, 1, 65535]
    """
    code = _code() if len(values) >= _AT_ONCE else None
    if code is None:
        return np.where(np.isnan(values), NAN, np.searchsorted(cuts, values)).astype(np.uint16)
    values, made = np.ascontiguousarray(values, np.float64), np.empty(len(values), np.uint16)
    half = max(1, 1 << len(cuts).bit_length() >> 1)
    # Nothing is above NaN, which fills up: the search halves what is left until nothing is.
    filled = np.append(cuts, np.full(2 * half - 1 - len(cuts), np.nan))
    code.call(len(values), values.ctypes.data, filled.ctypes.data, half, made.ctypes.data)
    return made


@cache
def _code() -> MachineCode | None:
    """The machine code, made once; None where LLVM does not work."""
    whole, array = ctypes.c_int64, ctypes.c_void_p
    try:
        return MachineCode(_text(), "rank", whole, array, array, whole, array)
    except Exception as error:  # noqa: BLE001  LLVM is not there, or of another version
        _log.info("numbers are looked for without machine code: %s: %s", type(error).__name__, error)
        return None


def _text() -> str:
    """The function `rank` in the language of LLVM, for at least as many numbers as it looks for at once."""
    writer, vectors = Writer(), range(_VECTORS)
    writer.write(
        "declare i64 @llvm.smin.i64(i64, i64)",
        "define void @rank(i64 %rows, ptr %values, ptr %cuts, i64 %most, ptr %codes) {",
        "entry:",
        f"  %last = sub i64 %rows, {_AT_ONCE}",
        "  br label %some",
        "some:",
        "  %begin = phi i64 [0, %entry], [%next, %found]",
        # The last numbers are looked for again with some of those before them.
        "  %row = call i64 @llvm.smin.i64(i64 %begin, i64 %last)",
    )
    mine = [writer.do(f"add i64 %row, {_LANES * vector}") for vector in vectors]
    values = [writer.load(_NUMBERS, "%values", row, by="double") for row in mine]
    writer.write("  br label %search", "search:", "  %half = phi i64 [%most, %some], [%less, %search]")
    writer.write(
        *(f"  %below{vector} = phi {_PLACES} [zeroinitializer, %some], [%more{vector}, %search]" for vector in vectors)
    )
    _step(writer, values)
    writer.write(
        "  %less = lshr i64 %half, 1",
        "  %goes_on = icmp ne i64 %less, 0",
        "  br i1 %goes_on, label %search, label %found",
        "found:",
    )
    for vector, row, value in zip(vectors, mine, values, strict=True):
        missing = _all_or_nothing(writer, f"fcmp uno {_NUMBERS} {value}, zeroinitializer")
        code = writer.do(f"trunc {_PLACES} {writer.do(f'or {_PLACES} %more{vector}, {missing}')} to <{_LANES} x i16>")
        writer.store(f"<{_LANES} x i16>", code, "%codes", row, by="i16")
    writer.write(
        f"  %next = add i64 %begin, {_AT_ONCE}",
        "  %others = icmp slt i64 %next, %rows",
        "  br i1 %others, label %some, label %done",
        "done:",
        "  ret void",
        "}",
    )
    return writer.text


def _step(writer: Writer, values: Sequence[str]) -> None:
    """Half of what is left is below a number, or is not; no branch, which would be taken at random."""
    half, middle = writer.filled("i64", _LANES, "%half"), writer.at("double", "%cuts", writer.do("sub i64 %half, 1"))
    for vector, value in enumerate(values):
        cut = "undef"
        # Instructions that load a vector from several places are no faster, and on some processors far slower.
        for lane in range(_LANES):
            place = writer.do(f"extractelement {_PLACES} %below{vector}, i64 {lane}")
            cut = writer.do(
                f"insertelement {_NUMBERS} {cut}, double {writer.load('double', middle, place)}, i64 {lane}"
            )
        taken = _all_or_nothing(writer, f"fcmp olt {_NUMBERS} {cut}, {value}")
        writer.write(f"  %more{vector} = add {_PLACES} %below{vector}, {writer.do(f'and {_PLACES} {taken}, {half}')}")


def _all_or_nothing(writer: Writer, test: str) -> str:
    """All bits where a test holds, else none."""
    return writer.do(f"sext <{_LANES} x i1> {writer.do(test)} to {_PLACES}")
