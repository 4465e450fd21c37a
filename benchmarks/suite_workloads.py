"""Fitted pipelines of many kinds, with rows for them: what compiles well, what compiles badly, and what not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
from lightgbm import LGBMClassifier
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import IsolationForest, RandomForestClassifier, VotingClassifier
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeRegressor

from benchmarks.fitted_elsewhere import NUMBERS, TARGET, TEXTS, features
from benchmarks.in_process import DEMO
from scoreline.frame import to_frame

if TYPE_CHECKING:
    from collections.abc import Callable

Rows = Literal["demo", "numbers", "wide", "unique text"]
LABEL, VALUE, UNIQUE = "label", "value", "reference"
NUMERIC = {"numbers": 20, "wide": 200}
"""Columns of drawn numbers."""
TINY = (1, 10, 100, 1_000, 4_095)


@dataclass(frozen=True)
class Workload:
    """A pipeline and what it is given.

    Attributes
    ----------
    make : the pipeline, not fitted yet
    rows : which rows
    target : the column that it learns
    training : rows that it is fitted on
    proba : whether probabilities are asked for
    sizes : rows of the parts that it is given, in turns; None for those of a unit
    as_frame : whether the rows are handed over as a DataFrame, and not as an Arrow table
    """

    make: Callable[[], Any]
    rows: Rows = "demo"
    target: str = TARGET
    training: int = 10_000
    proba: bool = False
    sizes: tuple[int, ...] | None = None
    as_frame: bool = False

    @property
    def schema(self) -> pa.Schema:
        """The input columns."""
        if self.rows in NUMERIC:
            return pa.schema([(f"x{place}", pa.float64()) for place in range(NUMERIC[self.rows])])
        return DEMO.append(pa.field(UNIQUE, pa.string())) if self.rows == "unique text" else DEMO

    def fitted(self, table: pa.Table) -> Any:
        """The pipeline, fitted on the first rows."""
        training = table.slice(0, self.training)
        target = training[self.target].to_numpy(zero_copy_only=False)
        return self.make().fit(to_frame(training, self.schema), target)


def _voting() -> Any:
    members = [("linear", LogisticRegression(max_iter=200)), ("bayes", GaussianNB())]
    members.append(("forest", RandomForestClassifier(20, max_depth=8, random_state=0)))
    return VotingClassifier(members, voting="soft")


def _strict() -> Any:
    """As features() does, but unknown categories are refused, which is the default of scikit-learn."""
    numbers = features().transformers[0]
    return make_column_transformer((numbers[1], NUMBERS), (OneHotEncoder(sparse_output=False), [TEXTS[0]]))


def _unique(encoder: Any, column: Any) -> Any:
    return make_column_transformer((features(), [*NUMBERS, *TEXTS]), (encoder, column))


WORKLOADS = {
    "nearest neighbours": Workload(lambda: make_pipeline(features(), KNeighborsClassifier()), training=2_000),
    "SVC, RBF kernel": Workload(lambda: make_pipeline(features(), SVC()), training=500),
    "MLP": Workload(
        lambda: make_pipeline(features(), MLPClassifier((32,), max_iter=30, tol=1e-2, random_state=0)),
    ),
    "voting": Workload(lambda: make_pipeline(features(), _voting())),
    "isolation forest": Workload(lambda: make_pipeline(features(), IsolationForest(n_estimators=50, random_state=0))),
    "LightGBM": Workload(lambda: make_pipeline(features(), LGBMClassifier(n_estimators=20, verbose=-1, n_jobs=1))),
    "logistic": Workload(lambda: make_pipeline(features(), LogisticRegression(max_iter=200))),
    "logistic, probabilities": Workload(
        lambda: make_pipeline(features(), LogisticRegression(max_iter=200)), proba=True
    ),
    "logistic, given as a DataFrame": Workload(
        lambda: make_pipeline(features(), LogisticRegression(max_iter=200)), as_frame=True
    ),
    "decision tree regressor": Workload(
        lambda: make_pipeline(features(), DecisionTreeRegressor(max_depth=10, random_state=0)), target=VALUE
    ),
    "ridge": Workload(lambda: make_pipeline(features(), Ridge()), target=VALUE),
    "strict encoder, nearest neighbours": Workload(
        lambda: make_pipeline(_strict(), KNeighborsClassifier(algorithm="kd_tree")), training=2_000
    ),
    "PCA, logistic": Workload(
        lambda: make_pipeline(features(), PCA(20, random_state=0), LogisticRegression(max_iter=200))
    ),
    "GaussianNB, 20 numbers": Workload(lambda: make_pipeline(StandardScaler(), GaussianNB()), "numbers", LABEL),
    "logistic, 20 numbers": Workload(
        lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=200)), "numbers", LABEL
    ),
    "100 classes, probabilities": Workload(
        lambda: make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss", random_state=0)),
        "numbers",
        "label of 100",
        proba=True,
    ),
    "ridge, 20 numbers": Workload(lambda: make_pipeline(StandardScaler(), Ridge()), "numbers", VALUE),
    "dummy, 20 numbers": Workload(lambda: make_pipeline(DummyClassifier()), "numbers", LABEL),
    "logistic, 200 numbers": Workload(
        lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=100)), "wide", LABEL
    ),
    "ridge, 200 numbers, given as a DataFrame": Workload(
        lambda: make_pipeline(StandardScaler(), Ridge()), "wide", VALUE, as_frame=True
    ),
    "unique text, one-hot": Workload(
        lambda: make_pipeline(_unique(OneHotEncoder(handle_unknown="ignore"), [UNIQUE]), SGDClassifier(random_state=0)),
        "unique text",
        training=2_000,
    ),
    "unique text, hashed": Workload(
        lambda: make_pipeline(
            _unique(HashingVectorizer(n_features=256, analyzer="char", ngram_range=(2, 2)), UNIQUE),
            SGDClassifier(random_state=0),
        ),
        "unique text",
    ),
    **{
        f"logistic, parts of {size:,} rows": Workload(
            lambda: make_pipeline(features(), LogisticRegression(max_iter=200)), sizes=(size,)
        )
        for size in TINY
    },
    "ridge, 20 numbers, parts of 1 row": Workload(
        lambda: make_pipeline(StandardScaler(), Ridge()), "numbers", VALUE, sizes=(1,)
    ),
    "random forest, parts of 1 to 4,095 rows": Workload(
        lambda: make_pipeline(features(), RandomForestClassifier(30, max_depth=10, random_state=0)), sizes=TINY
    ),
}


def drawn(rows: Rows, count: int) -> pa.Table:
    """Drawn numbers with labels and values that depend on them."""
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(count, NUMERIC[rows]))
    score = matrix[:, :5].sum(axis=1) + rng.normal(size=count)
    ranks = score.argsort().argsort()
    names = [f"x{place}" for place in range(NUMERIC[rows])]
    table = pa.table([pa.array(np.ascontiguousarray(column)) for column in matrix.T], names=names)
    table = table.append_column(LABEL, pa.array(ranks * 2 // count)).append_column(VALUE, pa.array(score))
    return table.append_column("label of 100", pa.array(ranks * 100 // count))


def prepared(rows: Rows, demo: pa.Table) -> pa.Table:
    """The rows of a workload; as many as there are demo rows."""
    if rows in NUMERIC:
        return drawn(rows, demo.num_rows)
    value = pa.array(np.nan_to_num(demo[NUMBERS[0]].to_numpy()))
    references = pa.array([f"{number * 2_654_435_761 % 2**32:08x}" for number in range(demo.num_rows)])
    return demo.append_column(VALUE, value).append_column(UNIQUE, references)
