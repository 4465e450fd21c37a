"""How a file of text is laid out: delimiter, quote and encoding, and what its header says."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass

from scoreline.sources._records import Marks, Records, split_records

DELIMITERS = (";", "\t", "|", ",")

_RECORDS_LOOKED_AT = 500
_CONSISTENT = 0.5
_OTHER_FORMATS = {
    b"PAR1": "a Parquet file",
    b"PK\x03\x04": "an Excel or zip file",
    b"\xd0\xcf\x11\xe0": "an Excel file",
    b"\x1f\x8b": "compressed with gzip",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"BZh": "compressed with bzip2",
}


@dataclass(frozen=True)
class Dialect:
    """Delimiter, quote and encoding, all of them settled."""

    delimiter: str
    quote: str
    encoding: str

    @property
    def marks(self) -> Marks:
        """Delimiter and quote as bytes."""
        return Marks.of(self.delimiter, self.quote)


@dataclass(frozen=True)
class Split:
    """How a delimiter splits records: the header into how many fields, and which share of the rest into as many."""

    delimiter: str
    fields: int
    share: float

    @property
    def is_consistent(self) -> bool:
        """Whether this may well be the delimiter."""
        return self.fields > 1 and self.share > _CONSISTENT


def other_format(head: bytes) -> str | None:
    """What a file is that is no text, told by its first bytes; None for what may be text."""
    return next((name for magic, name in _OTHER_FORMATS.items() if head.startswith(magic)), None)


def find_delimiter(head: bytes, quote: str) -> str:
    r"""The delimiter that splits most records into as many fields as the header; among equals the one with most fields.

    A comma is the last choice, since it is a decimal mark as well. A header that nothing splits is one column: any
    delimiter that stands nowhere below it will do.

    >>> find_delimiter(b"a;b\n1,5;2,5\n3,5;4\n", '"')
    ';'
    """
    splits = [split_by(head, delimiter, quote) for delimiter in DELIMITERS]
    possible = [split for split in splits if split.fields > 1]
    if possible:
        return max(possible, key=lambda split: (round(split.share, 1), split.fields)).delimiter
    unused = (split.delimiter for split in splits if split.delimiter.encode() not in head)
    return next(unused, DELIMITERS[0])


def split_by(head: bytes, delimiter: str, quote: str) -> Split:
    """How a delimiter splits the first records of a file; a record that is cut short at the end does not count."""
    found = split_records(head, Marks.of(delimiter, quote), final=False)
    if len(found) < 2:
        found = split_records(head, Marks.of(delimiter, quote), final=True)
    counts = [len(fields) for fields in _fields(found, delimiter, quote)]
    if not counts:
        return Split(delimiter, 0, 0.0)
    rest = Counter(counts[1:])
    return Split(delimiter, counts[0], rest[counts[0]] / rest.total() if rest else 1.0)


def _fields(records: Records, delimiter: str, quote: str) -> list[list[str]]:
    looked_at = range(min(len(records), _RECORDS_LOOKED_AT))
    return [split_record(records.text_of(number).decode("latin-1"), delimiter, quote) for number in looked_at]


def split_record(text: str, delimiter: str, quote: str) -> list[str]:
    """The fields of one record; the whole text is one field when one of them is too long for a header."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote)
    try:
        return next(rows, [])
    except csv.Error:
        return [text]
