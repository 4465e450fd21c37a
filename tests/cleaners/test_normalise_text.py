import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoreline.cleaners.normalise_text import NormaliseText

LETTERS = st.text(alphabet="aAzZçÇãõéÉñ1 .-ﬁ", max_size=8)


def normalised(values: list[str | None], **options: object) -> list[str | None]:
    return NormaliseText(**options).apply(pa.table({"a": pa.array(values, pa.string())})).table["a"].to_pylist()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "São Paulo"),
        ({"case": "upper"}, "SÃO PAULO"),
        ({"case": "title", "accents": "strip"}, "Sao Paulo"),
        ({"case": "lower", "collapse_spaces": False}, " são  paulo"),
    ],
)
def test_one_spelling(options: dict[str, object], expected: str) -> None:
    assert normalised([" Sa\u0303o  Paulo", None], **options) == [expected, None]


def test_compatible_forms_are_unified_when_asked() -> None:
    assert normalised(["ﬁm", "\uff21\uff11"], unicode="NFKC") == ["fim", "A1"]
    assert normalised(["ﬁm"]) == ["ﬁm"]


@settings(max_examples=40, deadline=None)
@given(st.lists(LETTERS), st.sampled_from(["NFC", "NFKC"]))
def test_it_agrees_with_python(texts: list[str], form: str) -> None:
    expected = [" ".join(unicodedata.normalize(form, text).lower().split()) for text in texts]
    assert normalised(texts, case="lower", unicode=form) == expected


@settings(max_examples=40, deadline=None)
@given(st.lists(LETTERS))
def test_twice_is_the_same_as_once(texts: list[str]) -> None:
    once = normalised(texts, case="upper", accents="strip")
    assert normalised(once, case="upper", accents="strip") == once
