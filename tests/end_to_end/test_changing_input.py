"""Input that changes while a run lasts is noticed, whenever it does, and nothing of a mixture is published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.end_to_end.in_process import account, job, predicted, ran, rows, store

from scoreline.errors import DataError

pytestmark = pytest.mark.end_to_end

MEDDLER = """
import os
from pathlib import Path
from typing import Literal

from scoreline.cleaners.base import Cleaned, Step


class Meddle(Step):
    kind: Literal["{kind}"] = "{kind}"
    target: str

    def output_schema(self, schema):
        return schema

    def apply(self, part):
        if part.num_rows > 1000 and Path(self.target + ".armed").exists():
            Path(self.target + ".armed").unlink()
            {deed}
        return Cleaned(part)

    def needs(self, wanted, schema):
        return wanted

    def narrowed(self, wanted, schema):
        return self
"""

DEEDS = {
    "touch": "os.utime(self.target, ns=(7, 7))",
    "grow": "Path(self.target).write_bytes(Path(self.target).read_bytes() + b'x')",
    "swap": "os.replace(self.target + '.other', self.target)",
    "delete": "Path(self.target).unlink()",
}


def meddling(folder: Path, deed: str, target: str) -> tuple[dict[str, Any], tuple[Path, ...]]:
    """A trained job whose own step does the deed to an input file while the first unit is predicted."""
    kind = f"meddle_{deed}"
    module = folder / f"own_{kind}.py"
    module.write_text(
        MEDDLER.replace("{kind}", kind).replace("{deed}", DEEDS[deed]).replace("Meddle", f"Meddle{deed.title()}")
    )
    store(folder, rows(300))
    for number in range(2):
        (folder / "new").mkdir(exist_ok=True)
        pq.write_table(rows(66_000, number + 1), folder / f"new/{number}.parquet")
    path = folder / "new" / target
    pq.write_table(rows(66_000, 9), f"{path}.other")
    config = job(
        folder,
        clean=[{"kind": kind, "target": str(path)}],
        predict={"source": {"kind": "parquet", "uri": str(folder / "new/*.parquet")}, "keep": ["id"]},
    )
    return config, (module,)


@pytest.mark.parametrize("target", ["0.parquet", "1.parquet"], ids=["while_it_is_read", "before_it_is_read"])
@pytest.mark.parametrize("deed", DEEDS)
def test_a_change_stops_the_run_and_the_same_command_scores_what_is_there_now(
    tmp_path: Path, deed: str, target: str
) -> None:
    config, modules = meddling(tmp_path, deed, target)
    ran(tmp_path, config, "train", modules)
    (tmp_path / "new" / f"{target}.armed").touch()
    with pytest.raises(DataError, match=r"while the run lasted|damaged") as error:
        ran(tmp_path, config, "predict", modules)
    assert target in error.value.problems[0].where
    assert not (tmp_path / "out").exists()
    if deed == "grow":
        pq.write_table(rows(66_000, 9), tmp_path / "new" / target)
    count = 66_000 if deed == "delete" else 132_000
    assert account(ran(tmp_path, config, "predict", modules)) == (count, count, 0, 0)
    assert predicted(tmp_path).num_rows == count


def test_a_change_of_what_was_read_already_is_noticed_before_publishing(tmp_path: Path) -> None:
    config, modules = meddling(tmp_path, "touch", "0.parquet")
    config["clean"][0]["target"] = str(tmp_path / "new/0.parquet")
    ran(tmp_path, config, "train", modules)
    ran(tmp_path, config, "predict", modules)
    (receipt,) = (tmp_path / "out.store").glob("receipts/*/000001-*.json")
    for path in [receipt, *(tmp_path / "out.store").glob("manifests/*"), *(tmp_path / "out.store").glob("commits/*")]:
        path.unlink()
    (tmp_path / "new/0.parquet.armed").touch()
    with pytest.raises(DataError, match="1 input files changed or went while the run lasted"):
        ran(tmp_path, config, "predict", modules)
    assert (tmp_path / "new/0.parquet").stat().st_mtime_ns == 7
