"""Collection deletes what nobody can want, and nothing else; what it deleted can be made again."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.dataset.test_verification import scored

from scoreline.dataset.collection import Collected, collect
from scoreline.dataset.commits import highest_commit
from scoreline.dataset.history import history
from scoreline.dataset.layout import Layout
from scoreline.dataset.publication import Goal, publish, roll_back
from scoreline.dataset.verification import verify
from scoreline.errors import StorageError

DAY = 86_400.0


@pytest.fixture
def uri(tmp_path: Path) -> str:
    """Five versions of five runs."""
    uri = str(tmp_path / "out")
    for files in ("a", "b", "c", "d", "e"):
        scored(uri, files)
    return uri


def asked(uri: str, keep: int = 2, older_than: float = 0.0, *, delete: bool = True) -> Collected:
    return collect(uri, keep=keep, older_than=older_than, delete_them=delete)


def runs_there(uri: str) -> int:
    return len(list((Path(f"{uri}.store") / "runs").iterdir()))


def test_without_being_told_it_deletes_nothing(uri: str) -> None:
    found = asked(uri, delete=False)
    assert (len(found.runs), found.versions, found.kept, found.deleted) == (3, (1, 2, 3), (4, 5), False)
    assert runs_there(uri) == 5


def test_runs_of_older_versions_go_and_the_rest_is_whole(uri: str) -> None:
    asked(uri)
    assert runs_there(uri) == 2
    found = verify(uri)
    assert (found.problems, found.collected) == ((), (1, 2, 3))
    assert history(uri).collected == (1, 2, 3)
    assert pq.read_table(uri) == pa.table({"n": [ord("e")]})


def test_what_was_touched_lately_stays(uri: str) -> None:
    assert asked(uri, older_than=DAY).runs == ()
    assert runs_there(uri) == 5


def test_a_run_of_which_a_kept_version_has_a_part_stays(uri: str) -> None:
    layout = Layout(uri, "")
    base = highest_commit(layout)
    assert base is not None
    scored(uri, "f", Goal(base, "append", base.runs))
    scored(uri, "g", Goal(highest_commit(layout), "append", (highest_commit(layout) or base).runs))
    asked(uri, keep=1)
    assert runs_there(uri) == 3
    assert verify(uri).problems == ()
    assert sorted(pq.read_table(uri)["n"].to_pylist()) == sorted(map(ord, "efg"))


def test_a_run_that_was_never_published_goes_when_it_is_old(uri: str) -> None:
    layout = Layout(uri, "f" * 64)
    unpublished = Path(layout.data)
    unpublished.mkdir(parents=True)
    (unpublished / "u0.parquet").write_bytes(b"begun")
    assert asked(uri, keep=5, older_than=DAY).runs == ()
    week_ago = time.time() - 7 * DAY
    os.utime(unpublished / "u0.parquet", (week_ago, week_ago))
    assert asked(uri, keep=5, older_than=DAY).runs == ("f" * 64,)
    assert not unpublished.exists()


def test_a_version_that_was_current_until_lately_stays(uri: str) -> None:
    """However long ago it was published: its readers had no time to go on."""
    for path in Path(f"{uri}.store").rglob("*"):
        os.utime(path, (0, 0))
    assert asked(uri, keep=1, older_than=DAY).runs == ()
    assert runs_there(uri) == 5


def test_collection_leads_readers_on_before_it_deletes(uri: str) -> None:
    link = Path(uri)
    link.unlink()
    link.symlink_to(f"{uri}.store/versions/1")
    led = asked(uri, keep=1)
    assert set(led.kept) == {1, 5}
    assert pq.read_table(uri)["n"].to_pylist() == [ord("e")]
    assert set(asked(uri, keep=1).kept) == {5}
    assert runs_there(uri) == 1


def test_a_collection_that_was_killed_is_taken_up_again(uri: str) -> None:
    first = history(uri).commits[0]
    layout = Layout(uri, first.run)
    Path(layout.mark).parent.mkdir(parents=True)
    Path(layout.mark).touch()
    Path(layout.manifest).unlink()
    found = verify(uri)
    assert (found.problems, found.collected) == ((), (1,))
    assert first.run in asked(uri).runs
    assert not Path(layout.mark).exists()
    assert runs_there(uri) == 2


def test_a_driver_that_begins_to_work_on_an_old_run_protects_it(uri: str) -> None:
    week_ago = time.time() - 7 * DAY
    for path in Path(f"{uri}.store").rglob("*"):
        os.utime(path, (week_ago, week_ago))
    first = min(history(uri).commits, key=lambda commit: commit.version)
    Path(Layout(uri, first.run).driver).write_text("{}")
    assert first.run not in asked(uri, older_than=0.5 * DAY, delete=False).runs


def test_what_was_collected_cannot_be_rolled_back_to_and_says_why(uri: str) -> None:
    asked(uri)
    with pytest.raises(StorageError, match="files of version 1 were collected"):
        roll_back(Layout(uri, ""), 1)
    assert verify(uri).problems == ()


def test_the_same_run_makes_again_what_was_collected(uri: str) -> None:
    asked(uri)
    scored(uri, "a")
    assert pq.read_table(uri)["n"].to_pylist() == [ord("a")]
    assert verify(uri).problems == ()


def test_half_filled_folders_of_interrupted_drivers_go(uri: str) -> None:
    left = Path(f"{uri}.store/versions/.9-abcdef0123")
    left.mkdir()
    assert asked(uri, keep=5).leftovers == (str(left),)
    assert not left.exists()


def test_publishing_files_that_were_collected_is_refused(uri: str) -> None:
    layout = Layout(uri, history(uri).commits[0].run)
    from scoreline.dataset.manifests import read_manifest

    receipts = read_manifest(layout).receipts
    for path in Path(layout.data).iterdir():
        path.unlink()
    with pytest.raises(StorageError, match="1 of 1 files of this run are gone"):
        publish(layout, receipts, Goal(highest_commit(layout)))


@pytest.mark.storage
def test_all_of_it_on_s3(s3_bucket: str) -> None:
    uri = f"{s3_bucket}/out"
    for files in ("a", "b", "c"):
        scored(uri, files)
    assert roll_back(Layout(uri, ""), 1).version == 4
    found = asked(uri, keep=1)
    assert (len(found.runs), found.kept, found.versions) == (2, (4,), ())
    left = verify(uri)
    assert (left.problems, left.collected) == ((), (2, 3))
    with pytest.raises(StorageError, match="files of version 2 were collected"):
        roll_back(Layout(uri, ""), 2)
    scored(uri, "b")
    assert [commit.kind for commit in history(uri).commits] == ["replace", "replace", "replace", "rollback", "replace"]
    assert verify(uri).problems == ()
