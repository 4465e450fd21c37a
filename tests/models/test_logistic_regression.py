import numpy as np
from sklearn import linear_model

from scoreline.models.logistic_regression import LogisticRegression


def _data() -> tuple[np.ndarray, np.ndarray]:
    features = np.random.default_rng(1).normal(size=(80, 3))
    return features, features @ [2.0, -1.0, 0.5]


def test_classification_is_the_plain_estimator() -> None:
    features, value = _data()
    labels = np.where(value > 0, "high", "low").astype(object)
    ours = LogisticRegression(params={"C": 0.5}).build("classification", seed=5, threads=1).fit(features, labels)
    plain = linear_model.LogisticRegression(C=0.5).fit(features, labels)
    np.testing.assert_array_equal(ours.predict_proba(features), plain.predict_proba(features))
