import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor

from scoreline.models.dummy import Dummy


def _data() -> tuple[np.ndarray, np.ndarray]:
    features = np.random.default_rng(1).normal(size=(80, 3))
    return features, features @ [2.0, -1.0, 0.5]


def test_classification_is_the_plain_estimator() -> None:
    features, value = _data()
    labels = np.where(value > 0, "high", "low").astype(object)
    ours = Dummy(params={"strategy": "stratified"}).build("classification", seed=5, threads=1).fit(features, labels)
    plain = DummyClassifier(strategy="stratified", random_state=5).fit(features, labels)
    np.testing.assert_array_equal(ours.predict(features), plain.predict(features))


def test_regression_is_the_plain_estimator() -> None:
    features, value = _data()
    ours = Dummy(params={"strategy": "median"}).build("regression", seed=5, threads=1).fit(features, value)
    plain = DummyRegressor(strategy="median").fit(features, value)
    np.testing.assert_array_equal(ours.predict(features), plain.predict(features))
