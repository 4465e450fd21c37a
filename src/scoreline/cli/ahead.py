"""What a command begins before it knows whether it will need it, because it takes long: the workers of a large job."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager, suppress
from glob import has_magic, iglob
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scoreline.clusters.base import Cluster
    from scoreline.config.models import JobConfig
    from scoreline.sources.base import Source

LARGE = {"parquet": 8 << 20, "csv": 48 << 20}
"""Bytes from which on an input most often has so many rows that workers are started for it."""


@contextmanager
def workers_ahead(job: JobConfig) -> Iterator[ExitStack]:
    """Begin to start workers for a job that will probably have them; gives what ends them early, once that is known."""
    with ExitStack() as stack:
        cluster = _probable(job)
        if cluster is not None:
            stack.enter_context(cluster.ahead())
        yield stack


def _probable(job: JobConfig) -> Cluster | None:
    """The cluster that a job will probably run on; None where it needs none, or nobody can tell yet."""
    if job.cluster is not None:
        return job.cluster
    if (os.cpu_count() or 1) > 1 and any(map(_is_large, {job.source, job.predict_source})):
        from scoreline.clusters.local import Local

        return Local()
    return None


def _is_large(source: Source) -> bool:
    """Whether a source of local files has many bytes, as far as one can tell; looks at no more files than it takes."""
    with suppress(OSError):
        return "://" not in source.uri and any(size >= LARGE[source.kind] for size in accumulate(_sizes(source.uri)))
    return False


def _sizes(uri: str) -> Iterator[int]:
    for path in map(Path, iglob(uri, recursive=True) if has_magic(uri) else [uri]):  # noqa: PTH207  it may begin anywhere
        files = path.rglob("*") if path.is_dir() else [path]
        yield from (file.stat().st_size for file in files if file.is_file())
