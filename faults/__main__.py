"""``python -m faults``: what `make faults` runs. Name some of the series to run them alone."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.faults.kills import Amount
from tests.faults.scene import Scene, quiet
from tests.seaweedfs import running_seaweedfs

from faults.full_size import bit_rot, every_step, kills, other_commands, readers, two_writers, weather
from faults.results import measure

KILLS = Amount(inline=12, local=10, workers=14, remote=8, remote_workers=8, nannies=4, schedulers=4)


def main() -> int:
    """Run the series; the exit code is 1 when a promise was broken."""
    with tempfile.TemporaryDirectory(prefix="scoreline-faults-") as scratch:
        folder = Path(scratch)
        (folder / "server").mkdir()
        with quiet():
            scene = Scene(folder / "scene", units=3)
        with running_seaweedfs(folder / "server") as server:
            series = {
                "every step": lambda: every_step(scene, server, folder),
                "other commands": lambda: other_commands(scene, folder),
                "two writers": lambda: two_writers(scene, server, folder, 100),
                "weather": lambda: weather(scene, server, 100),
                "readers": lambda: readers(scene, folder, 200),
                "bit rot": lambda: bit_rot(scene, folder, 1000),
                "kills": lambda: kills(folder, KILLS),
            }
            chosen = sys.argv[1:] or list(series)
            return int(sum(measure("faults", name, series[name]) for name in chosen) > 0)


if __name__ == "__main__":
    sys.exit(main())
