import pickle
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from scoreline.errors import DataError, StepError
from scoreline.features import FeatureFit, chains, check, start
from scoreline.frame import to_frame
from scoreline.transformers.bin import Bin
from scoreline.transformers.hash_text import HashText
from scoreline.transformers.impute import Impute
from scoreline.transformers.min_max_scale import MinMaxScale
from scoreline.transformers.one_hot import OneHot
from scoreline.transformers.ordinal import Ordinal
from scoreline.transformers.passthrough import Passthrough
from scoreline.transformers.quantile import Quantile
from scoreline.transformers.robust_scale import RobustScale
from scoreline.transformers.standard_scale import StandardScale
from scoreline.transformers.target_encode import TargetEncode

ROWS = 60
RNG = np.random.default_rng(7)
TABLE = pa.table(
    {
        "city": pa.array(
            RNG.choice(["Recife", "Natal", "Belém", None], ROWS).tolist(), pa.string()
        ).dictionary_encode(),
        "sex": pa.array(RNG.choice(["F", "M", None], ROWS).tolist(), pa.string()),
        "amount": pa.array([None if i % 7 == 0 else x for i, x in enumerate(RNG.normal(1e6, 3, ROWS).tolist())]),
        "limit": RNG.normal(0, 1, ROWS),
        "code": RNG.integers(0, 4, ROWS),
        "flag": RNG.random(ROWS) < 0.3,
        "unused": pa.array([None if i % 9 == 0 else x for i, x in enumerate(RNG.random(ROWS).tolist())]),
        "note": pa.array(RNG.choice(["red car", "blue car", "", None], ROWS).tolist(), pa.string()),
    }
)
SCHEMA = TABLE.schema.set(4, pa.field("code", pa.int64(), nullable=False))
FEATURES = [
    Impute(columns=("amount",)),
    Impute(columns=("sex",), strategy="most_frequent"),
    StandardScale(columns=("limit", "amount")),
    OneHot(columns=("city", "sex", "code")),
    Passthrough(columns=("flag",)),
]


TARGET = pd.Series(RNG.choice(["yes", "no", "perhaps"], ROWS), dtype="str")


def fitted_in(parts: int, features: list = FEATURES) -> FeatureFit:
    """Fit in parts of which one is empty, the last two merged before the others."""
    edges = np.linspace(0, ROWS, parts + 1).astype(int)
    pieces = [(to_frame(TABLE.slice(a, b - a), SCHEMA), TARGET[a:b]) for a, b in pairwise(edges)]
    pieces.insert(1, (to_frame(TABLE[:0], SCHEMA), None))
    fit = start(features, SCHEMA)
    while not fit.finished:
        partials = [fit.partial(frame, target) for frame, target in pieces]
        fit = pickle.loads(pickle.dumps(fit)).advance([*partials[:-2], fit.merge(partials[-2:])])
    return fit


def by_scikit_learn(frame: pd.DataFrame) -> ColumnTransformer:
    def one_hot() -> OneHotEncoder:
        return OneHotEncoder(handle_unknown="ignore", sparse_output=False)

    sex = Pipeline([("impute", SimpleImputer(strategy="most_frequent")), ("one_hot", one_hot())])
    amount = Pipeline([("impute", SimpleImputer()), ("standard_scale", StandardScaler())])
    return ColumnTransformer(
        [
            ("impute-standard_scale", amount, ["amount"]),
            ("impute-one_hot", sex, ["sex"]),
            ("standard_scale", StandardScaler(), ["limit"]),
            ("one_hot", one_hot(), ["city", "code"]),
            ("passthrough", FunctionTransformer(feature_names_out="one-to-one"), ["flag"]),
        ],
        sparse_threshold=0,
    ).fit(frame)


@pytest.mark.parametrize("parts", [1, 3, 7])
def test_the_matrix_and_the_names_are_those_of_scikit_learn_on_all_rows(parts: int) -> None:
    frame = to_frame(TABLE, SCHEMA)
    ours, theirs = fitted_in(parts).export(frame[:2]), by_scikit_learn(frame)
    unseen = frame.assign(city="Olinda", sex=np.nan, amount=np.nan, code=9)
    for rows in (frame, unseen):
        np.testing.assert_allclose(ours.transform(rows), theirs.transform(rows), rtol=1e-9, atol=1e-9)
    assert ours.get_feature_names_out().tolist() == theirs.get_feature_names_out().tolist()


@pytest.mark.parametrize("parts", [1, 3, 7])
def test_chains_of_every_kind_give_what_a_refit_by_scikit_learn_gives(parts: int) -> None:
    frame = to_frame(TABLE, SCHEMA)
    fit = fitted_in(
        parts,
        [
            Impute(columns=("amount", "note"), strategy="most_frequent"),
            RobustScale(columns=("amount",)),
            Bin(columns=("amount", "code"), n_bins=3),
            Quantile(columns=("limit",), n_quantiles=10),
            Impute(columns=("unused",), strategy="median", indicator=True),
            Ordinal(columns=("city",)),
            MinMaxScale(columns=("city", "flag")),
            TargetEncode(columns=("sex",)),
            HashText(columns=("note",), n_features=8),
        ],
    )
    ours = fit.export(frame[:1])
    theirs = clone(ours).fit(frame, TARGET)
    assert fit.needs_target
    np.testing.assert_allclose(ours.transform(frame), theirs.transform(frame), rtol=1e-9, atol=1e-9)


