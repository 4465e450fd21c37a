import numpy as np
from sklearn.svm import LinearSVC, LinearSVR

from scoreline.models.linear_svm import LinearSvm


def _data() -> tuple[np.ndarray, np.ndarray]:
    features = np.random.default_rng(1).normal(size=(80, 3))
    return features, features @ [2.0, -1.0, 0.5]


def test_classification_is_the_plain_estimator() -> None:
    features, value = _data()
    labels = np.where(value > 0, "high", "low").astype(object)
    ours = LinearSvm(params={"C": 0.5}).build("classification", seed=5, threads=1).fit(features, labels)
    plain = LinearSVC(C=0.5, random_state=5).fit(features, labels)
    np.testing.assert_array_equal(ours.decision_function(features), plain.decision_function(features))


def test_regression_is_the_plain_estimator() -> None:
    features, value = _data()
    ours = LinearSvm(params={"C": 0.5}).build("regression", seed=5, threads=1).fit(features, value)
    plain = LinearSVR(C=0.5, random_state=5).fit(features, value)
    np.testing.assert_array_equal(ours.predict(features), plain.predict(features))
