"""The same kills and lost answers for Scoreline and its peers; the README's table comes from the result file.

Results of contenders that are not run this time are kept, so the whole can be measured piece by piece.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.machine import RESULTS, setting
from benchmarks.s3_server import choosy_proxy, seaweedfs
from benchmarks.under_faults.contenders import CONTENDERS, UNITS, Stand, make_environment, write_data
from benchmarks.under_faults.kills import KillTrials
from benchmarks.under_faults.lost_answers import LostAnswers

RESULT = RESULTS / "peers_under_faults.json"


def killed(name: str, folder: Path, counts: dict[str, int]) -> dict[str, Any]:
    """Kills of the driver and of workers on local disk."""
    contender = CONTENDERS[name]
    stand = Stand(contender, folder / "data", folder / name, str(folder / name / "place/out"))
    trials = KillTrials(stand, random.Random(name))  # noqa: S311  for moments, not for secrets
    (folder / name / "place").mkdir(parents=True)
    trials.prepare()
    found: dict[str, Any] = {"seconds_of_writing": round(trials.seconds, 2)}
    for victim in ("driver", "worker"):
        if victim == "driver" or contender.has_workers:
            found[victim] = [trials.trial(victim) for _ in range(counts[victim])]
            print(f"{name}: {victim} killed {counts[victim]} times", flush=True)
    return found


def lost(name: str, folder: Path, count: int) -> dict[str, Any]:
    """Lost answers on S3, at the commit and at a file of data."""
    contender = CONTENDERS[name]
    found: dict[str, Any] = {}
    with seaweedfs(folder / name) as server, choosy_proxy(server) as proxy:
        stand = Stand(contender, folder / "data", folder / name / "s3", "")
        trials = LostAnswers(stand, server, proxy, server.bucket())
        trials.prepare()
        for what, path in (("commit", contender.commit), ("data", ".parquet")):
            if path is not None:
                found[f"lost_at_{what}"] = [trials.trial(number, path) for number in range(count)]
                print(f"{name}: answer lost at {what} {count} times", flush=True)
    return found


def main() -> None:
    """Measure, and add to the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contenders", default=",".join(CONTENDERS), help="which ones, by name")
    parser.add_argument("--driver-kills", type=int, default=20)
    parser.add_argument("--worker-kills", type=int, default=10)
    parser.add_argument("--lost", type=int, default=10, help="lost answers of each kind")
    options = parser.parse_args()
    versions = make_environment()
    with tempfile.TemporaryDirectory(prefix="scoreline-bench-") as scratch:
        folder = Path(scratch)
        write_data(folder / "data")
        for name in options.contenders.split(","):
            setting_of = {**setting(), "peers": versions, "units": UNITS}
            counts = {"driver": options.driver_kills, "worker": options.worker_kills}
            add(name, {**setting_of, **killed(name, folder, counts)})
            if CONTENDERS[name].on_s3:
                add(name, lost(name, folder, options.lost))


def add(name: str, found: dict[str, Any]) -> None:
    """Put what was found for one contender into the result file, over what was found before."""
    known = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    known[name] = {**known.get(name, {}), **found}
    RESULT.write_text(json.dumps({name: known[name] for name in CONTENDERS if name in known}, indent=1) + "\n")


if __name__ == "__main__":
    main()
