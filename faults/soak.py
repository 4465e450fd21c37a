"""``python -m faults.soak``: five hundred kills of real processes, what `make soak` runs."""

from __future__ import annotations

import sys
import tempfile
from functools import partial
from pathlib import Path

from tests.faults.kills import Amount

from faults.full_size import kills
from faults.results import measure

PORTIONS = 10
FIFTY = Amount(inline=28, local=2, workers=12, remote=1, remote_workers=5, nannies=1, schedulers=1, calm=False)


def main() -> int:
    """Kill, each portion with another seed; the exit code is 1 when a promise was broken."""
    broken = 0
    for seed in range(1, PORTIONS + 1):
        with tempfile.TemporaryDirectory(prefix="scoreline-soak-") as scratch:
            broken += measure("soak", f"kills, seed {seed}", partial(kills, Path(scratch), FIFTY, seed))
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
