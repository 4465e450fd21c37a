"""How many threads a computation may use: the answer of a model can depend on it."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LOKY_MAX_CPU_COUNT")


@contextmanager
def limited(threads: int) -> Iterator[None]:
    """Let BLAS and OpenMP use `threads` threads inside, in libraries loaded before and in those loaded inside.

    Goes around `fit` and `predict`; how many jobs an estimator starts is its own ``n_jobs``.

    >>> with limited(2):
    ...     os.environ["OMP_NUM_THREADS"]
    '2'
    """
    libraries = _libraries(len(sys.modules))
    with environment(dict.fromkeys(_VARIABLES, str(threads))), libraries.limit(limits=threads):
        yield


@lru_cache(maxsize=1)
def _libraries(_modules: int) -> Any:
    """The libraries with threads of their own that are loaded; found once for as many modules as are imported.

    Looking through all that a process has loaded takes longer than scoring a small unit.
    """
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables inside; afterwards they are as they were."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
