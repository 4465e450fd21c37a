"""What local disk and S3 must do alike."""

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scoreline import storage
from scoreline.errors import DataError
from scoreline.storage import Created

UNSORTED = ["b/x.csv", "Z.csv", "a b.csv", "ação.csv", "\uffee.csv", "\U0001f600.csv", "b.csv", "e\u0301.csv", "é.csv"]
WRITERS = 12


@pytest.fixture(params=["local", pytest.param("s3", marks=pytest.mark.storage)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty folder."""
    bucket: str = request.getfixturevalue("s3_bucket") + "/folder" if request.param == "s3" else str(tmp_path)
    return bucket


def _fill(place: str, *paths: str) -> None:
    for path in paths:
        assert storage.create(storage.join(place, path), path.encode()) is Created.CREATED


def _listed(uri: str, *suffixes: str) -> list[str]:
    return [file.path for file in storage.list_files(uri, suffixes)]


def test_files_come_in_the_byte_order_of_their_paths(place: str) -> None:
    _fill(place, *UNSORTED)
    assert _listed(place) == sorted(UNSORTED, key=str.encode)


def test_a_file_tells_location_path_size_and_stamp(place: str) -> None:
    _fill(place, "k=1/a.csv")
    (file,) = storage.list_files(place)
    assert (file.uri, file.path, file.size) == (storage.join(place, "k=1/a.csv"), "k=1/a.csv", 9)
    assert storage.list_files(file.uri)[0].stamp == file.stamp
    storage.replace(file.uri, b"another")
    assert storage.list_files(place)[0].stamp != file.stamp


def test_hidden_names_are_skipped_below_the_root_only(place: str) -> None:
    _fill(place, "_in/a.csv", "_in/_SUCCESS", "_in/.crc/b.csv", "_in/c/_d.csv")
    assert _listed(storage.join(place, "_in")) == ["a.csv"]
    assert _listed(storage.join(place, "_in/**/*.csv")) == ["a.csv"]


@pytest.mark.parametrize(
    ("pattern", "root", "expected"),
    [
        ("*.csv", "", ["a.csv", "ab.csv"]),
        ("a?.csv", "", ["ab.csv"]),
        ("[!a]*", "", ["b.txt"]),
        ("**/a.csv", "", ["a.csv", "d/a.csv", "d/e/a.csv"]),
        ("d/**", "d", ["a.csv", "e/a.csv", "e/f.txt"]),
        ("*/*.csv", "", ["d/a.csv"]),
        ("d/e*/f.*", "d", ["e/f.txt"]),
    ],
)
def test_globs(place: str, pattern: str, root: str, expected: list[str]) -> None:
    _fill(place, "a.csv", "ab.csv", "b.txt", "d/a.csv", "d/e/a.csv", "d/e/f.txt")
    assert _listed(storage.join(place, pattern)) == expected
    assert storage.source_root(storage.join(place, pattern)) == storage.join(place, root).rstrip("/")


def test_source_roots_of_files_and_folders(place: str) -> None:
    _fill(place, "d/a.csv")
    assert storage.source_root(storage.join(place, "d/a.csv")) == storage.join(place, "d")
    assert storage.source_root(storage.join(place, "d") + "/") == storage.join(place, "d")


def test_suffixes_narrow_folders_without_regard_to_case(place: str) -> None:
    _fill(place, "a.CSV", "b.csv.gz", "c.txt")
    assert _listed(place, ".csv", ".csv.gz") == ["a.CSV", "b.csv.gz"]
    assert _listed(storage.join(place, "c*"), ".csv") == ["c.txt"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("data/transactons.csv", "did you mean 'transactions.csv' in .*/data?"),
        ("dota/transactions.csv", "did you mean 'data' in "),
        ("data/*.parquet", "no file matches this pattern(.|\n)*data holds b.txt, transactions.csv"),
        ("quite/another/place", "holds data"),
    ],
)
def test_what_is_missing_is_told_with_what_is_there(place: str, path: str, words: str) -> None:
    _fill(place, "data/transactions.csv", "data/b.txt")
    with pytest.raises(DataError, match=words):
        storage.list_files(storage.join(place, path))


def test_a_folder_without_wanted_files_tells_what_it_holds(place: str) -> None:
    _fill(place, *(f"{number}.txt" for number in range(7)))
    with pytest.raises(DataError, match=r"ends in \.csv\n(.|\n)*holds 0.txt, 1.txt, 2.txt, 3.txt, 4.txt and 2 more"):
        storage.list_files(place, (".csv",))


def test_reading_what_is_not_there(place: str) -> None:
    missing = storage.join(place, "gone.json")
    assert not storage.exists(missing)
    for read in (storage.read_bytes, storage.size, storage.sha256_of, storage.open_input):
        with pytest.raises(DataError, match=r"no such file\n  where: .*gone\.json"):
            read(missing)


@pytest.mark.parametrize("content", [b"", b"x", bytes(range(256)) * 9000], ids=["empty", "one byte", "2 MB"])
@pytest.mark.parametrize("spooled", [False, True], ids=["bytes", "file"])
def test_what_was_created_is_read_back(place: str, tmp_path: Path, content: bytes, spooled: bool) -> None:
    spool = tmp_path / "spool"
    spool.write_bytes(content)
    uri = storage.join(place, "deep", "er", "x.bin")
    assert storage.create(uri, spool if spooled else content) is Created.CREATED
    assert storage.read_bytes(uri) == content
    assert (storage.exists(uri), storage.size(uri)) == (True, len(content))
    assert storage.sha256_of(uri) == hashlib.sha256(content).hexdigest()


def test_what_is_there_stays_as_it_is(place: str) -> None:
    _fill(place, "x")
    assert storage.create(storage.join(place, "x"), b"other") is Created.EXISTS
    assert storage.create(storage.join(place, "x"), b"x") is Created.EXISTS
    assert storage.read_bytes(storage.join(place, "x")) == b"x"


@pytest.mark.parametrize("race", range(2))
def test_of_12_racing_writers_exactly_one_wins(place: str, race: int) -> None:
    uri, start = storage.join(place, f"{race}.json"), threading.Barrier(WRITERS)

    def write(number: int) -> Created:
        start.wait()
        return storage.create(uri, b"writer %d" % number)

    with ThreadPoolExecutor(WRITERS) as pool:
        outcomes = list(pool.map(write, range(WRITERS)))
    assert sorted(outcomes) == [Created.CREATED] + [Created.EXISTS] * (WRITERS - 1)
    assert storage.read_bytes(uri) == b"writer %d" % outcomes.index(Created.CREATED)


def test_pointers_are_replaced(place: str) -> None:
    uri = storage.join(place, "latest.json")
    for body in (b"1", b"22", b"3"):
        storage.replace(uri, body)
        assert storage.read_bytes(uri) == body


def test_scratch_data_are_deleted_and_nothing_else(place: str) -> None:
    _fill(place, "a/1", "a/b/2", "a/_c", "ab", "c")
    for _ in range(2):
        storage.delete_tree(storage.join(place, "a"))
        storage.delete(storage.join(place, "c"))
    assert _listed(place) == ["ab"]
    assert not storage.exists(storage.join(place, "a"))


def test_a_writable_place_is_left_as_it_was(place: str) -> None:
    _fill(place, "x")
    storage.probe_writable(storage.join(place, "new", "folder"))
    assert (_listed(place), storage.exists(storage.join(place, "new"))) == (["x"], False)


@pytest.mark.parametrize("options", [{}, {"pre_buffer": False, "buffer_size": 2**16}], ids=["whole", "streamed"])
def test_parquet_is_read_from_an_open_file(place: str, options: dict[str, int], tmp_path: Path) -> None:
    table = pa.table({"number": range(200_000), "text": [str(number % 977) for number in range(200_000)]})
    pq.write_table(table, tmp_path / "spool", row_group_size=50_000)
    storage.create(storage.join(place, "t.parquet"), tmp_path / "spool")
    with storage.open_input(storage.join(place, "t.parquet")) as file:
        assert pq.ParquetFile(file, **options).read().equals(table)


def test_what_is_made_of_a_draft_is_what_was_written_to_it(place: str) -> None:
    uri = storage.join(place, "below", "a.parquet")
    with storage.draft(uri) as path:
        pq.write_table(pa.table({"n": [1, 2]}), path)
        assert storage.list_sizes(place) == {}
        assert [storage.create(uri, path) for _ in range(2)] == [Created.CREATED, Created.EXISTS]
        other = storage.join(place, "b.parquet")
        assert storage.create(other, path) is Created.CREATED
    assert storage.read_bytes(uri) == storage.read_bytes(other)
    with storage.open_input(uri) as file:
        assert pq.read_table(file).to_pydict() == {"n": [1, 2]}


def test_nothing_is_left_of_a_draft_that_is_not_created(place: str) -> None:
    with storage.draft(storage.join(place, "a")) as path:
        path.write_bytes(b"half")
    assert storage.list_names(place) == ()
