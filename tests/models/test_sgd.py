import numpy as np
from sklearn.linear_model import SGDClassifier, SGDRegressor

from scoreline.models.sgd import Sgd


def _data() -> tuple[np.ndarray, np.ndarray]:
    features = np.random.default_rng(1).normal(size=(80, 3))
    return features, features @ [2.0, -1.0, 0.5]


def test_classification_is_the_plain_estimator() -> None:
    features, value = _data()
    labels = np.where(value > 0, "high", "low").astype(object)
    ours = Sgd(params={"alpha": 0.01}).build("classification", seed=5, threads=1).fit(features, labels)
    plain = SGDClassifier(alpha=0.01, random_state=5).fit(features, labels)
    np.testing.assert_array_equal(ours.decision_function(features), plain.decision_function(features))


def test_regression_is_the_plain_estimator() -> None:
    features, value = _data()
    ours = Sgd(params={"alpha": 0.01}).build("regression", seed=5, threads=1).fit(features, value)
    plain = SGDRegressor(alpha=0.01, random_state=5).fit(features, value)
    np.testing.assert_array_equal(ours.predict(features), plain.predict(features))
