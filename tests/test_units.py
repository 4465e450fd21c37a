"""Units are named alike wherever the data lie, and differently when their rows differ."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scoreline.units import Piece, Unit

PIECE = Piece("/data/2026/transações de maio.csv", "2026/transações de maio.csv", 0, 10, 99, byte_range=(5, 104))


def test_rows_and_bytes_of_a_unit_are_those_of_its_pieces() -> None:
    unit = Unit(0, (PIECE, replace(PIECE, path="b.csv", rows=5, size=1)))
    assert (unit.rows, unit.size) == (15, 100)


def test_a_name_does_not_depend_on_where_the_data_lie_or_how_they_are_read() -> None:
    elsewhere = replace(PIECE, uri="s3://bucket/x.csv", size=7, byte_range=None, row_groups=(1,))
    assert Unit(3, (PIECE,)).name == Unit(3, (elsewhere,)).name


@pytest.mark.parametrize("change", [{"path": "2026/b.csv"}, {"first_row": 1}, {"rows": 11}])
def test_other_rows_have_another_name(change: dict[str, object]) -> None:
    assert Unit(3, (PIECE,)).name != Unit(3, (replace(PIECE, **change),)).name  # type: ignore[arg-type]
    assert Unit(3, (PIECE,)).name != Unit(3, (PIECE, replace(PIECE, **change))).name  # type: ignore[arg-type]


def test_names_sort_in_input_order_and_are_flat_file_names_of_ascii() -> None:
    names = [Unit(number, (PIECE,)).name for number in (0, 9, 10, 99_999, 100_000)]
    assert names == sorted(names)
    assert names[0].startswith("000000-2026-transa--es-de-maio-")
    assert all(name.isascii() and not set(name) & set("/ .=") for name in names)


@pytest.mark.parametrize("path", ["a" * 300 + ".parquet", "çãé.csv", ".csv", "no_suffix", "x/../y.csv"])
def test_a_name_stays_short_and_safe(path: str) -> None:
    name = Unit(1, (replace(PIECE, path=path),)).name
    assert len(name) <= 6 + 40 + 8 + 2
    assert "/" not in name
    assert ".." not in name
