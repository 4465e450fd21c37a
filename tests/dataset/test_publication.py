"""Publishing: one commit makes a run's units the next version, and readers see whole versions."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scoreline.dataset import manifests
from scoreline.dataset.commits import highest_commit
from scoreline.dataset.layout import Layout
from scoreline.dataset.publication import Goal, publish, roll_back
from scoreline.dataset.receipts import Receipt, StoredFile, write_receipt
from scoreline.dataset.unit_file import write_unit_file
from scoreline.dataset.versions import check_target, current
from scoreline.errors import ConflictError, DataError, ScorelineError, StorageError
from scoreline.sinks.parquet import Parquet

SCHEMA = pa.schema([("n", pa.int64())])


def layout_of(folder: Path, key: str = "a" * 64) -> Layout:
    return Layout(str(folder / "predictions" / "daily"), key)


def finished(layout: Layout, unit: str, values: list[int]) -> Receipt:
    tables = [pa.table({"n": values}, schema=SCHEMA)]
    data, rows = write_unit_file(partial(Parquet(uri=layout.uri).write, tables, SCHEMA), layout, layout.unit_file(unit))
    return write_receipt(layout, Receipt(unit, rows, rows, 0, {}, data))


def published(folder: Path) -> list[int]:
    found: list[int] = pq.read_table(folder / "predictions" / "daily")["n"].to_pylist()
    return found


def test_a_run_is_read_through_the_symlink(tmp_path: Path) -> None:
    layout = layout_of(tmp_path)
    commit = publish(layout, [finished(layout, "u0", [1]), finished(layout, "u1", [2, 3])], Goal(None))
    assert (commit.version, commit.predicted, published(tmp_path)) == (1, 3, [1, 2, 3])


def test_nothing_but_parquet_is_where_readers_look(tmp_path: Path) -> None:
    layout = layout_of(tmp_path)
    publish(layout, [finished(layout, "u0", [1])], Goal(None))
    assert [path.suffix for path in Path(layout.uri).iterdir()] == [".parquet"]


def test_the_same_run_is_published_once(tmp_path: Path) -> None:
    layout = layout_of(tmp_path)
    receipts = [finished(layout, "u0", [1])]
    first = publish(layout, receipts, Goal(None))
    assert publish(layout, receipts, Goal(first)) == first


def test_another_run_becomes_the_next_version_and_the_old_files_stay(tmp_path: Path) -> None:
    old, new = layout_of(tmp_path), layout_of(tmp_path, "b" * 64)
    publish(old, [finished(old, "u0", [1])], Goal(None))
    commit = publish(new, [finished(new, "u0", [7])], Goal(highest_commit(new)))
    assert (commit.version, published(tmp_path)) == (2, [7])
    assert pq.read_table(old.unit_file("u0"))["n"].to_pylist() == [1]


def test_a_run_whose_base_has_moved_loses_and_keeps_its_files(tmp_path: Path) -> None:
    ours, other = layout_of(tmp_path), layout_of(tmp_path, "b" * 64)
    mine = [finished(ours, "u0", [1])]
    publish(other, [finished(other, "u0", [2])], Goal(None))
    with pytest.raises(ConflictError, match="another run"):
        publish(ours, mine, Goal(None))
    assert published(tmp_path) == [2]
    assert manifests.finished(ours).receipts().keys() == {"u0"}


def test_a_lost_symlink_and_pointer_come_back(tmp_path: Path) -> None:
    layout = layout_of(tmp_path)
    receipts = [finished(layout, "u0", [1])]
    commit = publish(layout, receipts, Goal(None))
    Path(layout.uri).unlink()
    Path(layout.latest).unlink()
    publish(layout, receipts, Goal(commit))
    assert published(tmp_path) == [1]
    assert json.loads(Path(layout.latest).read_bytes())["version"] == 1


def test_a_version_whose_driver_was_killed_before_readers_were_led_to_it_is_completed(tmp_path: Path) -> None:
    layout = layout_of(tmp_path)
    receipts = [finished(layout, f"u{number}", [number]) for number in range(3)]
    commit = publish(layout, receipts, Goal(None))
    Path(layout.uri).unlink()
    staged = Path(layout.version(1)).rename(layout.staged_version(1, "another"))
    next(staged.iterdir()).unlink()
    publish(layout, receipts, Goal(commit))
    assert published(tmp_path) == [0, 1, 2]
    assert sorted(path.name for path in staged.parent.iterdir()) == [".1-another", "1"]


def test_a_link_that_is_gone_from_the_folder_of_the_current_version_comes_back(tmp_path: Path) -> None:
    layout = layout_of(tmp_path)
    receipts = [finished(layout, f"u{number}", [number]) for number in range(3)]
    commit = publish(layout, receipts, Goal(None))
    next(Path(layout.version(1)).iterdir()).unlink()
    publish(layout, receipts, Goal(commit))
    assert published(tmp_path) == [0, 1, 2]


def test_a_run_that_is_being_collected_is_not_published(tmp_path: Path) -> None:
    layout = layout_of(tmp_path)
    receipts = [finished(layout, "u0", [1])]
    Path(layout.mark).parent.mkdir(parents=True)
    Path(layout.mark).touch()
    with pytest.raises(ConflictError, match="this run is being collected"):
        publish(layout, receipts, Goal(None))
    Path(layout.mark).unlink()
    assert publish(layout, receipts, Goal(None)).version == 1


def test_rolling_back_again_changes_nothing(tmp_path: Path) -> None:
    for number, key in enumerate("abc"):
        layout = layout_of(tmp_path, key * 64)
        publish(layout, [finished(layout, "u0", [number])], Goal(highest_commit(layout)))
    assert [roll_back(layout).version for _ in range(3)] == [4, 4, 4]
    assert published(tmp_path) == [1]
    assert roll_back(layout, 1).version == 5
    assert published(tmp_path) == [0]


def test_several_drivers_publish_one_run_at_once(tmp_path: Path) -> None:
    for attempt in range(20):
        layout = layout_of(tmp_path / str(attempt))
        receipts = [finished(layout, f"u{number:02}", [number]) for number in range(12)]
        start = Barrier(4)

        def drive(layout: Layout, receipts: list[Receipt], start: Barrier) -> int:
            start.wait()
            return publish(layout, receipts, Goal(None)).version

        with ThreadPoolExecutor(4) as pool:
            drivers = [pool.submit(drive, layout, receipts, start) for _ in range(4)]
        assert [driver.result() for driver in drivers] == [1, 1, 1, 1]
        assert published(tmp_path / str(attempt)) == list(range(12))


def test_a_driver_that_was_asleep_leads_nobody_back(tmp_path: Path) -> None:
    old, new = layout_of(tmp_path), layout_of(tmp_path, "b" * 64)
    receipts = [finished(old, "u0", [1])]
    publish(old, receipts, Goal(None))
    publish(new, [finished(new, "u0", [7])], Goal(highest_commit(new)))
    assert publish(old, receipts, Goal(None)).version == 1
    assert published(tmp_path) == [7]
    assert json.loads(Path(old.latest).read_bytes())["version"] == 2


def test_who_loses_leaves_nothing_among_the_versions(tmp_path: Path) -> None:
    ours, other = layout_of(tmp_path), layout_of(tmp_path, "b" * 64)
    publish(other, [finished(other, "u0", [2])], Goal(None))
    with pytest.raises(ConflictError):
        publish(ours, [finished(ours, "u0", [1])], Goal(None))
    assert [path.name for path in Path(ours.version(1)).parent.iterdir()] == ["1"]


def test_a_lost_file_is_named(tmp_path: Path) -> None:
    layout = layout_of(tmp_path)
    receipts = [finished(layout, "u0", [1])]
    Path(layout.unit_file("u0")).unlink()
    with pytest.raises(StorageError, match="1 of 1 files of this run are gone"):
        publish(layout, receipts, Goal(None))


def test_current_leads_to_the_newest_version(tmp_path: Path) -> None:
    layout = layout_of(tmp_path)
    publish(layout, [finished(layout, "u0", [5])], Goal(None))
    (folder,) = current(layout.uri)
    assert pq.read_table(folder)["n"].to_pylist() == [5]


def test_current_of_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no version"):
        current(str(tmp_path / "nothing"))


def test_a_unit_is_written_at_most_once(tmp_path: Path) -> None:
    layout = layout_of(tmp_path)
    first = finished(layout, "u0", [1])
    assert finished(layout, "u0", [1]) == first


def test_rows_that_do_not_add_up_get_no_receipt(tmp_path: Path) -> None:
    layout = layout_of(tmp_path)
    with pytest.raises(ScorelineError, match="3 rows in"):
        write_receipt(layout, Receipt("u0", 3, 1, 1, {}, StoredFile("x", "0", 1)))
    assert manifests.finished(layout).names == frozenset()


def test_what_is_not_ours_is_never_replaced(tmp_path: Path) -> None:
    layout = layout_of(tmp_path)
    Path(layout.uri).mkdir(parents=True)
    with pytest.raises(StorageError, match="never overwritten"):
        check_target(layout)


def test_the_footer_carries_the_key_and_no_location(tmp_path: Path) -> None:
    layout = layout_of(tmp_path)
    finished(layout, "u0", [1])
    metadata = pq.read_schema(layout.unit_file("u0")).metadata
    assert metadata == {b"scoreline.score_key": b"a" * 64}


def test_a_link_of_the_users_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    for target in ("mine", "nowhere"):
        (tmp_path / "predictions").symlink_to(target)
        with pytest.raises(StorageError, match="never overwritten"):
            check_target(Layout(str(tmp_path / "predictions"), "a" * 64))
        (tmp_path / "predictions").unlink()


def test_a_damaged_receipt_says_that_its_unit_can_be_done_again(tmp_path: Path) -> None:
    layout = layout_of(tmp_path)
    receipt = finished(layout, "u0", [1])
    Path(layout.receipt("u0")).write_bytes(receipt.as_line()[:50])
    with pytest.raises(StorageError, match="damaged") as raised:
        manifests.finished(layout).receipts()
    assert "delete it, then run the same command again" in raised.value.problems[0].advice
    Path(layout.receipt("u0")).unlink()
    assert finished(layout, "u0", [1]) == receipt
