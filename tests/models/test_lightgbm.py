import numpy as np
from lightgbm import LGBMClassifier, LGBMRegressor

from scoreline.models.lightgbm import Lightgbm


def _data() -> tuple[np.ndarray, np.ndarray]:
    features = np.random.default_rng(1).normal(size=(80, 3))
    return features, features @ [2.0, -1.0, 0.5]


def test_classification_is_the_plain_estimator() -> None:
    features, value = _data()
    labels = np.where(value > 0, "high", "low").astype(object)
    ours = Lightgbm(params={"n_estimators": 5}).build("classification", seed=5, threads=1).fit(features, labels)
    plain = LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1, random_state=5).fit(features, labels)
    np.testing.assert_array_equal(ours.predict_proba(features), plain.predict_proba(features))


def test_regression_is_the_plain_estimator() -> None:
    features, value = _data()
    ours = Lightgbm(params={"n_estimators": 5}).build("regression", seed=5, threads=1).fit(features, value)
    plain = LGBMRegressor(n_estimators=5, verbose=-1, n_jobs=1, random_state=5).fit(features, value)
    np.testing.assert_array_equal(ours.predict(features), plain.predict(features))


def test_its_own_names_for_parameters_are_known_and_the_nearest_is_named() -> None:
    assert Lightgbm(params={"bagging_fraction": 0.5, "bagging_freq": 1}).check("regression") == ()
    (problem,) = Lightgbm(params={"baging_fraction": 0.5}).check("regression")
    assert problem.advice == "did you mean 'bagging_fraction'?"
