"""What steps say about column names that are not there."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from scoreline.errors import Problem, StepError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SHOWN = 20


def place(kind: str) -> str:
    """Where a problem of a step is."""
    return f"clean step '{kind}'"


def absent(kind: str, names: Iterable[str], known: Sequence[str]) -> list[Problem]:
    """One problem for each of `names` that is not among the `known` columns.

    >>> absent("trim_strings", ["cidad"], ["cidade", "valor"])[0].advice
    "did you mean 'cidade'? columns here: cidade, valor"
    """
    here = frozenset(known)
    return [
        Problem(f"no column '{name}'", place(kind), f"{_guess(name, known)}{_listing(known)}")
        for name in names
        if name not in here
    ]


def repeated(kind: str, names: Sequence[str], advice: str) -> list[Problem]:
    """One problem for each name that a step would give to more than one column."""
    twice = sorted({name for name in names if names.count(name) > 1})
    return [Problem(f"two columns would be named '{name}'", place(kind), advice) for name in twice]


def refuse_any(problems: Sequence[Problem]) -> None:
    """Raise all problems as one StepError, if there are any."""
    if problems:
        raise StepError(*problems)


def _guess(name: str, known: Sequence[str]) -> str:
    alike = {other.strip().casefold(): other for other in known}
    same = alike.get(name.strip().casefold())
    close = [same] if same is not None else get_close_matches(name, known, n=3, cutoff=0.6)
    return f"did you mean {' or '.join(repr(other) for other in close)}? " if close else ""


def _listing(known: Sequence[str]) -> str:
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return f"columns here: {', '.join(known[:_SHOWN])}{more}" if known else "there are no columns here"
