"""What a skops file may name: estimators and what they are made of, and own functions, but nothing else of a module."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, VotingClassifier
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.impute import IterativeImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from sklearn.tree import DecisionTreeClassifier
from skops import io as skops_io

from scoreline.bundle.allowed_types import allowed_types
from scoreline.bundle.artifact import ArtifactConfig, load_artifact
from scoreline.errors import ModelError
from scoreline.own_modules import forget_modules, import_modules, read_modules

X = pd.DataFrame({"x": np.linspace(-1, 1, 30), "c": pd.Categorical(["a", "b", "c"] * 10)})
Y = np.array(["no", "yes", "maybe"] * 10)
TREE = DecisionTreeClassifier(max_depth=2, random_state=0)
FITTED = [
    HistGradientBoostingClassifier(max_iter=2, categorical_features="from_dtype").fit(X, Y),
    VotingClassifier([("tree", TREE)]).fit(X[["x"]], Y),
    GridSearchCV(TREE, {"max_depth": [1, 2]}, cv=2, scoring="roc_auc_ovr").fit(X[["x"]], Y),
    GridSearchCV(TREE, {"max_depth": [1, 2]}, cv=TimeSeriesSplit(2), scoring=["f1_macro"], refit="f1_macro").fit(
        X[["x"]], Y
    ),
    KNeighborsClassifier(algorithm="ball_tree", metric="manhattan").fit(X[["x"]], Y),
    GaussianProcessRegressor(RBF() + WhiteKernel(), optimizer=None).fit(X[["x"]], X["x"] ** 2),
    make_pipeline(
        make_column_transformer(
            (OneHotEncoder(), make_column_selector(dtype_include=["category", object])),
            (IterativeImputer(), make_column_selector(dtype_include=np.number)),
        ),
        LogisticRegression(),
    ).fit(X, Y),
]


@pytest.mark.parametrize("model", FITTED, ids=lambda model: type(model).__name__)
def test_parts_of_scikit_learn_are_allowed(tmp_path: Path, model: Any) -> None:
    path = tmp_path / "model.skops"
    skops_io.dump(model, path)
    loaded, _ = load_artifact(ArtifactConfig(uri=str(path)))
    given = X[list(model.feature_names_in_)]
    assert loaded.predict(given).tolist() == model.predict(given).tolist()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[ModuleType]:
    path = tmp_path / "own_steps.py"
    path.write_text("from os import getcwd\nimport os\n\ndef doubled(frame):\n    return frame * 2\n")
    yield import_modules(read_modules([path]))[0]
    forget_modules(["own_steps"])


def saved(function: Any, folder: Path) -> ArtifactConfig:
    path = folder / "model.skops"
    skops_io.dump(FunctionTransformer(function).fit(X[["x"]]), path)
    return ArtifactConfig(uri=str(path))


def test_functions_of_own_modules_are_allowed_when_the_module_is_given(own: ModuleType, tmp_path: Path) -> None:
    artifact = saved(own.doubled, tmp_path)
    loaded, _ = load_artifact(artifact, [own])
    assert loaded.func is own.doubled
    with pytest.raises(ModelError, match=r"allow-list: own_steps\.doubled"):
        load_artifact(artifact)


def test_what_an_own_module_only_imports_is_not_allowed(own: ModuleType, tmp_path: Path) -> None:
    names = allowed_types([own])
    assert {"own_steps.doubled", "__main__.doubled"} <= names
    assert not {"own_steps.getcwd", "own_steps.os", "os.getcwd", "posix.getcwd"} & names


def test_functions_of_other_libraries_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="allow-list") as refused:
        load_artifact(saved(sys.getsizeof, tmp_path))
    assert "--module" in refused.value.problems[0].advice


def test_plain_models_name_nothing_else() -> None:
    body = skops_io.dumps(LogisticRegression().fit(X[["x"]], Y))
    assert set(skops_io.get_untrusted_types(data=body)) <= allowed_types()


LOADS = """
import sys
from scoreline.bundle.artifact import ArtifactConfig, load_artifact
loaded, _ = load_artifact(ArtifactConfig(uri=sys.argv[1]))
print(type(loaded).__name__, "sklearn.experimental.enable_iterative_imputer" in sys.modules)
"""


def test_experimental_parts_are_allowed_where_nobody_has_enabled_them(tmp_path: Path) -> None:
    skops_io.dump(FITTED[-1], tmp_path / "model.skops")
    loads = [sys.executable, "-c", LOADS, str(tmp_path / "model.skops")]
    assert subprocess.run(loads, check=True, capture_output=True, text=True).stdout == "Pipeline False\n"
