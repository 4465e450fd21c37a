from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchmarks.peers.outputs import difference, read

LABELS = ("high", "low")


def written(folder: Path, *files: dict[str, list[object]]) -> Path:
    for number, columns in enumerate(files):
        path = folder / f"deep{number}" / "part.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(pa.table(columns), path)
    return folder


OURS: dict[str, list[object]] = {"row": [0, 1, 2], "prediction": ["low", "high", "low"]}


def told(tmp_path: Path, *files: dict[str, list[object]]) -> str | None:
    ours = read(written(tmp_path / "ours", OURS), ("row",), LABELS)
    return difference(ours, read(written(tmp_path / "theirs", *files), ("row",), LABELS))


def test_other_files_and_another_order_are_no_difference(tmp_path: Path) -> None:
    first: dict[str, list[object]] = {"prediction": ["low", "low"], "row": [2, 0]}
    assert told(tmp_path, first, {"prediction": ["high"], "row": [1]}) is None


@pytest.mark.parametrize(
    ("theirs", "what"),
    [
        ({"row": [0, 1, 2], "prediction": ["low", "low", "low"]}, "labels of 1 of 3 rows"),
        ({"row": [0, 1, 2], "prediction": ["low", None, "low"]}, "labels of 1 of 3 rows"),
        ({"row": [0, 1], "prediction": ["low", "high"]}, "rows: 3 and 2"),
        ({"row": [0, 1, 1], "prediction": ["low", "high", "low"]}, "rows: 3 and 3"),
        ({"row": [0, 1, 2], "prediction": ["low", "high", "low"], "more": [1, 2, 3]}, "columns: ['more']"),
    ],
)
def test_any_other_row_label_or_column_is_told(tmp_path: Path, theirs: dict[str, list[object]], what: str) -> None:
    assert told(tmp_path, theirs) == what


def test_a_key_of_two_columns_names_a_row(tmp_path: Path) -> None:
    rows: dict[str, list[object]] = {"order": [1, 1, 2], "line": [2, 1, 1], "prediction": ["low", "high", "low"]}
    found = read(written(tmp_path, rows), ("order", "line"), LABELS)
    assert found.codes.tolist() == [0, 1, 1]
    assert len(set(found.keys.tolist())) == 3


def test_probabilities_may_differ_in_their_last_bits_only(tmp_path: Path) -> None:
    def answers(name: str, share: float):  # type: ignore[no-untyped-def]
        rows: dict[str, list[object]] = {"row": [0], "prediction": ["low"], "proba_high": [share], "proba_low": [0.7]}
        return read(written(tmp_path / name, rows), ("row",), LABELS)

    exact = answers("exact", 0.3)
    assert difference(exact, answers("close", 0.3 + 1e-15)) is None
    assert str(difference(exact, answers("far", 0.3001))).startswith("probabilities by ")
