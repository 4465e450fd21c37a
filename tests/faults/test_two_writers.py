"""Two runs at once on one data set: different ones do not both win, and two drivers of the same run do no harm."""

from __future__ import annotations

from itertools import count, cycle, islice
from pathlib import Path

import pytest
from tests.faults.races import RACES, pair, race_all
from tests.faults.remains import Place
from tests.faults.scene import Scene
from tests.seaweedfs import SeaweedFS

pytestmark = [pytest.mark.end_to_end, pytest.mark.storage, pytest.mark.timeout(300)]

LOCAL, S3 = 16, 8


def test_one_of_two_rivals_is_told_and_twins_both_succeed(
    scene: Scene, seaweedfs: SeaweedFS, s3_bucket: str, tmp_path: Path
) -> None:
    local = (Place(str(tmp_path / f"{number:02}")) for number in count())
    s3 = (Place(f"{s3_bucket}/{number:02}", seaweedfs.client()) for number in count())
    races = [*zip(islice(cycle(RACES), LOCAL), local, strict=False), *zip(islice(cycle(RACES), S3), s3, strict=False)]
    with pair(seaweedfs.env()) as drivers:
        raced = race_all(scene, drivers, races)
    assert raced.violations == []
    assert raced.endings.total() == LOCAL + S3
    assert raced.endings["local, rivals that meet at commit: 0 and 7"] == LOCAL // len(RACES)
    assert raced.endings["s3, rivals that meet at commit: 0 and 7"] == S3 // len(RACES)
    assert raced.endings["local, twins that meet at commit: 0 and 0"] == LOCAL // len(RACES)
