import datetime as dt
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import ValidationError
from tests.dask_processes import DaskProcesses

from scoreline.clusters.scheduler import Scheduler
from scoreline.errors import ClusterError, UsageError

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]

StartDask = Callable[..., DaskProcesses]


@contextmanager
def _fails_within(seconds: float) -> Iterator[pytest.ExceptionInfo[ClusterError]]:
    """A ClusterError in time, and no thread left of what was tried."""
    started = time.monotonic()
    with pytest.raises(ClusterError) as caught:
        yield caught
    assert time.monotonic() - started < seconds
    assert [thread.name for thread in threading.enumerate() if "loop" in thread.name.lower()] == []


@pytest.fixture
def silent_server() -> Iterator[str]:
    """Accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"


def test_nobody_at_the_address_is_an_error_in_time() -> None:
    with _fails_within(5) as caught, Scheduler(address="tcp://127.0.0.1:1", timeout_s=1).open():
        pass
    assert caught.value.problems[0].what.startswith("no scheduler answers within 1 s")
    assert caught.value.problems[0].where == "cluster tcp://127.0.0.1:1"


def test_a_server_that_says_nothing_is_an_error_in_time(silent_server: str) -> None:
    with _fails_within(6) as caught, Scheduler(address=silent_server, timeout_s=1).open():
        pass
    assert "no scheduler answers" in str(caught.value)


def test_a_scheduler_without_workers_is_an_error_in_time(start_dask: StartDask) -> None:
    address = start_dask(0).address
    with _fails_within(6) as caught, Scheduler(address=address, timeout_s=1).open():
        pass
    assert f"dask worker {address}" in caught.value.problems[0].advice


def test_workers_that_join_later_are_used_and_have_the_modules(start_dask: StartDask, tmp_path: Path) -> None:
    module = tmp_path / "late_steps.py"
    module.write_text("import os, time\ndef where(item):\n    time.sleep(0.05)\n    return os.getpid()\n")
    dask = start_dask(1)
    with Scheduler(address=dask.address).open([module]) as session:
        import late_steps  # type: ignore[import-not-found]

        assert len({pid for _, pid in session.map(late_steps.where, range(4), "where")}) == 1
        dask.add_worker()
        session.client.wait_for_workers(2, timeout=20)
        assert len({pid for _, pid in session.map(late_steps.where, range(40), "where")}) == 2
        assert session.workers == 2


def test_a_module_that_a_worker_cannot_import_is_named_with_the_worker(start_dask: StartDask, tmp_path: Path) -> None:
    module = tmp_path / "needy_steps.py"
    module.write_text("import os\nif 'ON_WORKER' in os.environ:\n    import not_installed_here\n")
    dask = start_dask(0)
    dask.add_worker(ON_WORKER="1")
    with _fails_within(20) as caught, Scheduler(address=dask.address).open([module]):
        pass
    (problem,) = caught.value.problems
    assert "needy_steps" in problem.what
    assert "not_installed_here" in problem.what
    assert problem.where.startswith("worker tcp://127.0.0.1:")


def test_a_worker_with_another_version_is_refused_before_anything_runs(start_dask: StartDask, tmp_path: Path) -> None:
    record = tmp_path / "other" / "pyarrow-1.2.3.dist-info"
    record.mkdir(parents=True)
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: pyarrow\nVersion: 1.2.3\n")
    dask = start_dask(0)
    dask.add_worker(PYTHONPATH=str(record.parent))
    with _fails_within(20) as caught, Scheduler(address=dask.address).open():
        pass
    (problem,) = caught.value.problems
    assert problem.what.startswith("pyarrow differs: client ")
    assert problem.what.endswith(" 1.2.3")


def test_losing_all_workers_is_an_error_in_time(start_dask: StartDask) -> None:
    dask = start_dask(2)
    with _fails_within(20) as caught, Scheduler(address=dask.address, timeout_s=3).open() as session:
        for position, _ in session.map(time.sleep, [0.1] * 200, "sleep"):
            if position == 3:
                dask.send(signal.SIGKILL, *dask.workers)
    assert "no worker for 3 s" in str(caught.value)


def test_losing_the_scheduler_is_an_error_in_time(start_dask: StartDask) -> None:
    dask = start_dask(1)
    with _fails_within(15) as caught, Scheduler(address=dask.address, timeout_s=3, reconnect_s=2).open() as session:
        for position, _ in session.map(time.sleep, [0.1] * 200, "sleep"):
            if position == 3:
                dask.send(signal.SIGKILL, dask.scheduler)
    assert "the scheduler is lost" in str(caught.value)


def test_a_scheduler_that_freezes_is_an_error_in_time(start_dask: StartDask) -> None:
    dask = start_dask(1)
    with _fails_within(35) as caught, Scheduler(address=dask.address, timeout_s=3, reconnect_s=0).open() as session:
        for position, _ in session.map(time.sleep, [0.1] * 200, "sleep"):
            if position == 3:
                dask.send(signal.SIGSTOP, dask.scheduler)
    assert "the scheduler is lost" in str(caught.value)


def test_tls_works_with_the_right_certificates_and_not_with_others(start_dask: StartDask, tmp_path: Path) -> None:
    right, wrong = _certificates(tmp_path / "right"), _certificates(tmp_path / "wrong")
    options = [f"--tls-{name}={path}" for name, path in zip(("ca-file", "cert", "key"), right, strict=True)]
    address = start_dask(1, "--protocol", "tls", *options).address
    with Scheduler(address=address, ca=right[0], cert=right[1], key=right[2]).open() as session:
        assert dict(session.map(abs, [-1], "absolute")) == {0: 1}
    with _fails_within(10), Scheduler(address=address, ca=wrong[0], cert=wrong[1], key=wrong[2], timeout_s=2).open():
        pass


def _certificates(folder: Path) -> tuple[str, str, str]:
    """A certificate that signs itself, as authority and for both sides."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    folder.mkdir()
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "dask")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + dt.timedelta(days=1))
    certificate = builder.sign(key, hashes.SHA256())
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "cert.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return str(folder / "cert.pem"), str(folder / "cert.pem"), str(folder / "key.pem")


def test_certificates_that_are_not_there_are_named() -> None:
    paths = {name: f"/nowhere/{name}.pem" for name in ("ca", "cert", "key")}
    with pytest.raises(UsageError) as caught, Scheduler(address="tls://127.0.0.1:1", **paths).open():
        pass
    assert [problem.where for problem in caught.value.problems] == list(paths.values())


@pytest.mark.parametrize(
    "options",
    [
        {"address": "127.0.0.1:8786"},
        {"address": "tcp://127.0.0.1"},
        {"address": "http://127.0.0.1:8786"},
        {"address": "tls://127.0.0.1:8786"},
        {"address": "tcp://127.0.0.1:8786", "ca": "ca.pem"},
        {"address": "tcp://127.0.0.1:8786", "timeout_s": 0},
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Scheduler.model_validate(options)
