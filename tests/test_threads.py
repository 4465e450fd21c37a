import os
import subprocess
import sys

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from scoreline.threads import limited


def _blas_threads() -> set[int]:
    np.dot(np.ones((2, 2)), np.ones((2, 2)))
    return {int(library["num_threads"]) for library in threadpool_info()}


@pytest.mark.parametrize("threads", [1, 2])
def test_libraries_that_are_loaded_use_that_many_threads(threads: int) -> None:
    with limited(threads):
        assert _blas_threads() == {threads}


def test_everything_is_put_back_even_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    before = _blas_threads()
    with pytest.raises(KeyError), limited(1):
        os.environ.pop("MKL_NUM_THREADS_THAT_NOBODY_SET")
    assert (os.environ["OMP_NUM_THREADS"], "MKL_NUM_THREADS" in os.environ) == ("7", False)
    assert _blas_threads() == before


def test_a_library_that_was_loaded_since_is_limited_too() -> None:
    script = (
        "import sys; from scoreline.threads import limited\n"
        "with limited(1): pass\n"
        "import numpy\n"
        "from threadpoolctl import threadpool_info\n"
        "with limited(1): print([library['num_threads'] for library in threadpool_info()])\n"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}
    found = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True, text=True)
    assert found.stdout.strip() == "[1]"
