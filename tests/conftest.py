"""Every test starts without what this machine's environment says about S3, Dask or Scoreline."""

import gc
import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

pytest_plugins = ["tests.dask_processes", "tests.seaweedfs"]

# A job in the background of a shell begins with Ctrl-C ignored, and would hand that down to programs under test.
signal.signal(signal.SIGINT, signal.default_int_handler)

# On a busy machine an example may take any time.
settings.register_profile("busy", deadline=None)
settings.load_profile("busy")

FOREIGN = ("AWS_", "DASK_", "SCORELINE_")


def _scrub(patch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(FOREIGN):
            patch.delenv(name)
    # Nothing that a test finds out about a pipeline is to be believed by another one.
    patch.setenv("SCORELINE_CACHE", "")


@pytest.fixture(autouse=True, scope="session")
def _clean_environment_for_servers() -> Iterator[None]:
    """Servers and clusters that outlive one test inherit nothing either."""
    with pytest.MonkeyPatch.context() as patch:
        _scrub(patch)
        yield


@pytest.fixture(autouse=True, scope="session")
def _nothing_so_far_is_garbage() -> None:
    """What was imported and collected is not looked through again by tests that have garbage collected."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    _scrub(monkeypatch)
