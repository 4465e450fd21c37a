"""Number columns as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from scoreline.transformers.base import Transformer

if TYPE_CHECKING:
    from collections.abc import Sequence


class Passthrough(Transformer):
    """Give number columns to the model as they are, nulls included."""

    kind: Literal["passthrough"] = "passthrough"

    accepts: ClassVar[Literal["number", "text", "any"]] = "number"
    learns: ClassVar[bool] = False

    def export(self, names: Sequence[str], states: Sequence[Any]) -> Any:
        """A ``FunctionTransformer`` without a function: what scikit-learn makes of "passthrough"."""
        from sklearn.preprocessing import FunctionTransformer

        from scoreline.transformers._fitted import fitted

        return fitted(FunctionTransformer(feature_names_out="one-to-one"), names)
