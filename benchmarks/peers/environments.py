"""A virtual environment for each peer, with the scikit-learn, pandas and numpy that Scoreline runs on here."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
VENVS = HERE.parent / ".speed-venvs"
SAME = ("scikit-learn", "scipy", "numpy", "pandas", "joblib")
"""Everyone loads the same pickle, so everyone has these in the same version."""


def python(name: str) -> Path:
    """The interpreter of a peer; its environment is made where it is not there or not as wanted."""
    venv, wanted = VENVS / name, _wanted(name)
    known = venv / "requirements.txt"
    if not known.exists() or known.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
        (venv / "wanted.txt").write_text(wanted)
        install = ["-m", "pip", "install", "--quiet", "--requirement", str(venv / "wanted.txt")]
        subprocess.run([venv / "bin/python", *install], check=True)
        (venv / "wanted.txt").rename(known)
    return venv / "bin/python"


def versions(name: str) -> dict[str, str]:
    """The versions of what a peer asked for, and of what it shares with Scoreline."""
    listed = subprocess.check_output([python(name), "-m", "pip", "list", "--format", "json"], text=True)
    named = {line.split(">")[0].split("=")[0].split("[")[0] for line in _wanted(name).splitlines()}
    return {entry["name"]: entry["version"] for entry in json.loads(listed) if entry["name"] in {*named, "pyarrow"}}


def _wanted(name: str) -> str:
    shared = "".join(f"{package}=={version(package)}\n" for package in SAME)
    return shared + "pyarrow>=24\n" + (HERE / f"{name}-requirements.txt").read_text()
