"""When garbage is collected."""

from __future__ import annotations

import gc
import subprocess
import sys
from threading import Thread

import pytest

from scoreline.garbage import uncollected

BEFORE_AND_AFTER = """
import gc
import scoreline.clusters._imports_begin
before = gc.isenabled()
import scoreline.clusters._imports_end
print(before, gc.isenabled(), gc.get_freeze_count() > 1000)
"""


def test_nothing_is_collected_inside_and_all_is_as_it_was_afterwards() -> None:
    with uncollected():
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_threads_that_come_and_go_leave_it_as_it_was() -> None:
    def enter_often() -> None:
        for _ in range(2_000):
            with uncollected():
                pass

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(10):
            threads = [Thread(target=enter_often) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert gc.isenabled()
    finally:
        sys.setswitchinterval(before)


def test_the_first_to_come_may_be_the_first_to_leave() -> None:
    first, second = uncollected(), uncollected()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert not gc.isenabled()
    second.__exit__(None, None, None)
    assert gc.isenabled()


def test_who_collects_nothing_goes_on_so() -> None:
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_an_error_inside_does_not_end_collecting() -> None:
    with pytest.raises(ValueError, match="broken"), uncollected():
        raise ValueError("broken")
    assert gc.isenabled()


def test_workers_are_forked_from_a_process_that_collects_again_and_leaves_alone_what_it_imported() -> None:
    told = subprocess.check_output([sys.executable, "-c", BEFORE_AND_AFTER], text=True)
    assert told.split() == ["False", "True", "True"]
