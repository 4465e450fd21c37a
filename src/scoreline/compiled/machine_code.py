"""Instructions for LLVM, and the machine code that it makes of them: it loads in a small part of numba's time."""

from __future__ import annotations

import ctypes
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence


class MachineCode:
    """The function of one name in a text in the language of LLVM, ready to be called. Safe for threads.

    Making it takes some hundredths of a second; raises what LLVM raises where it does not work.

    Parameters
    ----------
    text : the whole module
    name : the function, which gives nothing back
    arguments : the types of what it takes
    """

    def __init__(self, text: str, name: str, *arguments: Any) -> None:
        # Imported here: small jobs do without.
        from llvmlite import binding

        binding.initialize_native_target()
        binding.initialize_native_asmprinter()
        features = binding.get_host_cpu_features().flatten()
        target = binding.Target.from_default_triple()
        machine = target.create_target_machine(binding.get_host_cpu_name(), features, opt=3)
        module = binding.parse_assembly(text)
        module.verify()
        # The code lives as long as its engine.
        self._engine: Any = binding.create_mcjit_compiler(module, machine)
        self._engine.finalize_object()
        # The lock of the interpreter is let go during calls.
        self.call = ctypes.CFUNCTYPE(None, *arguments)(self._engine.get_function_address(name))


@lru_cache(maxsize=64)
def machine_code(text: str, name: str, *arguments: Any) -> MachineCode:
    """`MachineCode`, made once for a text: models of one shape share it."""
    return MachineCode(text, name, *arguments)


@cache
def processor_has(feature: str) -> bool:
    """Whether this processor has some instructions, by their name in LLVM; raises what LLVM raises."""
    from llvmlite import binding

    return bool(binding.get_host_cpu_features().get(feature))


def hold(*conditions: bool) -> None:
    """Raise ValueError unless all conditions hold that code has of what it is given."""
    if not all(conditions):
        what = "arrays of another shape or type than the code is made for"
        raise ValueError(what)


def columns_given(
    codes: Sequence[np.ndarray], tables: Sequence[np.ndarray], numbers: Sequence[np.ndarray], rows: int
) -> list[np.ndarray]:
    """Columns as code takes them: the addresses of each group, then the strides of the numbers.

    Codes are int32 (rows,) and contiguous, tables float64 and contiguous, numbers float64 (rows,) with any stride;
    raises ValueError where they are not.
    """
    hold(len(codes) == len(tables), *(each.shape == (rows,) for each in (*codes, *numbers)))
    hold(*(each.dtype == np.int32 for each in codes), *(each.dtype == np.float64 for each in (*tables, *numbers)))
    hold(*(each.flags.c_contiguous for each in (*codes, *tables)))
    groups = (np.array([each.ctypes.data for each in group], np.uintp) for group in (codes, tables, numbers))
    return [*groups, np.array([each.strides[0] for each in numbers], np.int64)]


class Writer:
    """Writes the instructions one after another; each method gives the name of what it computes."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    @property
    def text(self) -> str:
        """All that was written."""
        return "\n".join(self.lines)

    def write(self, *lines: str) -> None:
        """Lines as they are: labels, branches, what has a name of its own."""
        self.lines += lines

    def do(self, instruction: str) -> str:
        """An instruction that has a result."""
        name = f"%v{len(self.lines)}"
        self.lines.append(f"  {name} = {instruction}")
        return name

    def at(self, kind: str, array: str, place: int | str) -> str:
        """The address of an entry of an array, counted in values of a type."""
        return self.do(f"getelementptr {kind}, ptr {array}, i64 {place}")

    def load(self, kind: str, array: str, place: int | str = 0, *, by: str = "") -> str:
        """The entry of an array at a place, which is counted in entries or in values of another type."""
        return self.do(f"load {kind}, ptr {self.at(by or kind, array, place)}, align {_alignment(by or kind)}")

    def store(self, kind: str, value: str, array: str, place: int | str = 0, *, by: str = "") -> None:
        """Write an entry of an array."""
        address = self.at(by or kind, array, place)
        self.lines.append(f"  store {kind} {value}, ptr {address}, align {_alignment(by or kind)}")

    def filled(self, kind: str, lanes: int, value: str) -> str:
        """A vector of one value."""
        vector = f"<{lanes} x {kind}>"
        first = self.do(f"insertelement {vector} undef, {kind} {value}, i32 0")
        return self.do(f"shufflevector {vector} {first}, {vector} undef, <{lanes} x i32> zeroinitializer")


def constant(kind: str, lanes: int, value: float | str) -> str:
    """A vector of one value that is known beforehand."""
    return "<" + ", ".join([f"{kind} {value}"] * lanes) + ">"


def _alignment(kind: str) -> int:
    return {"i8": 1, "i16": 2, "i32": 4}.get(kind, 8)
