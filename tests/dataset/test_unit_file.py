"""Writing the file of a unit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import sys, numpy as np, pyarrow as pa
from functools import partial
from scoreline.dataset.layout import Layout
from scoreline.dataset.unit_file import write_unit_file
from scoreline.sinks.parquet import Parquet
layout = Layout(sys.argv[1] + "/out", "key")
table = pa.table({"x": np.random.default_rng(0).normal(size=1_000_000)})
try:
    write = partial(Parquet(uri=layout.uri).write, iter([table]), table.schema)
    write_unit_file(write, layout, layout.unit_file("first"))
except OSError as error:
    print(error.filename == layout.unit_file("first"), error.strerror)
"""


def test_a_disk_that_fills_up_names_the_file_that_was_being_written(tmp_path: Path) -> None:
    script = 'mount -t tmpfs -o size=900k none "$1" || exit 77; "$2" -c "$3" "$1"; find "$1" -type f'
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", str(tmp_path)]
    done = subprocess.run([*command, sys.executable, CODE], capture_output=True, text=True, check=False)
    if done.returncode == 77 or done.stderr.startswith("unshare:"):
        pytest.skip("this system lets no test mount a small disk")
    assert done.stdout.startswith("True ")
    assert "No space left" in done.stdout
    assert len(done.stdout.splitlines()) == 1, "something of the file is left"
