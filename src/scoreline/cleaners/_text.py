"""White space in text."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

# What Unicode calls white space and Python's str.isspace agrees with; RE2's own \s knows a few ASCII characters only.
WHITE = r"\t-\r\x1c-\x20\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"


def collapsed(values: pa.Array) -> pa.Array:
    """Text whose runs of white space are one space each."""
    return pc.replace_substring_regex(values, pattern=f"[{WHITE}]+", replacement=" ")
