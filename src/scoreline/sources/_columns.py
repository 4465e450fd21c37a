"""Which columns the files of a source have, against what is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scoreline.errors import Problem, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_FILES_SHOWN, _COLUMNS_SHOWN = 3, 20


def contract_names(found: Sequence[str], wanted: Iterable[str]) -> tuple[str, ...]:
    """The found names as the contract calls them: one that is wanted but for white space around it takes that name.

    >>> contract_names(["id", " valor "], ["valor"])
    ('id', 'valor')
    """
    asked = frozenset(wanted)
    missing = {name.strip(): name for name in asked.difference(found)}
    bare = [name.strip() for name in found]
    return tuple(
        missing[name.strip()]
        if name not in asked and name.strip() in missing and bare.count(name.strip()) == 1
        else name
        for name in found
    )


def some_files(paths: Sequence[str]) -> str:
    """The first few files and how many more.

    >>> some_files(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    more = len(paths) - _FILES_SHOWN
    return ", ".join(paths[:_FILES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def quoted(names: Iterable[str]) -> str:
    """Names in quotes.

    >>> quoted(["a", "b"])
    "'a', 'b'"
    """
    return ", ".join(f"'{name}'" for name in names)


def repeated_names(names: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    """One problem for each name that several columns of a file have; `names` are the columns of each file by path."""
    places: dict[str, list[str]] = {}
    for path, columns in names.items():
        for name in sorted({name for name in columns if columns.count(name) > 1}):
            places.setdefault(name, []).append(path)
    for name, paths in places.items():
        yield Problem(f"several columns are named '{name}'", some_files(paths), "give each column a name of its own")


def missing_columns(names: Mapping[str, Sequence[str]], needed: Iterable[str]) -> Iterator[Problem]:
    """One problem for each needed column that no file has, and one for each set of files that lack the same columns."""
    lacking: dict[tuple[str, ...], list[str]] = {}
    for name in needed:
        paths = tuple(path for path, columns in names.items() if name not in columns)
        if paths:
            lacking.setdefault(paths, []).append(name)
    for paths, columns in lacking.items():
        here = names[paths[0]]
        if len(paths) == len(names):
            yield from (Problem(f"no column '{name}'", some_files(paths), _guess(name, here)) for name in columns)
            continue
        which = f"column {quoted(columns)} is" if len(columns) == 1 else f"columns {quoted(columns)} are"
        rest = [name for name in here if name not in columns]
        advice = f"{_guess(columns[0], rest)}; mend these files or read them by themselves"
        yield Problem(f"{which} missing in {len(paths)} of {len(names)} files", some_files(paths), advice)


def undeclared_columns(columns: Iterable[str], declared: Iterable[str], where: str) -> Iterator[Problem]:
    """A problem when there are columns that the contract does not name."""
    known = frozenset(declared)
    others = [name for name in columns if name not in known]
    if others:
        advice = 'declare them under "contract.columns", or set "contract.extra_columns" to "keep" or "drop"'
        yield Problem(f"columns that the contract does not name: {quoted(others)}", where, advice)


def _guess(name: str, here: Sequence[str]) -> str:
    close = nearest(name, here, 3)
    guess = f"did you mean {' or '.join(repr(other) for other in close)}? " if close else ""
    more = f" and {len(here) - _COLUMNS_SHOWN} more" if len(here) > _COLUMNS_SHOWN else ""
    return f"{guess}columns here: {quoted(here[:_COLUMNS_SHOWN])}{more}"
