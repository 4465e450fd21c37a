"""LightGBM; needs the extra `boost`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from scoreline.models.base import Model


class Lightgbm(Model):
    """LightGBM; needs the extra `boost`."""

    kind: Literal["lightgbm"] = "lightgbm"

    estimators: ClassVar[Mapping[str, str]] = {
        "classification": "lightgbm.LGBMClassifier",
        "regression": "lightgbm.LGBMRegressor",
    }
    # The same trees for the same threads, and nothing printed.
    defaults: ClassVar[Mapping[str, Any]] = {"verbose": -1, "deterministic": True, "force_row_wise": True}

    def other_names(self) -> frozenset[str]:
        """LightGBM's own names for its parameters, such as ``bagging_fraction``."""
        from lightgbm.basic import _ConfigAliases

        # LightGBM lists them nowhere else.
        aliases = _ConfigAliases._get_all_param_aliases()  # noqa: SLF001
        return frozenset(name for names in aliases.values() for name in names)
