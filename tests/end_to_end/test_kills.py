"""Killed at any moment, the same command ends with the bytes of an undisturbed run, and computes nothing twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
import pytest
from tests.end_to_end.commands import files_of, write_config
from tests.end_to_end.in_process import job, ran, rows, store

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(300)]

UNITS, ROWS = 40, 50
LOCAL = {"kind": "local", "workers": 2}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a trained model, files that are a unit each, and what an undisturbed run made of them."""
    folder = tmp_path_factory.mktemp("kills")
    store(folder, rows(500))
    (folder / "new").mkdir()
    for number in range(UNITS):
        write_file(folder / f"new/{number:02}.csv", number)
    ran(folder, config(folder, "calm", {"kind": "inline"}), "train")
    assert predict(folder, "calm") == UNITS
    return folder


def write_file(path: Path, seed: int) -> None:
    """A file of more than a megabyte, so that it is a unit, with a line that cannot be read."""
    lines = [",".join("" if v is None else str(v) for v in row.values()) for row in rows(ROWS, seed + 1).to_pylist()]
    fat = "." * (2**20 // ROWS)
    path.write_text("\n".join(["id,x,z,city,shop,y,text", "broken,line", *(f"{line},{fat}" for line in lines)]))


def config(folder: Path, name: str, cluster: dict[str, Any]) -> dict[str, Any]:
    """The config that predicts to a folder of this name, in a file of this name."""
    made = job(folder, cluster=cluster, contract={"columns": {"x": {"type": "float64"}}})
    new = {"kind": "csv", "uri": str(folder / "new"), "delimiter": ",", "encoding": "utf-8"}
    made["predict"] |= {"source": new, "sink": {"kind": "parquet", "uri": str(folder / name)}}
    write_config(folder, f"{name}.json", made)
    return made


def predict(folder: Path, name: str) -> int:
    """Predict in this process; how many units were computed."""
    done = ran(folder, config(folder, name, {"kind": "inline"}), "predict").predictions or {}
    return int(done["units_computed"])


def finished(folder: Path, name: str) -> dict[str, int]:
    """When each receipt was written, by its unit."""
    return {path.name: path.stat().st_mtime_ns for path in (folder / f"{name}.store").glob("receipts/*/*.json")}


def begin(folder: Path, name: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "scoreline", "predict", f"{name}.json"]
    nowhere = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=folder, start_new_session=True, stdout=nowhere, stderr=nowhere)


def wait_for(driver: subprocess.Popen[bytes], folder: Path, name: str, receipts: int) -> None:
    deadline = time.monotonic() + 100
    while driver.poll() is None and len(finished(folder, name)) < receipts:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def offspring(driver: subprocess.Popen[bytes]) -> Iterator[psutil.Process]:
    """The processes of a driver's session besides itself."""
    for process in psutil.process_iter():
        try:
            if process.pid != driver.pid and os.getsid(process.pid) == driver.pid:
                yield process
        except (ProcessLookupError, psutil.Error):
            continue


def wait_until_gone(driver: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The processes of a killed driver that are still there after a while."""
    left: list[psutil.Process] = psutil.wait_procs(list(offspring(driver)), timeout=30)[1]
    return left


def assert_nothing_is_half_done(folder: Path, name: str) -> None:
    """Readers find all or nothing, and every file that has its name is whole."""
    if (folder / name).exists():
        assert contents(folder, name) == contents(folder, "calm")
    for data in (folder / f"{name}.store").glob("runs/*/data"):
        assert files_of(data).items() <= contents(folder, "calm").items()


def contents(folder: Path, name: str) -> dict[str, str]:
    return files_of((folder / name).resolve())


def quarantined(folder: Path, name: str) -> list[dict[str, Any]]:
    (quarantine,) = (folder / f"{name}.store/quarantine").iterdir()
    found: list[dict[str, Any]] = pq.read_table(quarantine).to_pylist()
    assert len(found) == UNITS
    return found


@pytest.mark.parametrize(
    ("name", "cluster", "kills"),
    [("inline", {"kind": "inline"}, 6), pytest.param("local", LOCAL, 3, marks=pytest.mark.cluster)],
)
def test_a_driver_killed_again_and_again(scene: Path, name: str, cluster: dict[str, Any], kills: int) -> None:
    config(scene, name, cluster)
    chance = random.Random(name)  # noqa: S311  for moments, not for secrets
    for kill in range(kills):
        before = finished(scene, name)
        driver = begin(scene, name)
        wait_for(driver, scene, name, (kill + 1) * UNITS // kills - chance.randrange(3))
        time.sleep(chance.uniform(0, 0.03))
        driver.send_signal(signal.SIGKILL)
        driver.wait()
        assert before.items() <= finished(scene, name).items()
        assert_nothing_is_half_done(scene, name)
        assert not wait_until_gone(driver)
    done = len(finished(scene, name))
    assert predict(scene, name) == UNITS - done
    assert contents(scene, name) == contents(scene, "calm")
    assert quarantined(scene, name) == quarantined(scene, "calm")


@pytest.mark.cluster
def test_a_killed_worker_is_replaced(scene: Path) -> None:
    config(scene, "worker", LOCAL)
    driver = begin(scene, "worker")
    wait_for(driver, scene, "worker", 3)
    workers = [process for process in offspring(driver) if "spawn_main" in " ".join(process.cmdline())]
    workers[0].kill()
    assert driver.wait(100) == 0
    assert len(workers) == 2
    assert contents(scene, "worker") == contents(scene, "calm")


def test_a_run_killed_before_readers_were_led_to_it(scene: Path) -> None:
    predict(scene, "pointed")
    store = scene / "pointed.store"
    (scene / "pointed").unlink()
    (store / "latest.json").unlink()
    (run,) = (store / "runs").iterdir()
    (store / "versions/1").rename(store / f"versions/.1-{run.name[:10]}")
    assert predict(scene, "pointed") == 0
    assert contents(scene, "pointed") == contents(scene, "calm")
    assert [path.name for path in (store / "versions").iterdir()] == ["1"]
