import numpy as np
from sklearn import linear_model

from scoreline.models.ridge import Ridge


def _data() -> tuple[np.ndarray, np.ndarray]:
    features = np.random.default_rng(1).normal(size=(80, 3))
    return features, features @ [2.0, -1.0, 0.5]


def test_classification_is_the_plain_estimator() -> None:
    features, value = _data()
    labels = np.where(value > 0, "high", "low").astype(object)
    ours = Ridge(params={"alpha": 3.0}).build("classification", seed=5, threads=1).fit(features, labels)
    plain = linear_model.RidgeClassifier(alpha=3.0, random_state=5).fit(features, labels)
    np.testing.assert_array_equal(ours.decision_function(features), plain.decision_function(features))


def test_regression_is_the_plain_estimator() -> None:
    features, value = _data()
    ours = Ridge(params={"alpha": 3.0}).build("regression", seed=5, threads=1).fit(features, value)
    plain = linear_model.Ridge(alpha=3.0, random_state=5).fit(features, value)
    np.testing.assert_array_equal(ours.predict(features), plain.predict(features))
