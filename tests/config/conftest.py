import copy
from typing import Any

import pytest

CONFIG: dict[str, Any] = {
    "name": "small",
    "source": {"kind": "parquet", "uri": "data/*.parquet"},
    "features": [{"kind": "standard_scale", "columns": ["amount"]}],
    "target": "group",
    "train": {"model": {"kind": "random_forest"}},
    "predict": {"sink": {"kind": "parquet", "uri": "predictions"}},
    "artifacts": "artifacts",
}


@pytest.fixture
def config() -> dict[str, Any]:
    """A config of its own for each test, with little more than what must be there."""
    return copy.deepcopy(CONFIG)
