"""The high-water mark of the memory of a process and of its children, read from /proc while they run."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Self

import psutil

SECONDS = 0.2


class Watching(ABC):
    """Looks again and again, in a thread, for as long as the block lasts."""

    def __init__(self) -> None:
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    @abstractmethod
    def _watch(self) -> None:
        """Look, until `_done` is set."""


class WorkerMemory(Watching):
    """While it is open, watches a process and all its descendants.

    `own` is the high-water mark of the process itself in MiB, `peaks` are those of its descendants.
    """

    def __init__(self, root: int) -> None:
        super().__init__()
        self._root = root
        self._found: dict[int, int] = {}

    @property
    def own(self) -> float:
        """MiB of the process itself."""
        return round(self._found.get(self._root, 0) / 1024, 1)

    @property
    def peaks(self) -> list[float]:
        """MiB of each descendant, largest first."""
        others = (kib for pid, kib in self._found.items() if pid != self._root)
        return sorted((round(kib / 1024, 1) for kib in others), reverse=True)

    def _watch(self) -> None:
        while not self._done.wait(SECONDS):
            for pid in (self._root, *descendants(self._root)):
                self._found[pid] = max(self._found.get(pid, 0), high_water(pid))


def descendants(root: int) -> list[int]:
    """All that a process started, and what these started."""
    try:
        return [child.pid for child in psutil.Process(root).children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def children_of(pid: int) -> list[int]:
    """Processes that a process started; none when it has ended.

    By the parent that each process of the machine names: lists by thread miss those of a thread that ends meanwhile.
    """
    try:
        return [child.pid for child in psutil.Process(pid).children()]
    except psutil.NoSuchProcess:
        return []


def high_water(pid: int) -> int:
    """KiB that a process had at most; 0 when it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)
