"""``python -m faults.matrix``: bring every fault about, and write what came of it to ``matrix.md``."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.faults.matrix import ROWS, Bench, Observed, Row, listed
from tests.faults.scene import Scene, quiet
from tests.seaweedfs import running_seaweedfs

PAGE = Path(__file__).parent / "matrix.md"

HEAD = """# Faults, and what a user gets

Written by `python -m faults.matrix` from what it observed; `tests/faults/test_matrix.py` holds every row to it.

| # | fault | brought about by | exit code | says | afterwards | the same command, mended |
|---|---|---|---|---|---|---|
"""
ELSEWHERE = """
These are brought about by other tests, which judge them:

| # | fault | test |
|---|---|---|
"""
NOT_HERE = """
These are not brought about:

| # | fault | why |
|---|---|---|
"""


def observed(folder: Path) -> Iterator[tuple[Row, Observed]]:
    """Each row with what came of it."""
    for name in ("server", "bench"):
        (folder / name).mkdir()
    with quiet():
        scene = Scene(folder / "scene", units=3)
    with running_seaweedfs(folder / "server") as server:
        for row in sorted(ROWS, key=lambda row: row.number):
            yield row, row.play(Bench(scene, folder / "bench", server))


def line(row: Row, found: Observed, folder: Path) -> str:
    """A row of the table, without places of this machine."""
    said = found.said.replace(str(folder), "…").replace("|", "\\|") or "nothing"
    again = "" if found.again is None else f"exit code {found.again}"
    return f"| {row.number} | {row.fault} | {row.injected} | {found.code} | {said} | {found.left} | {again} |\n"


def main() -> int:
    """Write the page; the exit code is 1 when a fault ended otherwise than it should."""
    with tempfile.TemporaryDirectory(prefix="scoreline-matrix-") as scratch:
        rows = list(observed(Path(scratch)))
        lines = [line(row, found, Path(scratch)) for row, found in rows]
    wrong = [row for row, found in rows if (found.code, found.again) != (row.code, row.again)]
    elsewhere = [f"| {row['number']} | {row['fault']} | `{row['test']}` |\n" for row in listed("elsewhere")]
    not_here = [f"| {row['number']} | {row['fault']} | {row['why']} |\n" for row in listed("not_here")]
    PAGE.write_text("".join([HEAD, *lines, ELSEWHERE, *elsewhere, NOT_HERE, *not_here]), "utf-8")
    print(f"{len(rows)} faults were brought about; {len(wrong)} ended otherwise than they should: {wrong}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
