"""How many thresholds are below each number, by machine code that looks for eight numbers side by side."""

from __future__ import annotations

import ctypes
import logging
from functools import cache

import numpy as np

from scoreline.compiled.machine_code import MachineCode, Writer

NAN = 0xFFFF
"""The code of NaN."""

_AT_ONCE = 8
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
    writer, lanes = Writer(), range(_AT_ONCE)
    writer.lines += [
        "declare i64 @llvm.smin.i64(i64, i64)",
        "define void @rank(i64 %rows, ptr %values, ptr %cuts, i64 %most, ptr %codes) {",
        "entry:",
        f"  %last = sub i64 %rows, {_AT_ONCE}",
        "  br label %some",
        "some:",
        "  %begin = phi i64 [0, %entry], [%next, %found]",
        # The last numbers are looked for again with some of those before them.
        "  %row = call i64 @llvm.smin.i64(i64 %begin, i64 %last)",
    ]
    mine = [writer.do(f"add i64 %row, {lane}") for lane in lanes]
    values = [writer.load("double", "%values", row) for row in mine]
    writer.lines += ["  br label %search", "search:", "  %half = phi i64 [%most, %some], [%less, %search]"]
    writer.lines += [f"  %below{lane} = phi i64 [0, %some], [%more{lane}, %search]" for lane in lanes]
    writer.lines += ["  %before = sub i64 %half, 1"]
    for lane, value in zip(lanes, values, strict=True):
        cut = writer.load("double", "%cuts", writer.do(f"add i64 %below{lane}, %before"))
        # Not a branch, which would be taken at random.
        taken = writer.do(f"sext i1 {writer.do(f'fcmp olt double {cut}, {value}')} to i64")
        writer.lines += [f"  %more{lane} = add i64 %below{lane}, {writer.do(f'and i64 {taken}, %half')}"]
    writer.lines += [
        "  %less = lshr i64 %half, 1",
        "  %goes_on = icmp ne i64 %less, 0",
        "  br i1 %goes_on, label %search, label %found",
        "found:",
    ]
    for lane, row, value in zip(lanes, mine, values, strict=True):
        missing = writer.do(f"sext i1 {writer.do(f'fcmp uno double {value}, 0.0')} to i64")
        code = writer.do(f"trunc i64 {writer.do(f'or i64 %more{lane}, {missing}')} to i16")
        writer.store("i16", code, "%codes", row)
    writer.lines += [
        f"  %next = add i64 %begin, {_AT_ONCE}",
        "  %others = icmp slt i64 %next, %rows",
        "  br i1 %others, label %some, label %done",
        "done:",
        "  ret void",
        "}",
    ]
    return writer.text
