"""A client that is closed while Dask tries to reconnect it drops a socket that nobody can reach to close."""

import gc
import warnings
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from scoreline.clusters._given_to_workers import HASHES, IMPORTED_EARLY, WORKER_ENVIRONMENT
from scoreline.clusters._template import begun
from scoreline.threads import environment


@pytest.fixture(scope="module")
def one_template() -> Iterator[None]:
    """Sessions of a file, opened one after another, fork their workers from one process, as those open at once do."""
    with ExitStack() as stack:
        with environment(WORKER_ENVIRONMENT | HASHES):
            stack.enter_context(begun(IMPORTED_EARLY))
        yield


@pytest.fixture(autouse=True)
def _dropped_sockets_are_collected_here() -> Iterator[None]:
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
