"""What a worker process of ours does first: it imports what tasks will need, while the driver still makes its plan."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from distributed import Worker

MODULES = ("scoreline.scoring", "sklearn.compose", "sklearn.pipeline")


def dask_setup(worker: Worker) -> None:  # noqa: ARG001  (called by dask)
    """Import them in a thread, so that the worker is there meanwhile."""
    Thread(target=_import, name="scoreline-early", daemon=True).start()


def _import() -> None:
    # What cannot be imported, for whatever reason, is told by the task that needs it.
    with suppress(Exception):
        for module in MODULES:
            import_module(module)
