"""Imported by what workers are forked from, and by a command that does without: SciPy, with no docstrings put together.

SciPy takes them apart and adds paragraphs to them while it is imported, which takes long, and nobody reads them here.
Where SciPy does not work like that, it is imported later, as ever.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def docstrings_as_they_are() -> Iterator[None]:
    """Have SciPy leave alone the docstrings of what is imported inside. Another SciPy may raise anything."""
    from scipy._lib import doccer
    from scipy._lib._docscrape import NumpyDocString

    before = NumpyDocString._parse, NumpyDocString.__str__, doccer.docformat  # noqa: SLF001  there is no other way
    NumpyDocString._parse = lambda _: None  # noqa: SLF001
    # Whoever puts one together leaves out its first line.
    NumpyDocString.__str__ = lambda *_, **__: "\n"
    doccer.docformat = lambda text, _=None: text
    try:
        yield
    finally:
        NumpyDocString._parse, NumpyDocString.__str__, doccer.docformat = before  # noqa: SLF001


with suppress(Exception), docstrings_as_they_are():
    import scipy.stats  # noqa: F401
