"""Text without white space around it."""

from __future__ import annotations

from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from scoreline.cleaners._text import collapsed
from scoreline.cleaners.base import ColumnStep, Converted


class TrimStrings(ColumnStep):
    """Take white space off both ends of text: all that Unicode calls white space, no-break spaces included.

    >>> TrimStrings().apply(pa.table({"cidade": ["SAO PAULO  ", "  "]})).table["cidade"].to_pylist()
    ['SAO PAULO', None]
    """

    kind: Literal["trim_strings"] = "trim_strings"
    columns: tuple[str, ...] | None = Field(None, description="Text columns; null for all of them.")
    empty_as_null: bool = Field(True, description="Text that is empty afterwards becomes null.")
    collapse: bool = Field(False, description="Runs of white space inside the text become one space.")

    def convert(self, values: pa.Array, name: str) -> Converted:
        """Trimmed text."""
        text = pc.utf8_trim_whitespace(values)
        if self.collapse:
            text = collapsed(text)
        if self.empty_as_null:
            text = pc.if_else(pc.equal(pc.binary_length(text), 0), pa.scalar(None, text.type), text)
        return Converted(text)
