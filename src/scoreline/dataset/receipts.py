"""Receipts: the immutable record that one unit is done, and the account of its rows."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from scoreline.errors import Problem, ScorelineError, StorageError
from scoreline.storage import Created, create, read_all, read_bytes
from scoreline.units import InputFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scoreline.dataset.layout import Layout


@dataclass(frozen=True)
class StoredFile:
    """A file that a receipt vouches for; `path` is relative to the store."""

    path: str
    sha256: str
    size: int

    @property
    def name(self) -> str:
        """The name of the file in its folder."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Receipt:
    """What became of the rows of one unit.

    Attributes
    ----------
    unit, rows_in, predicted, filtered : the unit's name and counts of its rows
    refused : rows in quarantine by reason code
    data, quarantine : the files written; no quarantine file without refused rows
    hits : rows matched and rows looked up, by join
    files : the input files that the unit read, as they were
    recipe : hash of all that made predictions of them, such as model and cleaning: a score_key without its input
    """

    unit: str
    rows_in: int
    predicted: int
    filtered: int
    refused: Mapping[str, int]
    data: StoredFile
    quarantine: StoredFile | None = None
    hits: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    files: tuple[InputFile, ...] = ()
    recipe: str = ""

    @property
    def quarantined(self) -> int:
        """Rows in quarantine."""
        return sum(self.refused.values())

    @property
    def stored(self) -> tuple[StoredFile, ...]:
        """All files that it vouches for."""
        return (self.data,) if self.quarantine is None else (self.data, self.quarantine)

    def balanced(self) -> bool:
        """True when every row of the unit is accounted for."""
        return self.rows_in == self.predicted + self.quarantined + self.filtered

    def as_line(self) -> bytes:
        """The receipt as one line of JSON, always in the same form."""
        return json.dumps(asdict(self), sort_keys=True).encode()


def write_receipt(layout: Layout, receipt: Receipt) -> Receipt:
    """Create the unit's receipt and return the one that stands: an earlier attempt's, when it was first.

    Raises ScorelineError when the rows do not add up, StorageError when the store gives no answer, or holds a receipt
    for other bytes than are there.
    """
    if not receipt.balanced():
        raise ScorelineError(_unbalanced(receipt))
    uri = layout.receipt(receipt.unit)
    outcome = create(uri, receipt.as_line())
    if outcome is Created.UNKNOWN:
        raise StorageError(no_answer(uri))
    if outcome is Created.CREATED:
        return receipt
    standing = parsed(read_bytes(uri), uri, _DELETE)
    if standing.data != receipt.data:
        advice = "delete this receipt, then run the same command again"
        raise StorageError(Problem("this receipt is of another file than the one that is there", uri, advice))
    return standing


def read_receipts(layout: Layout, names: Iterable[str]) -> list[Receipt]:
    """The receipts of units; eager, a read for each. Raises DataError when one of them has none."""
    uris = [layout.receipt(name) for name in sorted(names)]
    return [parsed(body, uri, _DELETE) for body, uri in zip(read_all(uris), uris, strict=True)]


def refused_in_all(receipts: Iterable[Receipt]) -> dict[str, int]:
    """Rows in quarantine by reason code, over all units, most first."""
    total: dict[str, int] = {}
    for receipt in receipts:
        for reason, count in receipt.refused.items():
            total[reason] = total.get(reason, 0) + count
    return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))


def no_answer(uri: str) -> Problem:
    """The problem of a write whose outcome nobody can tell."""
    return Problem(
        "the store did not say whether the write happened; nothing was deleted",
        uri,
        "run the same command again: what is finished is kept",
    )


_RESTORE = "restore it from a copy; scoreline data verify says what else is damaged"
_DELETE = "delete it, then run the same command again: its unit is predicted once more, the others are kept"


def parsed(line: bytes, uri: str, advice: str = _RESTORE) -> Receipt:
    """The receipt that a line of JSON stands for. Raises StorageError with `uri` and `advice` when it is damaged."""
    try:
        return _parsed(json.loads(line))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StorageError(Problem("this record of ours is damaged", uri, advice)) from error


def _parsed(stored: dict[str, Any]) -> Receipt:
    quarantine = stored.pop("quarantine")
    hits = {name: (pair[0], pair[1]) for name, pair in stored.pop("hits").items()}
    files = tuple(InputFile(*file) for file in stored.pop("files"))
    return Receipt(
        **{**stored, "data": StoredFile(**stored["data"])},
        quarantine=None if quarantine is None else StoredFile(**quarantine),
        hits=hits,
        files=files,
    )


def _unbalanced(receipt: Receipt) -> Problem:
    return Problem(
        f"{receipt.rows_in} rows in, but {receipt.predicted} predicted + {receipt.quarantined} quarantined "
        f"+ {receipt.filtered} filtered",
        f"unit {receipt.unit}",
        "this is a bug of ours: nothing is published; please report it with the run's log.txt",
    )
