import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import atexit, sys, tempfile, threading, time
from scoreline.cli.ending import Ending
ending = Ending()
atexit.register(print, "last words")
folder = tempfile.TemporaryDirectory(dir=sys.argv[1])
threading.Thread(target=lambda: (time.sleep(0.2), print("thread is done"))).start()
class Freed:
    def __del__(self):
        print("freed")
freed = Freed()
sys.stdout.write("said\\n")
ending.take({code})
sys.exit({code})
"""


def _ended(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", SCRIPT.format(code=code), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("code", "expected"), [("None", 0), ("0", 0), ("4", 4)])
def test_everything_due_is_done_and_nothing_is_freed(tmp_path: Path, code: str, expected: int) -> None:
    ended = _ended(code, tmp_path)
    assert (ended.returncode, ended.stderr) == (expected, "")
    assert ended.stdout == "said\nthread is done\nlast words\n"
    assert list(tmp_path.iterdir()) == []


def test_a_text_as_code_is_left_to_python(tmp_path: Path) -> None:
    ended = _ended("'it failed'", tmp_path)
    assert (ended.returncode, ended.stderr) == (1, "it failed\n")
    assert ended.stdout == "said\nthread is done\nlast words\nfreed\n"


def test_output_that_nobody_reads_ends_as_python_ends() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "scoreline", "--help"]
    with os.fdopen(writer, "w") as closed:
        ended = subprocess.run(command, stdout=closed, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode in (1, 120)
    assert "Traceback" not in ended.stderr
