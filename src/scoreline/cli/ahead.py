"""What a command begins before it knows whether it will need it, because it takes long: the workers of a large job."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack, contextmanager, suppress
from glob import has_magic, iglob
from itertools import accumulate, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scoreline.clusters._given_to_workers import HASHES, IMPORTED_EARLY, WORKER_ENVIRONMENT
from scoreline.garbage import uncollected
from scoreline.threads import environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LARGE = {"parquet": 8 << 20, "csv": 48 << 20}
"""Bytes from which on an input most often has so many rows that workers are started for it."""


_MOST_FILES = 1_000
"""So many files of an input are looked at: of one whose first ones are tiny workers begin later."""

_COMMANDS = frozenset({"run", "train", "evaluate", "predict"})
_begun = ExitStack()
"""Ends what was begun."""


@contextmanager
def workers_ahead(arguments: Sequence[str]) -> Iterator[None]:
    """Begin to start workers for a command whose job will probably have them, before anybody reads the command line.

    A glance at the config has to do, since to read it takes half as long as to start: options of the command do not
    count, and what is wrong with it is told by who reads it. Afterwards what was begun is ended.
    """
    command, *others = arguments or [""]
    with _begun:
        if command in _COMMANDS and "--help" not in others and any(map(_has_workers, others)):
            from scoreline.clusters._template import begun

            with environment(WORKER_ENVIRONMENT | HASHES):
                _begun.enter_context(begun(IMPORTED_EARLY))
        yield


def chosen(kind: str) -> None:
    """Once the kind of cluster is known: end workers that nobody needs; import here what they would have imported."""
    if kind != "local":
        _begun.close()
    if kind == "inline":
        with uncollected():
            import scoreline.clusters._imported_lightly  # noqa: F401


def _has_workers(config: str) -> bool:
    """Whether this is the config of a job that will probably have workers; what is none has none."""
    with suppress(OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        if not Path(config).is_file():
            return False  # What comes through a pipe can be read once, which is for who needs it.
        job: dict[str, Any] = json.loads(Path(config).read_text(encoding="utf-8"))
        if job.get("cluster"):
            return bool(job["cluster"]["kind"] == "local")
        sources = (job["source"], (job.get("predict") or {}).get("source"))
        return (os.cpu_count() or 1) > 1 and any(_is_large(**source) for source in sources if source)
    return False


def _is_large(kind: str, uri: str, **_options: Any) -> bool:
    """Whether a source of local files has many bytes, as far as one can tell; looks at no more files than it takes."""
    sizes = islice(_sizes(uri), _MOST_FILES) if "://" not in uri else ()
    return any(size >= LARGE[kind] for size in accumulate(sizes))


def _sizes(uri: str) -> Iterator[int]:
    for path in map(Path, iglob(uri, recursive=True) if has_magic(uri) else [uri]):  # noqa: PTH207  it may begin anywhere
        files = path.rglob("*") if path.is_dir() else [path]
        yield from (file.stat().st_size for file in files if file.is_file())
