"""Locations as users write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scoreline.errors import UsageError
from scoreline.storage import absolute

if TYPE_CHECKING:
    from pathlib import Path


def test_a_current_folder_that_is_gone_is_no_bug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert absolute("/data") == "/data"
    with pytest.raises(UsageError, match="started in is gone"):
        absolute("data")
