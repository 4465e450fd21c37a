import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from scoreline.parts import even_parts, files_column
from scoreline.refusal import Reason, Refusal
from scoreline.units import RawPart


def batch(start: int, count: int) -> RawPart:
    numbers = np.arange(start, start + count)
    table = pa.table({"n": numbers, "s": pa.array(numbers.astype(str)).dictionary_encode()})
    odd = Refusal(np.flatnonzero(numbers % 2), Reason.BAD_VALUE, "odd", "n", "read")
    return RawPart(table, files_column(f"{start}.csv", count), numbers, (odd,), table)


@settings(max_examples=50, deadline=None)
@given(sizes=st.lists(st.integers(0, 12), max_size=8), batch_rows=st.integers(1, 15))
def test_parts_hold_the_same_rows_whatever_their_size(sizes: list[int], batch_rows: int) -> None:
    starts = np.cumsum([0, *sizes]).tolist()
    parts = list(even_parts((batch(*pair) for pair in zip(starts, sizes, strict=False)), batch_rows))
    assert all(len(part.rows) == batch_rows for part in parts[:-1])
    assert all(0 < len(part.rows) <= batch_rows for part in parts)
    assert [number for part in parts for number in part.table["n"].to_pylist()] == list(range(sum(sizes)))
    assert [text for part in parts for text in part.original["s"].to_pylist()] == list(map(str, range(sum(sizes))))
    files = [f"{start}.csv" for start, size in zip(starts, sizes, strict=False) for _ in range(size)]
    assert [file for part in parts for file in part.files.to_pylist()] == files
    odd = [part.rows[row] for part in parts for refusal in part.refusals for row in refusal.rows]
    assert sorted(odd) == list(range(1, sum(sizes), 2))


def test_batches_are_cut_and_put_together() -> None:
    parts = list(even_parts((batch(start, 3) for start in range(0, 30, 3)), 8))
    assert [len(part.rows) for part in parts] == [8, 8, 8, 6]
