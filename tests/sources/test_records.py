import csv
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoreline.sources import _records
from scoreline.sources._records import Marks, RecordTooLongError, read_records, split_records

MARKS = Marks.of(";", '"')
MESS = st.lists(st.sampled_from(["a", ";", '"', "\n", "\r", "\r\n", '""', ';"', '";', '\n"', "é"])).map("".join)
FIELD = st.text(alphabet='ab;"\n\r ç', max_size=6)
ROWS = st.lists(st.lists(FIELD, min_size=2, max_size=2), min_size=1, max_size=12)


def texts(data: bytes, block: int = 1 << 20) -> list[tuple[bytes, bool]]:
    blocks = read_records(io.BytesIO(data).read, MARKS, block)
    return [(found.text_of(row), bool(found.stray[row])) for found in blocks for row in range(len(found))]


def written(rows: list[list[str]], line_end: str) -> bytes:
    out = io.StringIO(newline="")
    # The csv module quotes only what its own line end makes ambiguous.
    quoting = csv.QUOTE_MINIMAL if line_end == "\r\n" else csv.QUOTE_ALL
    csv.writer(out, delimiter=";", lineterminator=line_end, quoting=quoting).writerows(rows)
    return out.getvalue().encode()


@settings(max_examples=50, deadline=None)
@given(rows=ROWS, line_end=st.sampled_from(["\n", "\r\n", "\r"]), block=st.integers(1, 40))
def test_records_are_those_of_the_csv_module(rows: list[list[str]], line_end: str, block: int) -> None:
    data = written(rows, line_end)
    found = [next(csv.reader(io.StringIO(text.decode(), newline=""), delimiter=";")) for text, _ in texts(data, block)]
    assert found == rows
    assert not any(stray for _, stray in texts(data, block))


@settings(max_examples=50, deadline=None)
@given(mess=MESS, block=st.integers(1, 12))
def test_records_do_not_depend_on_the_size_of_blocks(mess: str, block: int) -> None:
    assert texts(mess.encode(), block) == texts(mess.encode())


@settings(max_examples=50, deadline=None)
@given(mess=MESS)
def test_records_are_the_same_when_text_is_cut_at_any_of_them(mess: str) -> None:
    data = mess.encode()
    for start in split_records(data, MARKS, final=True).starts.tolist():
        assert texts(data[:start]) + texts(data[start:]) == texts(data)


@settings(max_examples=50, deadline=None)
@given(mess=MESS, block=st.integers(1, 12), longest=st.integers(1, 6))
def test_stray_quotes_are_found_alike_however_text_is_cut(mess: str, block: int, longest: int) -> None:
    data = mess.encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_records, "LONGEST_QUOTED", longest)
        whole = texts(data)
        assert texts(data, block) == whole
        for start in split_records(data, MARKS, final=True).starts.tolist():
            assert texts(data[:start]) + texts(data[start:]) == whole


def test_a_quote_that_never_closes_costs_its_own_line_only() -> None:
    data = b'1;"oops\n2;b\n3;c\n'
    assert texts(data) == [(b'1;"oops', True), (b"2;b", False), (b"3;c", False)]


def test_a_quote_that_never_closes_leaves_later_quoted_fields_alone() -> None:
    data = b'1;"oops\n2;"b\nb"\n3;c\n'
    assert texts(data) == [(b'1;"oops', True), (b'2;"b\nb"', False), (b"3;c", False)]


def test_a_quote_far_from_the_next_one_is_stray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_records, "LONGEST_QUOTED", 20)
    data = b'1;"oops\n' + b"2;b\n" * 10 + b'3;";"\n'
    assert [stray for _, stray in texts(data, 16)] == [True] + [False] * 11


def test_a_quote_inside_a_field_is_text() -> None:
    assert texts(b'1;5" pipe\n2;6" pipe\n') == [(b'1;5" pipe', False), (b'2;6" pipe', False)]


def test_empty_lines_are_no_records() -> None:
    assert texts(b"\n\r\n1;a\n\n\r\r\n2;b\n\n") == [(b"1;a", False), (b"2;b", False)]


@pytest.mark.parametrize("data", [b"", b"\n", b"\r\n\r\n"])
def test_text_without_records_has_none(data: bytes) -> None:
    assert texts(data) == []


def test_a_record_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_records, "LONGEST_RECORD", 100)
    with pytest.raises(RecordTooLongError):
        texts(b"x" * 200, 16)


def test_a_part_of_records_holds_the_same_text() -> None:
    found = split_records(b'1;a\n2;"b\nb"\n3;c\n4;d', MARKS, final=True)
    part = found.part(1, 3)
    assert [part.text_of(row) for row in range(len(part))] == [b'2;"b\nb"', b"3;c"]
    assert np.array_equal(part.ends, [8, 12])
