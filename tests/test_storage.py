import glob
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoreline import storage
from scoreline.errors import DataError, ScorelineError, StorageError, UsageError
from scoreline.storage import Created, FileInfo, failures

NAMES = st.sampled_from(["a", "b1", "Ab", "_x", ".y", "é"])
PATTERNS = st.sampled_from(["*", "**", "?", "[ab]*", "[!a]*", "a", "b?", "*1"])


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder that this process, no longer root, may enter but not write to."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "locked")
        folder.mkdir()
        Path(name).chmod(0o755)
        folder.chmod(0o555)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        yield folder
        os.seteuid(user)


def _write(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path, "utf-8")


def _names(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


def _paths(files: tuple[FileInfo, ...]) -> list[str]:
    return [file.path for file in files]


def test_only_local_paths_and_s3_are_known() -> None:
    with pytest.raises(UsageError, match="gs://"):
        storage.list_files("gs://bucket/key")


def test_an_s3_location_without_bucket_is_refused() -> None:
    with pytest.raises(UsageError, match="names no bucket"):
        storage.read_bytes("s3:///key")


def test_locations_may_be_relative_and_a_tilde_means_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert storage.create("~/x.txt", b"x") is Created.CREATED
    assert (tmp_path / "~" / "x.txt").read_bytes() == b"x"
    assert storage.list_files("~")[0].uri == str(tmp_path / "~" / "x.txt")


def test_a_file_is_itself_even_if_readers_of_folders_skip_it(tmp_path: Path) -> None:
    _write(tmp_path, "_odd[1].csv")
    status = (tmp_path / "_odd[1].csv").stat()
    expected = FileInfo(str(tmp_path / "_odd[1].csv"), "_odd[1].csv", status.st_size, str(status.st_mtime_ns))
    assert storage.list_files(str(tmp_path / "_odd[1].csv")) == (expected,)
    assert storage.source_root(str(tmp_path / "_odd[1].csv")) == str(tmp_path)


def test_a_folder_whose_own_path_has_glob_characters_can_be_searched(tmp_path: Path) -> None:
    _write(tmp_path, "[x]/a.csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path / "[x]")
        assert _paths(storage.list_files("*.csv")) == ["a.csv"]
        assert storage.source_root("*.csv") == str(tmp_path / "[x]")


@settings(max_examples=50, deadline=None)
@given(
    st.sets(st.lists(NAMES, min_size=1, max_size=3).map("/".join)),
    st.lists(PATTERNS, min_size=1, max_size=3).filter(lambda names: names != ["a"] * len(names)),
)
def test_globs_find_what_the_standard_library_finds(paths: set[str], patterns: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), *(f"{path}.d/f1" for path in paths), "top1")
        pattern = f"{folder}/{'/'.join(patterns)}"
        oracle = glob.glob(pattern, recursive=True)  # noqa: PTH207
        found = [Path(path) for path in oracle if Path(path).is_file() and not path.endswith("/")]
        visible = {path for path in found if not any(name[0] == "_" for name in path.relative_to(folder).parts)}
        assert _files_of(pattern) == visible


def _files_of(pattern: str) -> set[Path]:
    try:
        return {Path(file.uri) for file in storage.list_files(pattern)}
    except DataError:
        return set()


def test_links_to_files_and_folders_are_followed(tmp_path: Path) -> None:
    _write(tmp_path, "real/a.csv")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "real")
    (tmp_path / "in" / "file.csv").symlink_to(tmp_path / "real" / "a.csv")
    assert _paths(storage.list_files(str(tmp_path / "in"))) == ["file.csv", "folder/a.csv"]


def test_links_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "back").symlink_to(tmp_path)
    with pytest.raises(StorageError, match="circle"):
        storage.list_files(str(tmp_path))


def test_a_link_to_itself_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to("a.csv")
    with pytest.raises(StorageError, match=r"circle\n.*a\.csv"):
        storage.list_files(str(tmp_path))


def test_a_link_to_nothing_is_an_error_and_not_a_file_less(tmp_path: Path) -> None:
    _write(tmp_path, "a.csv")
    (tmp_path / "b.csv").symlink_to(tmp_path / "gone.csv")
    with pytest.raises(DataError, match=r"no such file\n.*b\.csv"):
        storage.list_files(str(tmp_path))


def test_a_file_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.csv")).write_bytes(b"x")
    with pytest.raises(DataError, match="not UTF-8"):
        storage.list_files(str(tmp_path))


