"""What every result file says of where and with what it was measured."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("scoreline", "dask", "distributed", "pyarrow", "pandas", "numpy", "scikit-learn", "numba")


def setting() -> dict[str, Any]:
    """Time, machine, load and versions."""
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "processor": platform.machine(), "system": platform.platform()},
        "load": [round(load, 2) for load in os.getloadavg()],
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
    }


def keep(name: str, found: dict[str, Any]) -> None:
    """Write a result file and print what was found."""
    (RESULTS / f"{name}.json").write_text(json.dumps({**setting(), **found}, indent=1) + "\n")
    print(json.dumps(found, indent=1))


def kept(name: str) -> dict[str, Any] | None:
    """A result file; None where it was not measured yet."""
    result = RESULTS / f"{name}.json"
    return json.loads(result.read_text()) if result.exists() else None
