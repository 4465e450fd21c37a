"""Files that are hashed and written while what comes next is made."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreline.dataset.hashed_file import HashedFile

if TYPE_CHECKING:
    from collections.abc import Iterable

BATCH = 2**20


@given(st.lists(st.sampled_from([0, 1, 7, 1000, BATCH - 1, BATCH, BATCH + 1, 3 * BATCH]), max_size=40))
def test_it_holds_what_was_written_and_knows_its_hash(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int]
) -> None:
    path = tmp_path_factory.mktemp("hashed") / "file"
    pieces = [bytes([number % 251]) * size for number, size in enumerate(sizes)]
    with HashedFile(path) as file:
        for piece in pieces:
            assert file.write(piece) == len(piece)
    whole = b"".join(pieces)
    assert path.read_bytes() == whole
    assert file.sha256 == hashlib.sha256(whole).hexdigest()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("halves", [1, 2, 80])
def test_what_the_disk_refuses_is_raised_and_no_thread_is_left(halves: int) -> None:
    before = threading.active_count()
    file = HashedFile(Path("/dev/full"))
    with pytest.raises(OSError, match="No space left"):
        _written(file, [bytes(BATCH // 2)] * halves)
    assert file.closed
    assert not file.sha256
    assert threading.active_count() == before


def test_an_error_of_whoever_writes_passes(tmp_path: Path) -> None:
    pieces = (bytes(BATCH) if number else bytes(1 // number) for number in (2, 1, 0))
    file = HashedFile(tmp_path / "file")
    with pytest.raises(ZeroDivisionError):
        _written(file, pieces)
    assert file.closed


def _written(file: HashedFile, pieces: Iterable[bytes]) -> None:
    with file:
        for piece in pieces:
            file.write(piece)
