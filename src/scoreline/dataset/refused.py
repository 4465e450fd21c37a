"""What is in quarantine: refused rows of a run by reason, and where to find them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from scoreline.dataset.manifests import finished
from scoreline.errors import counted, printable
from scoreline.storage import join, open_input

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from scoreline.dataset.layout import Layout

_GROUP = ("_reason_code", "_column", "_stage", "_reason_detail")
_IDENTITY = ("_source_file", "_source_row")
_BATCH_ROWS = 65_536


@dataclass(frozen=True)
class Group:
    """Rows that were refused for one reason, and the identity of the first of them."""

    reason: str
    column: str | None
    stage: str
    detail: str
    rows: int
    first_file: str
    first_row: int

    def as_json(self) -> dict[str, Any]:
        """All fields as JSON values."""
        return dict(vars(self))

    def __str__(self) -> str:
        """As a person reads it."""
        column = f" in column '{self.column}'" if self.column else ""
        place = f"{self.first_file}, row {self.first_row}"
        return printable(f"{self.reason}{column} ({self.stage}): {self.detail}; first in {place}")


@dataclass(frozen=True)
class Refused:
    """The quarantine of a run: where it is, the groups of rows, most first, and the first rows as they came."""

    folder: str
    run: str
    groups: tuple[Group, ...]
    examples: tuple[dict[str, Any], ...] = ()

    @property
    def rows(self) -> int:
        """Rows in quarantine."""
        return sum(group.rows for group in self.groups)

    def as_json(self) -> dict[str, Any]:
        """All fields as JSON values."""
        groups = [group.as_json() for group in self.groups]
        return {**vars(self), "rows": self.rows, "groups": groups, "examples": list(self.examples)}

    def lines(self) -> list[str]:
        """As a person reads it."""
        said = [f"quarantine   {self.folder}", f"refused      {counted(self.rows, 'row')}"]
        said += [f"{group.rows:>12,} {group}" for group in self.groups]
        for example in self.examples:
            said += ["", *(printable(f"  {name} = {value}") for name, value in example.items())]
        return said


def refused_rows_of(layout: Layout, examples: int = 0) -> Refused:
    """What the finished units of a run refused; eager, reads the quarantine files in batches.

    Memory: one batch, and one group for each reason, column and sentence.
    """
    counts: Counter[tuple[Any, ...]] = Counter()
    first: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    shown: list[dict[str, Any]] = []
    for batch in _batches(layout):
        identities = zip(*(batch[name].to_pylist() for name in _IDENTITY), strict=True)
        for group, identity in zip(zip(*(batch[n].to_pylist() for n in _GROUP), strict=True), identities, strict=True):
            counts[group] += 1
            first.setdefault(group, identity)
        shown += batch.slice(0, examples - len(shown)).to_pylist() if len(shown) < examples else []
    groups = (_group(group, rows, first[group]) for group, rows in counts.most_common())
    return Refused(layout.quarantine, layout.score_key, tuple(groups), tuple(shown))


def _group(group: tuple[Any, ...], rows: int, first: tuple[Any, ...]) -> Group:
    reason, column, stage, detail = group
    file, row = first
    return Group(reason, column, stage, detail, rows, file, row)


def _batches(layout: Layout) -> Iterator[pa.RecordBatch]:
    for _, receipt in sorted(finished(layout).receipts().items()):
        if receipt.quarantine is not None:
            with open_input(join(layout.store, receipt.quarantine.path)) as file:
                opened = pq.ParquetFile(file, page_checksum_verification=True)
                yield from opened.iter_batches(_BATCH_ROWS)
