"""Claims: how drivers and a collection keep out of each other's way without a lock.

Each side first says what it is about to do, then looks what the other side said; so one of them sees the other.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from scoreline.errors import ConflictError, Problem
from scoreline.storage import exists, replace

if TYPE_CHECKING:
    from scoreline.dataset.layout import Layout


def claim(layout: Layout) -> None:
    """Say that a driver works on the run, so that no collection takes it for old.

    Raises ConflictError when a collection is deleting it, or was killed while it did.
    """
    replace(layout.driver, json.dumps({"at": datetime.now(UTC).isoformat(timespec="seconds")}).encode())
    if exists(layout.mark):
        advice = f"run this again; if nobody collects any more: scoreline data gc {layout.uri} --yes, then this again"
        raise ConflictError(Problem("this run is being collected", layout.mark, advice))


def is_collected(layout: Layout) -> bool:
    """Whether a run was deleted by a collection, or is being deleted."""
    return exists(layout.mark) or not (exists(layout.manifest) or exists(layout.data))
