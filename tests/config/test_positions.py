import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoreline.config.positions import MAX_BYTES, Document, JsonPath, Place, decode_json, path_of, read_json, spelled
from scoreline.errors import UsageError

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=15,
)


def parts(value: Any, path: JsonPath = ()) -> list[tuple[JsonPath, Any]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(path, value), *(found for key, each in inner for found in parts(each, (*path, key)))]


def refused(text: str) -> str:
    with pytest.raises(UsageError) as caught:
        read_json(text, "job.json")
    return str(caught.value)


@settings(max_examples=50, deadline=None)
@given(VALUES, st.sampled_from([None, 2]))
def test_reads_what_the_standard_library_writes(value: Any, indent: int | None) -> None:
    assert read_json(json.dumps(value, indent=indent), "job.json").value == value


@settings(max_examples=50, deadline=None)
@given(VALUES)
def test_knows_where_every_key_and_value_begins(value: Any) -> None:
    text = json.dumps(value, indent=1, ensure_ascii=False)
    document = read_json(text, "job.json")
    decoder = json.JSONDecoder()
    for path, part in parts(value):
        assert decoder.raw_decode(text, document.values[path])[0] == part
        if path and isinstance(path[-1], str):
            assert decoder.raw_decode(text, document.keys[path])[0] == path[-1]


def test_a_place_is_that_of_the_key_else_of_the_nearest_object_around_it() -> None:
    document = read_json('{\n "a": [1,\n  2]}', "job.json")
    assert document.place(("a",)) == Place(2, 2)
    assert document.place(("a", 1)) == Place(3, 3)
    assert document.place(("a", 7, "b")) == Place(2, 2)
    assert document.place(("z",)) == Place(1, 1)


@pytest.mark.parametrize(
    ("path", "text"),
    [((), "$"), (("a", 0, "b-c"), "$.a[0].b-c"), (("a b", "ç"), '$["a b"]["ç"]'), (('q"]', "x"), '$["q\\"]"].x')],
)
def test_paths_are_spelled_as_json_path_and_read_back(path: JsonPath, text: str) -> None:
    assert spelled(path) == text
    assert path_of(text) == path


@pytest.mark.parametrize(
    ("text", "what", "where", "advice"),
    [
        ('{"a": 1,}', "comma before the closing }", "1:8 ($)", "remove the comma"),
        ('{"a": [1, 2,]}', "comma before the closing ]", "1:12 ($.a)", "remove the comma"),
        ("{'a': 1}", "'a'", "1:2 ($)", "double quotes"),
        ('{"a": True}', "True", "1:7 ($.a)", "write true"),
        ('{"a": None}', "None", "1:7 ($.a)", "write null"),
        ('{"a": 1 // no\n}', "no comments", "1:9 ($)", "remove the comment"),
        ('{\n# no\n"a": 1}', "no comments", "2:1 ($)", "remove the comment"),
        ('{"a": 1 "b": 2}', "comma is missing", "1:9 ($)", "put a comma"),
        ('{"a" 1}', 'colon is missing after the key "a"', "1:6 ($.a)", '"a": value'),
        ("{a: 1}", "not a", "1:2 ($)", '"a"'),
        ("{“a”: 1}", "“a”", "1:2 ($)", "straight double quotes"),
        ('{"a": 01}', "01", "1:7 ($.a)", "no leading zero"),
        ('{"a": +1}', "+1", "1:7 ($.a)", "no plus"),
        ('{"a": yes}', "yes", "1:7 ($.a)", '"yes"'),
        ('{"a": [1, 2}', "comma is missing", "1:12 ($.a)", "]"),
        ('{"a": {"b": 1}', "the file ends before }", "1:15 ($)", "close"),
        ('{"a":', "the file ends where a value", "1:6 ($.a)", "close every bracket"),
        ('{"a": "x\ny"}', "invalid control character", "1:9 ($.a)", "\\n for a line end"),
        ('{"a": "\\q"}', "invalid \\escape", "1:8 ($.a)", "\\\\ for a backslash"),
        ('{"a": "xy', "unterminated string", "1:7 ($.a)", "end it"),
        ("[1,,2]", "not ,", "1:4 ($[1])", "remove what is too much"),
        ('{"a": 1} }', "after the end", "1:10 ($)", "remove"),
        ("  \n", "empty", "1:1 ($)", "JSON object"),
        ('{"a": "\\ud800"}', "surrogate", "1:7 ($.a)", "UTF-8"),
        ('{"a": 1e999}', "too large", "1:7 ($.a)", "1.8e308"),
        (f'{{"a": {"9" * 5000}}}', "too large", "1:7 ($.a)", "1.8e308"),
        ("[" * 40, "32 levels", "1:34 ($", "stray bracket"),
    ],
)
def test_a_fault_of_syntax_is_told_with_place_and_cure(text: str, what: str, where: str, advice: str) -> None:
    first, place, cure = refused(text).splitlines()[:3]
    assert what in first
    assert f"job.json:{where}" in place
    assert advice in cure


def test_all_duplicate_keys_and_odd_numbers_are_told_at_once() -> None:
    told = refused('{"a": NaN, "b": {"c": 1, "c": 2},\n "a": -Infinity}')
    assert 'the key "a" stands here twice' in told
    assert 'the key "c" stands here twice' in told
    assert "JSON has no NaN" in told
    assert "JSON has no -Infinity" in told
    assert "job.json:2:2 ($.a)" in told


def test_the_same_key_may_stand_in_different_objects() -> None:
    assert read_json('[{"a": 1}, {"a": 2}]', "job.json").value == [{"a": 1}, {"a": 2}]


def test_a_byte_order_mark_is_no_fault() -> None:
    assert decode_json(b'\xef\xbb\xbf{"a": 1}', "job.json").value == {"a": 1}


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ('{"a": "ç"}'.encode("latin-1"), "not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "not UTF-8"),
        (b" " * (MAX_BYTES + 1), "1 MiB"),
    ],
)
def test_bytes_that_are_no_config_are_refused(body: bytes, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        decode_json(body, "job.json")


def test_a_document_made_by_hand_has_a_place_for_everything() -> None:
    assert Document("job", {}).where(("a",)) == "job:1:1 ($.a)"
