"""Running the command line as a user does, in a process of its own."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[2]


def scoreline(
    *arguments: str, folder: Path, code: int = 0, environment: dict[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a command in a folder and check its exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "scoreline", *arguments],
        cwd=folder,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def result(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    """What a command with --json told."""
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def write_config(folder: Path, name: str, config: dict[str, Any]) -> str:
    """Write a config file; its name."""
    (folder / name).write_text(json.dumps(config, indent=1))
    return name


def predictions(folder: Path, uri: str) -> dict[str, list[Any]]:
    """Published rows with the column names, as a reader finds them."""
    found: dict[str, list[Any]] = pq.read_table(folder / uri).to_pydict()
    return found


def files_of(folder: Path) -> dict[str, str]:
    """sha256 of every file in a folder, by name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}