def test_nothing_but_the_file_appears_in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert [storage.create("data/a.parquet", body) for body in (b"1", b"2")] == [Created.CREATED, Created.EXISTS]
    storage.replace("data/latest.json", b"{}")
    assert sorted(_names(tmp_path / "data")) == ["a.parquet", "latest.json"]
    assert oct((tmp_path / "data" / "a.parquet").stat().st_mode) == oct(
        (tmp_path / "data" / "latest.json").stat().st_mode
    )


def test_a_writer_killed_halfway_leaves_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "spool")
    (tmp_path / "data").mkdir()
    code = "import sys, pathlib; from scoreline import storage; storage.create(sys.argv[1], pathlib.Path(sys.argv[2]))"
    command = [sys.executable, "-c", code, str(tmp_path / "data" / "a.parquet"), str(tmp_path / "spool")]
    with subprocess.Popen(command) as writer, (tmp_path / "spool").open("wb") as spool:
        spool.write(b"half of it" * 10_000)
        spool.flush()
        writer.send_signal(signal.SIGKILL)
    assert _names(tmp_path / "data") == []


def test_systems_without_nameless_files_create_once_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "O_TMPFILE")
    target = str(tmp_path / ("long name " * 24))
    assert [storage.create(target, body) for body in (b"1", b"2")] == [Created.CREATED, Created.EXISTS]
    assert storage.read_bytes(target) == b"1"
    assert len(_names(tmp_path)) == 1


def test_systems_without_nameless_files_make_drafts_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "O_TMPFILE")
    target = str(tmp_path / "data" / "a")
    with storage.draft(target) as draft:
        draft.write_bytes(b"1")
        assert storage.create(target, draft) is Created.CREATED
    assert storage.read_bytes(target) == b"1"
    assert len(_names(tmp_path / "data")) == 1


def test_a_link_that_leads_nowhere_counts_as_there(tmp_path: Path) -> None:
    (tmp_path / "a.json").symlink_to(tmp_path / "gone.json")
    assert storage.create(str(tmp_path / "a.json"), b"{}") is Created.EXISTS
    assert not (tmp_path / "gone.json").exists()


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    code = "import sys; from scoreline import storage; storage.create(sys.argv[1], bytes(200_000))"
    script = 'mount -t tmpfs -o size=64k none "$1" || exit 77; exec "$2" -c "$3" "$1/x.parquet"'
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", str(tmp_path)]
    done = subprocess.run([*command, sys.executable, code], capture_output=True, text=True, check=False)
    if done.returncode == 77 or done.stderr.startswith("unshare:"):
        pytest.skip("this system lets no test mount a small disk")
    assert f"StorageError: no space is left\n  where: {tmp_path}/x.parquet" in done.stderr


def test_permission_is_asked_for_before_and_when_writing(unprivileged: Path) -> None:
    for write in (storage.probe_writable, lambda uri: storage.create(uri, b""), lambda uri: storage.replace(uri, b"")):
        with pytest.raises(StorageError, match=f"permission denied\n  where: {unprivileged}"):
            write(str(unprivileged / "new"))


def test_a_file_in_the_way_of_a_folder_is_named(tmp_path: Path) -> None:
    _write(tmp_path, "out")
    for write in (storage.probe_writable, lambda uri: storage.create(uri, b"")):
        with pytest.raises(StorageError, match=r"in the way of a folder\n  where: .*/out"):
            write(str(tmp_path / "out" / "deeper" / "x"))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="a folder, not a file"):
        storage.read_bytes(str(tmp_path))
    with pytest.raises(StorageError, match="a folder, not a file"):
        storage.open_input(str(tmp_path))


def test_probing_makes_no_folder(tmp_path: Path) -> None:
    storage.probe_writable(str(tmp_path / "a" / "b"))
    assert _names(tmp_path) == []


def test_the_root_of_the_file_system_is_never_deleted() -> None:
    with pytest.raises(StorageError, match="never deleted"):
        storage.delete_tree("/")


def test_an_error_outside_the_table_still_tells_its_name_and_cause() -> None:
    with pytest.raises(StorageError, match=r"failed \(EUCLEAN\)") as caught, failures.translated("/data/x", OSError):
        raise OSError(117, "Structure needs cleaning")
    assert isinstance(caught.value.__cause__, OSError)


def test_what_goes_to_workers_can_be_pickled(tmp_path: Path) -> None:
    _write(tmp_path, "a.csv")
    files = storage.list_files(str(tmp_path))
    assert pickle.loads(pickle.dumps(files)) == files
    with pytest.raises(ScorelineError) as caught:
        storage.read_bytes(str(tmp_path / "b.csv"))
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_s3_libraries_are_not_imported_for_local_files(tmp_path: Path) -> None:
    code = (
        "import sys; from scoreline import storage; storage.create(sys.argv[1], b''); print('botocore' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "x")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False\n"
