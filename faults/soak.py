"""``python -m faults.soak``: five hundred kills of real processes, what `make soak` runs."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.faults.kills import Amount

from faults.full_size import kills
from faults.results import measure, write

KILLS = Amount(inline=290, local=12, workers=114, remote=12, remote_workers=60, nannies=6, schedulers=6)


def main() -> int:
    """Kill; the exit code is 1 when a promise was broken."""
    with tempfile.TemporaryDirectory(prefix="scoreline-soak-") as scratch:
        results = {"kills": measure("kills", lambda: kills(Path(scratch), KILLS))}
    return int(write("soak", results) > 0)


if __name__ == "__main__":
    sys.exit(main())
