"""Which OpenBLAS this is, for tests that need one whose order of adding is known."""

import pytest
from threadpoolctl import threadpool_info

ARCHITECTURES = {each.get("architecture") for each in threadpool_info() if each["internal_api"] == "openblas"}
_KNOWN = {"SkylakeX", "Haswell", "Zen", "Cooperlake", "SapphireRapids"}
known_blas = pytest.mark.skipif(
    not ARCHITECTURES or not ARCHITECTURES <= _KNOWN, reason="a BLAS whose order of adding is not known"
)
