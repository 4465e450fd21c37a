import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from sklearn.feature_extraction.text import HashingVectorizer

from scoreline.transformers.hash_text import HashText

FRAME = pd.DataFrame({"a": ["red car", None, "car", ""], "b": ["x", "y y", None, "x"]}, dtype="str")


def test_each_column_is_hashed_apart_and_null_is_no_words() -> None:
    made = HashText(columns=("a", "b")).export(("a", "b"), (None, None)).transform(FRAME)
    vectorizer = HashingVectorizer(n_features=64)
    expected = [vectorizer.transform(FRAME[name].fillna("")).toarray() for name in FRAME]
    assert made.shape == (4, 128)
    np.testing.assert_array_equal(made, np.hstack(expected))
    assert not made[1, :64].any()


def test_options_reach_the_vectorizer() -> None:
    hasher = HashText(columns=("a",), n_features=16, analyzer="char", ngram_range=(2, 3))
    made = hasher.export(("a",), (None,)).transform(FRAME[["a"]].fillna(""))
    expected = HashingVectorizer(n_features=16, analyzer="char", ngram_range=(2, 3)).transform(FRAME["a"].fillna(""))
    np.testing.assert_array_equal(made, expected.toarray())


def test_runs_of_words_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValidationError, match="ngram_range"):
        HashText(columns=("a",), ngram_range=(2, 1))
