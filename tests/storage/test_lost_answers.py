"""The answer to a conditional PUT gets lost: what is told must be what happened."""

from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from tests.lossy_proxy import DROP, LossyProxy
from tests.seaweedfs import SeaweedFS

from scoreline import storage
from scoreline.errors import StorageError
from scoreline.storage import Created, s3_requests

pytestmark = pytest.mark.storage


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_requests, "PATIENCE_SECONDS", 0.5)


def test_repeating_the_request_as_sdks_do_denies_ones_own_write(
    s3_bucket: str, lossy_proxy: LossyProxy, seaweedfs: SeaweedFS
) -> None:
    key = {"Bucket": s3_bucket.removeprefix("s3://"), "Key": "x"}
    lossy_proxy.faults.append(DROP)
    client = SeaweedFS(lossy_proxy.endpoint, seaweedfs.access_key, seaweedfs.secret_key, "", "").client(attempts=3)
    with pytest.raises(ClientError, match="PreconditionFailed"):
        client.put_object(**key, Body=b"mine", IfNoneMatch="*")
    assert seaweedfs.client().get_object(**key)["Body"].read() == b"mine"


@pytest.mark.parametrize("spooled", [False, True], ids=["bytes", "file"])
def test_a_lost_answer_is_found_out(s3_bucket: str, lossy_proxy: LossyProxy, tmp_path: Path, spooled: bool) -> None:
    spool = tmp_path / "spool"
    spool.write_bytes(b"mine" * 100_000)
    lossy_proxy.faults.append(DROP)
    assert storage.create(f"{s3_bucket}/x", spool if spooled else spool.read_bytes()) is Created.CREATED
    assert lossy_proxy.puts == 1
    assert storage.read_bytes(f"{s3_bucket}/x") == spool.read_bytes()


def test_a_lost_refusal_is_found_out(s3_bucket: str, lossy_proxy: LossyProxy) -> None:
    storage.create(f"{s3_bucket}/x", b"theirs")
    lossy_proxy.faults.append(DROP)
    assert storage.create(f"{s3_bucket}/x", b"mine") is Created.EXISTS
    assert storage.read_bytes(f"{s3_bucket}/x") == b"theirs"


@pytest.mark.parametrize("faults", [[503], [500, 409], [409, 409], [503, DROP], [429]])
def test_requests_that_were_not_taken_are_repeated(s3_bucket: str, lossy_proxy: LossyProxy, faults: list[int]) -> None:
    lossy_proxy.faults.extend(faults)
    assert storage.create(f"{s3_bucket}/x", b"mine") is Created.CREATED
    assert not lossy_proxy.faults
    assert storage.read_bytes(f"{s3_bucket}/x") == b"mine"


def test_a_clean_conflict_never_turns_others_equal_content_into_ours(s3_bucket: str, lossy_proxy: LossyProxy) -> None:
    storage.create(f"{s3_bucket}/x", b"same")
    lossy_proxy.faults.append(409)
    assert storage.create(f"{s3_bucket}/x", b"same") is Created.EXISTS


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("status", [409, 500, 503])
def test_what_cannot_be_found_out_is_unknown(s3_bucket: str, lossy_proxy: LossyProxy, status: int) -> None:
    lossy_proxy.faults.extend([status] * 50)
    assert storage.create(f"{s3_bucket}/x", b"mine") is Created.UNKNOWN


def test_a_refusal_after_a_lost_answer_stays_unknown(s3_bucket: str, lossy_proxy: LossyProxy) -> None:
    lossy_proxy.faults.extend([503, 403])
    assert storage.create(f"{s3_bucket}/x", b"mine") is Created.UNKNOWN


@pytest.mark.usefixtures("impatient", "s3_bucket")
def test_what_was_never_sent_was_certainly_not_created(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(StorageError, match="no S3 server answers"):
        storage.create("s3://bucket/x", b"mine")


@pytest.mark.usefixtures("impatient")
def test_a_probe_without_answer_says_so(s3_bucket: str, lossy_proxy: LossyProxy) -> None:
    lossy_proxy.faults.extend([503] * 50)
    with pytest.raises(StorageError, match="does not answer in time"):
        storage.probe_writable(f"{s3_bucket}/out")
