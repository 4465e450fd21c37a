"""What workers are forked from imports scikit-learn with less work, and nothing else changes."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache

import pytest

ASKED = """
import inspect, json, sys
{first}
import numpy as np
import scipy.stats
from scipy._lib import doccer
from scipy._lib._docscrape import FunctionDoc
import scipy._lib.array_api_compat.numpy, sklearn.externals.array_api_compat.numpy
spaces = (scipy._lib.array_api_compat.numpy, sklearn.externals.array_api_compat.numpy)
values = np.array([3.0, 1.0, 2.0, 2.0, np.nan])
print(json.dumps({{
    "ranks": scipy.stats.rankdata(values, nan_policy="omit").tolist(),
    "chi2": scipy.stats.chi2(3).ppf(0.7),
    "normal": scipy.stats.norm.cdf([0.1, 1.0], loc=0.5).tolist(),
    "mode": scipy.stats.mode(values, nan_policy="omit", keepdims=True).mode.tolist(),
    "names": [name for name in dir(scipy.stats) if not name.startswith("__")],
    "signatures": [str(inspect.signature(getattr(scipy.stats, name))) for name in ("rankdata", "spearmanr", "gmean")],
    "parses again": [each.name for each in FunctionDoc(scipy.sparse.eye_array)["Parameters"]],
    "formats again": doccer.docformat("%(a)s", {{"a": "b"}}),
    "numpy": sorted(name for name in dir(np) if not name.startswith("_")),
    "tests of numpy": np.testing.assert_allclose.__name__,
    "fortran": np.f2py.__name__,
    "through others": [getattr(space, name).__name__ for space in spaces for name in ("f2py", "testing")],
    "rankdata has docs": bool(scipy.stats.rankdata.__doc__),
}}))
"""


def asked(first: str = "") -> dict[str, object]:
    """What a new process finds that begins with some lines."""
    found: dict[str, object] = json.loads(told(first))
    return found


@cache
def told(first: str) -> str:
    """What such a process tells, which is the same each time."""
    return subprocess.check_output([sys.executable, "-c", ASKED.format(first=first)], text=True)


@pytest.mark.cluster
def test_all_but_docstrings_is_the_same() -> None:
    first = "import scoreline.clusters._imported_lightly; assert 'sklearn.compose' in sys.modules"
    plain, bare = asked(), asked(f"{first}; assert 'numpy.f2py' not in sys.modules")
    assert (plain.pop("rankdata has docs"), bare.pop("rankdata has docs")) == (True, False)
    assert bare == plain
    assert plain["formats again"] == "b"


ANOTHER = """
import scipy._lib._docscrape as docscrape
parameter, parse, sections = docscrape.Parameter, docscrape.NumpyDocString._parse, docscrape.NumpyDocString.sections
{other}
import scoreline.clusters._imported_lightly
docscrape.Parameter, docscrape.NumpyDocString._parse, docscrape.NumpyDocString.sections = parameter, parse, sections
"""


@pytest.mark.cluster
@pytest.mark.parametrize(
    "other",
    ["del docscrape.NumpyDocString._parse", "docscrape.NumpyDocString.sections = None", "del docscrape.Parameter"],
)
def test_another_scipy_is_imported_as_ever(other: str) -> None:
    assert asked(ANOTHER.format(other=other))["ranks"] == asked()["ranks"]


@pytest.mark.cluster
def test_another_numpy_is_imported_as_ever() -> None:
    first = "import numpy; kept = numpy.__numpy_submodules__; del numpy.__numpy_submodules__"
    # NumPy's own list of its names needs it.
    first += "; import scoreline.clusters._imported_lightly; numpy.__numpy_submodules__ = kept"
    assert asked(first)["ranks"] == asked()["ranks"]
