import subprocess
import sys

from scoreline.clusters.inline import Inline

SCRIPT = """
import sys
from scoreline.clusters.inline import Inline
with Inline().open() as session:
    assert dict(session.map(abs, [-1], "absolute")) == {0: 1}
print(sorted({name.split(".")[0] for name in sys.modules} & {"dask", "distributed", "dask_ml"}))
"""


def test_dask_is_never_imported() -> None:
    answer = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout == "[]\n"


def test_nothing_runs_before_it_is_asked_for() -> None:
    seen: list[int] = []
    with Inline().open() as session:
        results = session.map(seen.append, [1, 2], "append")
        assert seen == []
        next(results)
        assert seen == [1]
