import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import Client, LocalCluster

from scoreline.clusters._plugins import ship, tie_to_driver
from scoreline.errors import ClusterError
from scoreline.own_modules import read_modules

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]


@pytest.fixture
def client() -> Iterator[Client]:
    with (
        LocalCluster(
            n_workers=1,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def test_a_worker_that_dies_while_it_is_tied_to_its_driver_does_no_harm(client: Client) -> None:
    (pid,) = client.run(os.getpid).values()
    os.kill(pid, signal.SIGSTOP)
    death = threading.Timer(0.5, os.kill, (pid, signal.SIGKILL))
    death.start()
    tie_to_driver(client)
    death.join()
    assert client.submit(abs, -1).result(timeout=60) == 1


def test_a_worker_that_dies_while_it_imports_is_told(client: Client, tmp_path: Path) -> None:
    # The driver has imported it by then.
    module = tmp_path / "deadly.py"
    module.write_text("import os, multiprocessing\nif multiprocessing.parent_process():\n    os._exit(1)\n")
    with pytest.raises(ClusterError, match="a worker was lost while it imported the modules"):
        ship(client, read_modules([module]), 60)
