"""One column of zeros and ones per category."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from scoreline.transformers import _tally
from scoreline.transformers._columns import refuse_empty
from scoreline.transformers._fitted import specimen
from scoreline.transformers.base import Transformer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from scoreline.transformers._tally import Tally

_HANDLE_UNKNOWN = {"ignore": "ignore", "infrequent": "infrequent_if_exist", "refuse": "error"}


class OneHot(Transformer):
    """Turn each category into a column of its own, as ``OneHotEncoder`` with dense output; null is a category too."""

    kind: Literal["one_hot"] = "one_hot"
    min_frequency: Annotated[int, Field(ge=1)] | Annotated[float, Field(gt=0, lt=1)] | None = Field(
        None, description="Categories with fewer rows (or a smaller share of rows) are one infrequent category."
    )
    max_categories: int | None = Field(
        None, ge=1, description="Most columns for one input column; the rarest categories are one infrequent category."
    )
    drop: Literal["first", "if_binary"] | None = Field(
        None, description="Leave out the first category of every column, or of columns with two."
    )
    unknown: Literal["ignore", "infrequent", "refuse"] = Field(
        "ignore",
        description="Categories not seen in training: all zeros, the infrequent category, or the row is refused.",
    )

    @property
    def widens(self) -> bool:
        """Always."""
        return True

    @model_validator(mode="after")
    def _infrequent_exists(self) -> Self:
        if self.unknown == "infrequent" and self.min_frequency is None and self.max_categories is None:
            raise ValueError('"unknown": "infrequent" needs min_frequency or max_categories')
        return self

    def partial(self, column: pd.Series, target: pd.Series | None, state: Any) -> Tally:
        """Distinct values with counts of one part."""
        return _tally.tally(column)

    def merge(self, partials: Sequence[Tally], state: Any) -> Tally:
        """Distinct values with counts of several parts."""
        return _tally.merged(partials)

    def export(self, names: Sequence[str], states: Sequence[Tally]) -> Any:
        """A fitted ``OneHotEncoder``."""
        refuse_empty(self.kind, zip(names, (len(state.values) for state in states), strict=True))
        categories = [state.with_null() for state in states]
        encoder = self._encoder().fit(specimen(names, [tally.values for tally in categories]))
        if self.min_frequency is not None or self.max_categories is not None:
            _group_infrequent(encoder, categories)
        return encoder

    def _encoder(self) -> Any:
        from sklearn.preprocessing import OneHotEncoder

        return OneHotEncoder(
            min_frequency=self.min_frequency,
            max_categories=self.max_categories,
            drop=self.drop,
            handle_unknown=_HANDLE_UNKNOWN[self.unknown],
            sparse_output=False,
        )


def _group_infrequent(encoder: Any, categories: Sequence[Tally]) -> None:
    """Do again what ``OneHotEncoder.fit`` does after counting, with the counts of all rows, not of the specimen."""
    counts = [tally.counts for tally in categories]
    encoder._fit_infrequent_category_mapping(categories[0].rows, counts, {})  # noqa: SLF001  no public way to give counts
    encoder._set_drop_idx()  # noqa: SLF001
    encoder._n_features_outs = encoder._compute_n_features_outs()  # noqa: SLF001
