"""What can go wrong, as a user sees it: a tree of errors, each with one exit code.

ScorelineError        1  a bug of ours
├── UsageError        2  the command line or the config
│   └── StepError     2  a step cannot work on the columns it is given
├── DataError         3  input data or contract
├── ModelError        4  a model refused: gate, tampering, version, parity
├── StorageError      5  storage or permission
├── ClusterError      6  no scheduler, no workers, versions that differ
├── ConflictError     7  another writer won, or the state of the commit is unknown
└── BudgetError       8  more rows refused than the error budget allows
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend: what is wrong, where it is, what to do next.

    `where` may be a JSON path of the config, such as ``$.train.split``: commands tell it with file and line. As text it
    is always three lines, whatever characters the names of columns and files hold.

    >>> print(Problem("no column 'valr'", "config.json:3:5 ($.target)", "did you mean 'valor'?"))
    no column 'valr'
      where: config.json:3:5 ($.target)
      do:    did you mean 'valor'?
    """

    what: str
    where: str = ""
    advice: str = ""

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.advice:
            lines.append(f"  do:    {self.advice}")
        return "\n".join(map(printable, lines))


def printable(text: str) -> str:
    r"""A text with everything that a terminal would obey spelled out.

    >>> printable("a\x1b[31mb\n")
    'a\\x1b[31mb\\n'
    """
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def counted(number: int, noun: str) -> str:
    """A number of things, as people write it.

    >>> counted(1, "unit"), counted(2000, "row")
    ('1 unit', '2,000 rows')
    """
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def nearest(name: str, names: Sequence[str], most: int = 1) -> list[str]:
    """The names that may be meant: those that differ in case or space alone, or else those spelled alike; best first.

    >>> nearest("cidade", ["idade", "Cidade"]), nearest("valr", ["valor", "sexo"]), nearest("x", ["valor"])
    (['Cidade'], ['valor'], [])
    """
    alike = [other for other in names if other.strip().casefold() == name.strip().casefold()]
    return alike[:most] or get_close_matches(name, names, most)


class ScorelineError(Exception):
    """All problems of one kind that were found, raised together.

    The problems are the exception's ``args``, so that it survives the pickling that brings it home from a worker.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The problems, in the order in which they were found."""
        return self.args

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class UsageError(ScorelineError):
    """The command line or the config asks for something impossible."""

    exit_code = 2


class StepError(UsageError):
    """A cleaning step or transformer cannot work on the columns it would be given."""


class DataError(ScorelineError):
    """The input data cannot be read, or disagree with the contract."""

    exit_code = 3


class ModelError(ScorelineError):
    """A model is refused: gate, hash, trust, version or features."""

    exit_code = 4


class StorageError(ScorelineError):
    """Reading or writing bytes failed: missing bucket, permission, no space."""

    exit_code = 5


class ClusterError(ScorelineError):
    """No scheduler, no workers, workers lost, or versions that differ."""

    exit_code = 6


class ConflictError(ScorelineError):
    """Another run published first, or nobody can tell whether a commit happened."""

    exit_code = 7


class BudgetError(ScorelineError):
    """More rows were refused than the error budget allows; nothing is published."""

    exit_code = 8
