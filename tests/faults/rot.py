"""Random damage to the files of a published store: every bit of it must be found."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.interruptions import MINE, OTHER
from tests.faults.scene import Scene, command, quiet

from scoreline.dataset.verification import verify

DAMAGE = ("bit flipped", "cut short")


@dataclass
class Rotted:
    """What a series of damages came to: how often what was damaged how, and what was not found."""

    damages: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)


def published(scene: Scene, folder: Path) -> str:
    """A data set with two versions."""
    uri = str(folder / "rot")
    with quiet():
        for model in (MINE, OTHER):
            assert command(scene.config(f"rot-{model}", model, uri)).code == 0
    assert verify(uri).problems == ()
    return uri


def damage_all(uri: str, times: int, seed: int) -> Rotted:
    """Damage one file at a time, in one place; verification must name the file."""
    chance, rotted = random.Random(seed), Rotted()  # noqa: S311  for damages, not for secrets
    files = sorted(_vouched_for(Path(f"{uri}.store")))
    for _ in range(times):
        path, damage = chance.choice(files), chance.choice(DAMAGE)
        with damaged(path, damage, chance) as where:
            found = verify(uri).problems
        rotted.damages[f"{path.relative_to(f'{uri}.store').parts[0]}, {damage}"] += 1
        if not any(path.name in problem.where for problem in found):
            rotted.violations.append(f"{path.relative_to(uri + '.store')}: {damage} at {where}: {found}")
    assert verify(uri).problems == ()
    return rotted


def _vouched_for(store: Path) -> Iterator[Path]:
    """Files that are never changed once they are there."""
    for folder in ("runs/*/data", "quarantine/*", "receipts/*", "manifests", "commits", "plans"):
        yield from store.glob(f"{folder}/*.*")


@contextmanager
def damaged(path: Path, damage: str, chance: random.Random) -> Iterator[int]:
    """A file that is damaged in place, as a disk does it, until the block ends; where."""
    body = path.read_bytes()
    place = chance.randrange(len(body))
    flipped = body[:place] + bytes([body[place] ^ 1 << chance.randrange(8)]) + body[place + 1 :]
    try:
        path.write_bytes(flipped if damage == "bit flipped" else body[:place])
        yield place
    finally:
        path.write_bytes(body)
