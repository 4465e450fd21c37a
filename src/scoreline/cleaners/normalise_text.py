"""One spelling for text that means the same."""

from __future__ import annotations

from typing import ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from scoreline.cleaners._text import collapsed
from scoreline.cleaners.base import ColumnStep, Converted

_CASES = {"upper": pc.utf8_upper, "lower": pc.utf8_lower, "title": pc.utf8_title}
_DECOMPOSED = {"NFC": "NFD", "NFKC": "NFKD"}


class NormaliseText(ColumnStep):
    """Bring text to one Unicode form, case and spacing, with or without accents.

    Accents are the combining marks of the decomposed text, so ``Ç`` becomes ``C``; letters that have no decomposition,
    such as ``Ø``, stay.

    >>> NormaliseText(case="upper", accents="strip").apply(pa.table({"a": ["São  Paulo "]})).table["a"].to_pylist()
    ['SAO PAULO']
    """

    kind: Literal["normalise_text"] = "normalise_text"
    columns: tuple[str, ...] | None = Field(None, description="Text columns; null for all of them.")
    case: Literal["upper", "lower", "title"] | None = Field(None, description="Change the case of letters.")
    accents: Literal["keep", "strip"] = Field("keep", description="Whether accents stay.")
    unicode: Literal["NFC", "NFKC"] = Field(
        "NFC", description="Unicode form; NFKC also unifies wide and ligated forms."
    )
    collapse_spaces: bool = Field(True, description="One space for runs of white space, none at the ends.")

    costly: ClassVar[bool] = True

    def convert(self, values: pa.Array, name: str) -> Converted:
        """Text in its normal form."""
        text = pc.utf8_normalize(values, form=self.unicode)
        if self.case is not None:
            text = _CASES[self.case](text)
        if self.accents == "strip":
            marked = pc.utf8_normalize(text, form=_DECOMPOSED[self.unicode])
            text = pc.replace_substring_regex(marked, pattern=r"\p{Mn}+", replacement="")
        if self.collapse_spaces:
            text = pc.utf8_trim_whitespace(collapsed(text))
        return Converted(pc.utf8_normalize(text, form=self.unicode))
