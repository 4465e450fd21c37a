import numpy as np
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from scoreline.models.knn import Knn


def _data() -> tuple[np.ndarray, np.ndarray]:
    features = np.random.default_rng(1).normal(size=(80, 3))
    return features, features @ [2.0, -1.0, 0.5]


def test_classification_is_the_plain_estimator() -> None:
    features, value = _data()
    labels = np.where(value > 0, "high", "low").astype(object)
    ours = Knn(params={"n_neighbors": 3}).build("classification", seed=5, threads=1).fit(features, labels)
    plain = KNeighborsClassifier(3).fit(features, labels)
    np.testing.assert_array_equal(ours.predict_proba(features), plain.predict_proba(features))


def test_regression_is_the_plain_estimator() -> None:
    features, value = _data()
    ours = Knn(params={"n_neighbors": 3}).build("regression", seed=5, threads=1).fit(features, value)
    plain = KNeighborsRegressor(3).fit(features, value)
    np.testing.assert_array_equal(ours.predict(features), plain.predict(features))
