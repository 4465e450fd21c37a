"""What only S3 can do wrong."""

import io
import pickle
import subprocess
import sys
import traceback

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto.server import ThreadedMotoServer
from tests.lossy_proxy import LossyProxy
from tests.seaweedfs import SeaweedFS

from scoreline import storage
from scoreline.errors import DataError, ScorelineError, StorageError
from scoreline.storage import Created

pytestmark = pytest.mark.storage

CANARY = "canary-3f1c9e"
BIG = bytes(range(251)) * 14_000


@pytest.fixture(autouse=True)
def _seaweedfs_alone(s3_bucket: str) -> None:
    """Every test here starts with the server's own settings."""


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"AWS_SECRET_ACCESS_KEY": CANARY}, "credentials are wrong"),
        ({"AWS_ACCESS_KEY_ID": CANARY}, "credentials are wrong"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "no credentials were found"),
        ({"AWS_PROFILE": "nobody"}, "no such AWS profile"),
        ({"AWS_ENDPOINT_URL": "127.0.0.1:9000"}, "AWS_ENDPOINT_URL is not a possible address"),
        ({"AWS_ENDPOINT_URL": f"http://me:{CANARY}@127.0.0.1:9000"}, "holds a user name or password"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "no S3 server answers"),
        ({"AWS_REGION": "not a region"}, "AWS_REGION is not a possible region"),
    ],
)
def test_wrong_settings_are_named_and_secrets_are_not(
    changed: dict[str, str], words: str, s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in changed.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StorageError, match=words) as caught:
        storage.list_files(s3_bucket)
    seen = "".join(traceback.format_exception(caught.value)) + repr(pickle.dumps(caught.value))
    assert CANARY not in seen


def test_an_error_says_what_was_tried(s3_bucket: str, seaweedfs: SeaweedFS, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CANARY)
    with pytest.raises(StorageError) as caught:
        storage.read_bytes(f"{s3_bucket}/x")
    assert caught.value.problems[0].where == f"{s3_bucket}/x (endpoint {seaweedfs.endpoint}, region us-east-1)"


@pytest.mark.parametrize("bucket", ["no-such-bucket", "Impossible Bucket"])
def test_an_unknown_bucket_is_named_whatever_is_done(bucket: str) -> None:
    uri = f"s3://{bucket}/x"
    reads = (storage.list_files, storage.exists, storage.size, storage.open_input, storage.read_bytes)
    writes = (storage.probe_writable, lambda uri: storage.create(uri, b"x"), lambda uri: storage.replace(uri, b"x"))
    for act in (*reads, *writes):
        with pytest.raises(StorageError, match=f"bucket(.|\n)*{uri}"):
            act(uri)


def test_an_empty_bucket_holds_no_files(s3_bucket: str) -> None:
    with pytest.raises(DataError, match="holds no files"):
        storage.list_files(s3_bucket)


def test_who_may_only_read_is_told_so(s3_bucket: str, seaweedfs: SeaweedFS, monkeypatch: pytest.MonkeyPatch) -> None:
    storage.create(f"{s3_bucket}/a/x", b"x")
    for name, value in seaweedfs.read_only().env().items():
        monkeypatch.setenv(name, value)
    assert storage.read_bytes(f"{s3_bucket}/a/x") == b"x"
    writes = (storage.delete, lambda uri: storage.create(uri, b"y"), lambda uri: storage.replace(uri, b"y"))
    for act in (*writes, storage.probe_writable):
        with pytest.raises(StorageError, match=rf"permission denied\n  where: {s3_bucket}/b \(endpoint"):
            act(f"{s3_bucket}/b")
    with pytest.raises(StorageError, match="could not be deleted"):
        storage.delete_tree(f"{s3_bucket}/a")


def test_a_bucket_is_never_emptied(s3_bucket: str) -> None:
    with pytest.raises(StorageError, match="never emptied"):
        storage.delete_tree(s3_bucket + "/")


def test_a_file_is_not_a_place_to_write_below(s3_bucket: str) -> None:
    storage.create(f"{s3_bucket}/out", b"x")
    with pytest.raises(StorageError, match="in the way of a folder"):
        storage.probe_writable(f"{s3_bucket}/out")


def test_names_that_only_begin_alike_are_told_apart(s3_bucket: str) -> None:
    for key in ("data-1/x", "data.csv", "data/y"):
        storage.create(f"{s3_bucket}/{key}", b"")
    assert [file.path for file in storage.list_files(f"{s3_bucket}/data")] == ["y"]
    assert not storage.exists(f"{s3_bucket}/dat")


