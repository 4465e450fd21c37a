"""How many threads a computation may use: the answer of a model can depend on it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LOKY_MAX_CPU_COUNT")


@contextmanager
def limited(threads: int) -> Iterator[None]:
    """Let BLAS and OpenMP use `threads` threads inside, in libraries loaded before and in those loaded inside.

    Goes around `fit` and `predict`; how many jobs an estimator starts is its own ``n_jobs``.

    >>> with limited(2):
    ...     os.environ["OMP_NUM_THREADS"]
    '2'
    """
    from threadpoolctl import threadpool_limits

    with environment(dict.fromkeys(_VARIABLES, str(threads))), threadpool_limits(limits=threads):
        yield


@contextmanager
def environment(variables: Mapping[str, str], also: Sequence[str] = ()) -> Iterator[None]:
    """Set environment variables inside; afterwards they, and those named in `also`, are as they were."""
    before = {name: os.environ.get(name) for name in (*variables, *also)}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
