"""Imported by what workers are forked from, and by a command that does without: scikit-learn, with less work.

SciPy takes docstrings apart and adds paragraphs to them while it is imported, and both have all of NumPy imported, its
tests and its compiler of Fortran, too; that takes long, and nobody here reads or calls them. Where one of them does not
work like that, it is imported later, as ever.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNUSED = {"f2py", "testing"}
"""What of NumPy is imported when somebody asks for it."""

_NAMESPACES = {"scipy._lib.array_api_compat.numpy", "sklearn.externals.array_api_compat.numpy"}
"""Who takes in all of NumPy."""


@contextmanager
def docstrings_as_they_are() -> Iterator[None]:
    """Have SciPy leave alone the docstrings of what is imported inside. Another SciPy may raise anything."""
    from scipy._lib import doccer
    from scipy._lib._docscrape import FunctionDoc, NumpyDocString

    # There is no other way.
    before = FunctionDoc.__init__, NumpyDocString._parse, NumpyDocString.__str__, doccer.docformat  # noqa: SLF001
    FunctionDoc.__init__ = _unread
    NumpyDocString._parse = lambda _: None  # noqa: SLF001
    # Whoever puts one together leaves out its first line.
    NumpyDocString.__str__ = lambda *_, **__: "\n"
    doccer.docformat = lambda text, _=None: text
    try:
        yield
    finally:
        FunctionDoc.__init__, NumpyDocString._parse, NumpyDocString.__str__, doccer.docformat = before  # noqa: SLF001


def _unread(doc: Any, function: Any, role: str = "func", **_: Any) -> None:
    """A docstring with empty sections, which is neither looked for nor copied."""
    doc._f, doc._role = function, role  # noqa: SLF001
    doc._parsed_data = {  # noqa: SLF001
        name: [] if isinstance(section, list) else section for name, section in doc.sections.items()
    }


@contextmanager
def without_unused() -> Iterator[None]:
    """Have those who take in all of NumPy do without `_UNUSED`. Another NumPy may raise anything."""
    numpy: Any = np
    before = numpy.__all__, numpy.__numpy_submodules__
    numpy.__all__ = [name for name in numpy.__all__ if name not in _UNUSED]
    numpy.__numpy_submodules__ = numpy.__numpy_submodules__ - _UNUSED
    try:
        yield
    finally:
        numpy.__all__, numpy.__numpy_submodules__ = before
        for namespace in _NAMESPACES & sys.modules.keys():
            # What they did without is there for who asks.
            vars(sys.modules[namespace])["__getattr__"] = partial(getattr, np)


with suppress(Exception), docstrings_as_they_are(), without_unused():
    import scipy.stats  # noqa: F401
    import sklearn.compose  # noqa: F401
