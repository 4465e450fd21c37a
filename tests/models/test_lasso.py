import numpy as np
from sklearn import linear_model

from scoreline.models.lasso import Lasso


def _data() -> tuple[np.ndarray, np.ndarray]:
    features = np.random.default_rng(1).normal(size=(80, 3))
    return features, features @ [2.0, -1.0, 0.5]


def test_regression_is_the_plain_estimator() -> None:
    features, value = _data()
    ours = Lasso(params={"alpha": 0.1}).build("regression", seed=5, threads=1).fit(features, value)
    plain = linear_model.Lasso(alpha=0.1, random_state=5).fit(features, value)
    np.testing.assert_array_equal(ours.predict(features), plain.predict(features))
