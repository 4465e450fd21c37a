"""Whether a fitted object brings code of its own, which may change while the object's hash stays the same."""

from __future__ import annotations

import functools
import gc
import sys
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

_KNOWN = frozenset({"numpy", "scipy", "sklearn", "pandas", *sys.stdlib_module_names})
"""Packages whose versions are known, and Python's own."""

_MOST = 1_000_000
"""Objects that are looked at; what holds more of them is taken to bring code."""

_UFUNCS = ("numpy", "scipy.special")


def brings_code(fitted: Sequence[Any]) -> bool:
    """Whether anything that can be reached from some objects is defined elsewhere than in known packages.

    Looks at classes of instances, at functions, and at what instances, containers, partial functions and methods hold;
    eager, a moment for thousands of objects.
    """
    waiting, seen = list(fitted), {}
    while waiting:
        found = waiting.pop()
        if id(found) in seen:
            continue
        # Kept, so that no other object comes to the same place.
        seen[id(found)] = found
        if len(seen) > _MOST or not _is_known(found):
            return True
        waiting += _inside(found)
    return False


def _is_known(found: Any) -> bool:
    if isinstance(found, ModuleType):
        return _package(found.__name__) in _KNOWN
    if isinstance(found, np.ndarray):
        # Only of plain objects it is known where they lie.
        return not found.dtype.hasobject or found.dtype == object
    if isinstance(found, np.ufunc):
        # It may be made of any function, and does not say where.
        return any(getattr(sys.modules.get(name), found.__name__, None) is found for name in _UFUNCS)
    if isinstance(found, FunctionType):
        # A decorator may give it another one's name.
        return _package(found.__globals__.get("__name__", "")) in _KNOWN
    if isinstance(found, type | BuiltinFunctionType):
        return _package(found.__module__ or "builtins") in _KNOWN
    return _package(type(found).__module__) in _KNOWN


def _package(module: str) -> str:
    return module.partition(".")[0]


def _inside(found: Any) -> list[Any]:
    """What an object holds; of code and modules nothing, for they hold everything."""
    if isinstance(found, FunctionType):
        # A decorator's function holds the one that it is around.
        return list(found.__closure__ or ())
    if isinstance(found, ModuleType | type | np.ufunc | str | bytes | int | float):
        return []
    if isinstance(found, np.ndarray):
        return found.ravel().tolist() if found.dtype == object else []
    if isinstance(found, BuiltinFunctionType):
        return [found.__self__]
    if isinstance(found, functools.partial):
        return [found.func, found.args, found.keywords]
    return gc.get_referents(found)
