import subprocess
import sys

import numpy as np
import pytest
from sklearn.preprocessing import LabelEncoder
from xgboost import XGBClassifier, XGBRegressor

from scoreline.models.xgboost import Xgboost

WITHOUT_PACKAGE = """
import sys
sys.modules["xgboost"] = None
from scoreline.models.xgboost import Xgboost
print(Xgboost().check("regression")[0])
"""


def _data() -> tuple[np.ndarray, np.ndarray]:
    features = np.random.default_rng(1).normal(size=(120, 3))
    return features, features @ [2.0, -1.0, 0.5]


@pytest.mark.parametrize("names", [("high", "low"), ("high", "low", "middle")])
def test_classification_is_the_plain_estimator_with_coded_labels(names: tuple[str, ...]) -> None:
    features, value = _data()
    labels = np.array(names, dtype=object)[np.digitize(value, [0.0, 1.0][: len(names) - 1])]
    ours = Xgboost(params={"n_estimators": 5}).build("classification", seed=5, threads=1).fit(features, labels)
    coder = LabelEncoder().fit(labels)
    plain = XGBClassifier(n_estimators=5, random_state=5, n_jobs=1).fit(features, coder.transform(labels))
    np.testing.assert_array_equal(ours.predict_proba(features), plain.predict_proba(features))
    np.testing.assert_array_equal(ours.predict(features), coder.inverse_transform(plain.predict(features)))


def test_regression_is_the_plain_estimator() -> None:
    features, value = _data()
    ours = Xgboost(params={"n_estimators": 5}).build("regression", seed=5, threads=1).fit(features, value)
    plain = XGBRegressor(n_estimators=5, random_state=5, n_jobs=1).fit(features, value)
    np.testing.assert_array_equal(ours.predict(features), plain.predict(features))


def test_without_the_package_the_extra_is_named() -> None:
    command = [sys.executable, "-c", WITHOUT_PACKAGE]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "xgboost needs the package 'xgboost', which is not installed" in answer.stdout
    assert "scoreline[boost]" in answer.stdout
