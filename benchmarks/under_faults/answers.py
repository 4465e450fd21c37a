"""What every peer computes: one of two words a row. It counts how often, and tells when it begins and ends to write."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

WRITING, WRITTEN = "WRITING", "WRITTEN"
COUNT_FILE = "COMPUTED_UNITS"
"""The environment variable with the file that grows by one byte for every partition that is computed."""


def answered(frame: Any, word: str) -> Any:
    """A partition with its column `prediction`, as a model that was handed over would give it."""
    import numpy as np

    if len(frame):
        with Path(os.environ[COUNT_FILE]).open("ab", buffering=0) as file:
            file.write(b".")
    positive = (frame["x"] + frame["y"]).to_numpy() > 0
    return frame.assign(prediction=np.where(positive, f"{word}-high", f"{word}-low"))


@contextmanager
def told() -> Iterator[None]:
    """Say on standard output when writing begins and when it has ended."""
    print(WRITING, flush=True)
    yield
    print(WRITTEN, flush=True)