def test_the_export_is_plain_scikit_learn_that_refits_and_pickles() -> None:
    frame = to_frame(TABLE, SCHEMA)
    ours = pickle.loads(pickle.dumps(fitted_in(3).export(frame[:1])))
    refitted = clone(ours).fit(frame)
    np.testing.assert_allclose(refitted.transform(frame), ours.transform(frame), rtol=1e-9, atol=1e-9)
    assert "Frozen" not in repr(ours)
    assert ours.feature_names_in_.tolist() == ["amount", "sex", "limit", "city", "code", "flag"]
    assert ours.n_features_in_ == 6


def test_the_export_makes_pandas_frames_when_asked() -> None:
    frame = to_frame(TABLE, SCHEMA)
    features = [StandardScale(columns=("limit",)), OneHot(columns=("city",))]
    made = fitted_in(3, features).export(frame[:1]).set_output(transform="pandas").transform(frame)
    assert list(made) == [
        "standard_scale__limit",
        *(f"one_hot__city_{name}" for name in ("Belém", "Natal", "Recife", "nan")),
    ]


def test_every_round_does_all_that_is_ready() -> None:
    frame = to_frame(TABLE, SCHEMA)
    first = start(FEATURES, SCHEMA)
    second = first.advance([first.partial(frame, None)])
    assert [fit.next.kind if fit.next else None for fit in first.fits] == [
        "impute",
        "impute",
        "standard_scale",
        "one_hot",
        None,
    ]
    assert [fit.next.kind if fit.next else None for fit in second.fits] == [
        "standard_scale",
        "one_hot",
        None,
        None,
        None,
    ]
    assert second.advance([second.partial(frame, None)]).finished


def test_features_that_learn_nothing_need_no_round() -> None:
    fit = start([Passthrough(columns=("limit", "flag"))], SCHEMA)
    assert fit.finished
    assert fit.export(to_frame(TABLE, SCHEMA)[:1]).transform(to_frame(TABLE, SCHEMA)).shape == (ROWS, 2)


def test_chains_come_in_the_order_of_the_config() -> None:
    found = chains([OneHot(columns=("b",)), Impute(columns=("x", "y", "z")), StandardScale(columns=("y", "a"))])
    assert [(chain.name, chain.columns) for chain in found] == [
        ("one_hot", ("b",)),
        ("impute", ("x", "z")),
        ("impute-standard_scale", ("y",)),
        ("standard_scale", ("a",)),
    ]


def test_chains_of_the_same_kinds_have_names_of_their_own() -> None:
    found = chains([OneHot(columns=("a",)), OneHot(columns=("b",), drop="first")])
    assert [chain.name for chain in found] == ["one_hot", "one_hot-2"]


def test_a_kind_twice_on_a_column_is_two_steps() -> None:
    twice = [StandardScale(columns=("limit",)), StandardScale(columns=("limit",), with_std=False)]
    frame = to_frame(TABLE, SCHEMA)
    (_, pipeline, _), *_ = fitted_in(3, twice).export(frame[:1]).transformers_
    assert list(pipeline.named_steps) == ["standard_scale", "standard_scale-2"]
    expected = make_pipeline(StandardScaler(), StandardScaler(with_std=False)).fit_transform(frame[["limit"]])
    np.testing.assert_allclose(pipeline.transform(frame[["limit"]]), expected, atol=1e-9)


def test_text_and_numbers_are_imputed_apart() -> None:
    both = [Impute(columns=("sex", "amount", "city"), strategy="most_frequent"), OneHot(columns=("sex", "city"))]
    fit = start(both, SCHEMA)
    assert [(fit.chain.name, fit.chain.columns) for fit in fit.fits] == [
        ("impute-one_hot", ("sex", "city")),
        ("impute", ("amount",)),
    ]
    mixed = start([Impute(columns=("sex", "amount"), strategy="most_frequent")], SCHEMA)
    assert [(fit.chain.name, fit.chain.columns) for fit in mixed.fits] == [
        ("impute", ("sex",)),
        ("impute-2", ("amount",)),
    ]


def test_every_wrong_column_is_named_at_once() -> None:
    wrong = [StandardScale(columns=("sex", "amout")), OneHot(columns=("city",)), OneHot(columns=("city", "limit"))]
    with pytest.raises(StepError) as caught:
        check(wrong, SCHEMA)
    assert [problem.what for problem in caught.value.problems] == [
        "standard_scale cannot take column 'sex' of type string",
        "no column 'amout'",
        "one_hot cannot follow one_hot, which makes several columns of 'city'",
    ]
    assert caught.value.problems[1].advice == "did you mean 'amount'?"


def test_all_columns_without_values_are_named_at_once() -> None:
    nothing = pa.table({"a": pa.nulls(3, pa.float64()), "b": pa.nulls(3, pa.string()), "c": [1.0, 2.0, 3.0]})
    fit = start([StandardScale(columns=("a", "c")), OneHot(columns=("b",))], nothing.schema)
    with pytest.raises(DataError) as caught:
        fit.advance([fit.partial(to_frame(nothing, nothing.schema), None)] * 2)
    assert [problem.where for problem in caught.value.problems] == ["column 'a'", "column 'b'"]


@pytest.mark.parametrize("parts", [0, 2])
def test_no_training_rows_is_an_error(parts: int) -> None:
    fit = start([StandardScale(columns=("limit",))], SCHEMA)
    with pytest.raises(DataError):
        fit.advance([fit.partial(to_frame(TABLE[:0], SCHEMA), None)] * parts)


def test_an_infinite_number_is_named() -> None:
    fit = start([Impute(columns=("limit",))], SCHEMA)
    with pytest.raises(DataError, match="column 'limit' holds infinite numbers"):
        fit.partial(to_frame(TABLE, SCHEMA).assign(limit=np.inf), None)
