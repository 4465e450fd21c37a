"""Text as counts of hashed words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from scoreline.transformers.base import Transformer

if TYPE_CHECKING:
    from collections.abc import Sequence


class HashText(Transformer):
    """Hash the words of a text into a fixed number of columns, as ``HashingVectorizer``; null is no words.

    It learns nothing. scikit-learn has no names for hashed columns: ``get_feature_names_out`` and pandas output do not
    work with it.
    """

    kind: Literal["hash_text"] = "hash_text"
    n_features: int = Field(64, ge=1, description="Columns for each text column.")
    analyzer: Literal["word", "char", "char_wb"] = Field(
        "word", description="Count words, characters, or characters inside words."
    )
    ngram_range: tuple[int, int] = Field((1, 1), description="Shortest and longest run of words or characters.")

    accepts: ClassVar[Literal["number", "text", "any"]] = "text"
    learns: ClassVar[bool] = False

    @property
    def widens(self) -> bool:
        """Always."""
        return True

    @model_validator(mode="after")
    def _runs_are_in_order(self) -> Self:
        if not 1 <= self.ngram_range[0] <= self.ngram_range[1]:
            raise ValueError("ngram_range must be two whole numbers from 1, in order")
        return self

    def export(self, names: Sequence[str], states: Sequence[Any]) -> Any:
        """A ``Pipeline`` that empties nulls and then hashes each column by a ``HashingVectorizer`` of its own."""
        from sklearn.compose import ColumnTransformer
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import Pipeline

        from scoreline.transformers._fitted import specimen

        hashed = [(f"text_{place}", self._vectorizer(), place) for place in range(len(names))]
        steps = [
            ("fill", SimpleImputer(strategy="constant", fill_value="")),
            ("hash", ColumnTransformer(hashed, sparse_threshold=0)),
        ]
        return Pipeline(steps).fit(specimen(names, [np.array(["text"], dtype=object)] * len(names)))

    def _vectorizer(self) -> Any:
        from sklearn.feature_extraction.text import HashingVectorizer

        return HashingVectorizer(n_features=self.n_features, analyzer=self.analyzer, ngram_range=self.ngram_range)