def test_markers_of_folders_are_no_files(s3_bucket: str, seaweedfs: SeaweedFS) -> None:
    seaweedfs.client().put_object(Bucket=s3_bucket.removeprefix("s3://"), Key="in/sub/", Body=b"")
    storage.create(f"{s3_bucket}/in/a.csv", b"x")
    assert [file.path for file in storage.list_files(f"{s3_bucket}/in/")] == ["a.csv"]
    assert storage.source_root(f"{s3_bucket}/in/sub/") == f"{s3_bucket}/in/sub"


def test_listings_longer_than_a_page_are_complete(s3_bucket: str, seaweedfs: SeaweedFS) -> None:
    client, bucket = seaweedfs.client(), s3_bucket.removeprefix("s3://")
    for number in range(1005):
        client.put_object(Bucket=bucket, Key=f"many/{number:04}", Body=b"")
    assert len(storage.list_files(f"{s3_bucket}/many")) == 1005
    storage.delete_tree(f"{s3_bucket}/many")
    assert not storage.exists(f"{s3_bucket}/many")


def test_what_another_client_just_wrote_is_seen(s3_bucket: str, seaweedfs: SeaweedFS) -> None:
    client, bucket = seaweedfs.client(), s3_bucket.removeprefix("s3://")
    for number in range(3):
        assert not storage.exists(f"{s3_bucket}/in/{number}")
        client.put_object(Bucket=bucket, Key=f"in/{number}", Body=b"x")
        assert storage.exists(f"{s3_bucket}/in/{number}")
        assert len(storage.list_files(f"{s3_bucket}/in")) == number + 1


def test_a_file_replaced_while_it_is_read_is_an_error_not_a_mixture(s3_bucket: str) -> None:
    storage.replace(f"{s3_bucket}/x", BIG)
    with storage.open_input(f"{s3_bucket}/x") as file:
        assert file.read(10) == BIG[:10]
        storage.replace(f"{s3_bucket}/x", BIG[::-1])
        file.seek(2 * 2**20)
        with pytest.raises(DataError, match="changed while it was read"):
            file.read(10)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(-4_000_000, 4_000_000), st.sampled_from([0, 1, 2]), st.integers(-1, 2_500_000))))
def test_an_open_file_reads_like_a_file_in_memory(s3_bucket: str, moves: list[tuple[int, int, int]]) -> None:
    storage.create(f"{s3_bucket}/x", BIG)
    with storage.open_input(f"{s3_bucket}/x") as file, io.BytesIO(BIG) as oracle:
        for offset, whence, count in moves:
            target = {0: 0, 1: oracle.tell(), 2: len(BIG)}[whence] + offset
            assert file.seek(max(0, target)) == oracle.seek(max(0, target))
            assert file.read(count) == oracle.read(count)
            assert file.tell() == oracle.tell()


def test_a_few_blocks_are_kept_of_a_large_file(s3_bucket: str) -> None:
    from scoreline.storage.s3_file import S3File

    content = BIG * 20
    storage.create(f"{s3_bucket}/x", content)
    with S3File(f"{s3_bucket}/x") as file:
        assert file.read(len(content)) == content
        assert len(file._blocks) == 64


@pytest.mark.parametrize("cut", [0, 100, 40_000])
def test_answers_that_break_off_are_asked_for_again(s3_bucket: str, lossy_proxy: LossyProxy, cut: int) -> None:
    storage.create(f"{s3_bucket}/x", BIG)
    lossy_proxy.cuts.extend([cut, cut])
    assert storage.read_bytes(f"{s3_bucket}/x") == BIG
    assert not lossy_proxy.cuts


def test_a_server_that_ignores_conditions_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    _, port = moto.get_host_and_port()
    try:
        with LossyProxy(f"http://127.0.0.1:{port}").running() as proxy:
            monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
            server = SeaweedFS(proxy.endpoint, "any", "thing", "", "")
            uri = f"s3://{server.bucket()}"
            storage.probe_writable(f"{uri}/out")
            proxy.forget_conditions = True
            with pytest.raises(StorageError, match="ignores 'If-None-Match"):
                storage.probe_writable(f"{uri}/out")
            assert not storage.exists(f"{uri}/out")
    finally:
        moto.stop()


def test_a_process_of_its_own_finds_the_server_by_its_environment(s3_bucket: str, seaweedfs: SeaweedFS) -> None:
    code = "import sys; from scoreline import storage; print(storage.create(sys.argv[1], b'x'))"
    command = [sys.executable, "-c", code, f"{s3_bucket}/x"]
    outcomes = [subprocess.check_output(command, env=seaweedfs.env(), text=True) for _ in range(2)]
    assert outcomes == ["created\n", "exists\n"]


def test_errors_survive_the_way_home_from_a_worker(s3_bucket: str) -> None:
    with pytest.raises(ScorelineError) as caught:
        storage.read_bytes(f"{s3_bucket}/gone")
    assert pickle.loads(pickle.dumps(caught.value)).problems == caught.value.problems
    assert storage.create(f"{s3_bucket}/x", b"") is Created.CREATED
