"""Every transformer is fitted in parts to the scikit-learn object that all rows together would give."""

import io
import pickle
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import skops.io
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

from scoreline.catalogue import kinds, load_kind
from scoreline.errors import DataError, StepError
from scoreline.frame import to_frame

NAMES = ("a", "b", "c")


@dataclass(frozen=True)
class Case:
    """A kind with options, the scikit-learn object that it must equal, and the columns that it is tried on."""

    kind: str
    oracle: Any
    takes: str = "number"
    options: dict[str, Any] = field(default_factory=dict)
    target: str | None = None
    nulls: bool = True

    def __str__(self) -> str:
        return "-".join([self.kind, self.takes, *map(str, self.options.values()), self.target or ""]).strip("-")

    def transformer(self, columns: tuple[str, ...] = NAMES) -> Any:
        return load_kind("transformers", self.kind)(columns=columns, **self.options)


def one_hot(**options: Any) -> OneHotEncoder:
    return OneHotEncoder(**({"handle_unknown": "ignore", "sparse_output": False} | options))


def ordinal(unknown: float = -1) -> OrdinalEncoder:
    return OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=unknown)


def bins(encode: str = "onehot-dense", **options: Any) -> KBinsDiscretizer:
    return KBinsDiscretizer(encode=encode, subsample=None, **options)


def hashed() -> Pipeline:
    columns = [(f"text_{i}", HashingVectorizer(n_features=64), i) for i in range(len(NAMES))]
    fill = SimpleImputer(strategy="constant", fill_value="")
    return Pipeline([("fill", fill), ("hash", ColumnTransformer(columns, sparse_threshold=0))])


CASES = [
    Case("passthrough", FunctionTransformer(feature_names_out="one-to-one")),
    Case("impute", SimpleImputer()),
    Case("impute", SimpleImputer(add_indicator=True), options={"indicator": True}),
    Case("impute", SimpleImputer(strategy="median"), options={"strategy": "median"}),
    Case("impute", SimpleImputer(strategy="most_frequent"), options={"strategy": "most_frequent"}),
    Case("impute", SimpleImputer(strategy="most_frequent"), "text", {"strategy": "most_frequent"}),
    Case(
        "impute", SimpleImputer(strategy="constant", fill_value=-1), options={"strategy": "constant", "fill_value": -1}
    ),
    Case("impute", SimpleImputer(strategy="constant"), "text", {"strategy": "constant"}),
    Case("standard_scale", StandardScaler()),
    Case("standard_scale", StandardScaler(with_mean=False), options={"with_mean": False}),
    Case("standard_scale", StandardScaler(with_std=False), options={"with_std": False}),
    Case(
        "standard_scale",
        StandardScaler(with_mean=False, with_std=False),
        options={"with_mean": False, "with_std": False},
    ),
    Case("min_max_scale", MinMaxScaler()),
    Case("min_max_scale", MinMaxScaler((-1.0, 2.0), clip=True), options={"feature_range": (-1, 2), "clip": True}),
    Case("robust_scale", RobustScaler()),
    Case(
        "robust_scale",
        RobustScaler(quantile_range=(10.0, 85.0), unit_variance=True),
        options={"quantile_range": (10, 85), "unit_variance": True},
    ),
    Case("robust_scale", RobustScaler(with_centering=False), options={"with_centering": False}),
    Case("quantile", QuantileTransformer(n_quantiles=1, subsample=None), options={"n_quantiles": 1}),
    Case("quantile", QuantileTransformer(n_quantiles=7, subsample=None), options={"n_quantiles": 7}),
    Case(
        "quantile",
        QuantileTransformer(n_quantiles=3, subsample=None, output_distribution="normal"),
        options={"n_quantiles": 3, "output_distribution": "normal"},
    ),
    *(Case("one_hot", one_hot(), takes) for takes in ("number", "text", "bool")),
    Case("one_hot", one_hot(drop="first", handle_unknown="error"), "text", {"drop": "first", "unknown": "refuse"}),
    Case("one_hot", one_hot(drop="if_binary"), "text", {"drop": "if_binary"}),
    Case("one_hot", one_hot(min_frequency=3), "text", {"min_frequency": 3}),
    Case(
        "one_hot",
        one_hot(min_frequency=0.2, handle_unknown="infrequent_if_exist"),
        "number",
        {"min_frequency": 0.2, "unknown": "infrequent"},
    ),
    Case(
        "one_hot",
        one_hot(max_categories=2, drop="first", handle_unknown="infrequent_if_exist"),
        "text",
        {"max_categories": 2, "drop": "first", "unknown": "infrequent"},
    ),
    *(Case("ordinal", ordinal(), takes) for takes in ("number", "text", "bool")),
    Case("ordinal", ordinal(np.nan), "text", {"unknown": "null"}),
    Case("ordinal", OrdinalEncoder(), "text", {"unknown": "refuse"}),
    *(Case("target_encode", TargetEncoder(), takes, target="classes") for takes in ("number", "text", "bool")),
    *(Case("target_encode", TargetEncoder(), "text", target=target) for target in ("binary", "flag", "amount", "one")),
    Case("target_encode", TargetEncoder(smooth=2.5), "text", {"smooth": 2.5}, "classes"),
    Case(
        "target_encode",
        TargetEncoder(smooth=0.0, target_type="continuous"),
        "text",
        {"smooth": 0.0, "target_type": "continuous"},
        "whole",
    ),
    Case("bin", bins(), nulls=False),
    Case("bin", bins("ordinal", n_bins=3), options={"n_bins": 3, "encode": "ordinal"}, nulls=False),
    Case("bin", bins(strategy="uniform"), options={"strategy": "uniform"}, nulls=False),
    Case("hash_text", hashed(), "text"),
]


def test_every_kind_is_tried() -> None:
    assert {case.kind for case in CASES} == set(kinds("transformers"))


def fitted_in_parts(transformer: Any, frame: pd.DataFrame, target: pd.Series | None, cuts: list[int]) -> Any:
    """By the loop that the base class tells, merging the first parts apart from the others."""
    edges = [0, *sorted(cuts), len(frame)]
    parts = [slice(low, high) for low, high in pairwise(edges)]
    states: list[Any] = [None] * len(transformer.columns)
    for place, name in enumerate(transformer.columns if transformer.learns else ()):
        while True:
            answers = [None if target is None else target[part] for part in parts]
            partials = [
                transformer.partial(frame[name][part], answer, states[place])
                for part, answer in zip(parts, answers, strict=True)
            ]
            first = transformer.merge(partials[:2], states[place])
            merged = transformer.merge(pickle.loads(pickle.dumps([first, *partials[2:]])), states[place])
            states[place] = transformer.combine(merged, states[place])
            if transformer.finished(states[place]):
                break
    return transformer.export(transformer.columns, states)


def same(ours: Any, theirs: Any, scale: float) -> None:
    """Equal, types included; floats to 1e-9 of the largest number that went in."""
    if isinstance(theirs, BaseEstimator):
        assert type(ours) is type(theirs)
        assert vars(ours).keys() == vars(theirs).keys()
        for name in vars(theirs):
            # Variances have the square of the scale.
            same(getattr(ours, name), getattr(theirs, name), scale * scale if name == "var_" else scale)
    elif isinstance(theirs, list | tuple):
        assert len(ours) == len(theirs)
        for mine, other in zip(ours, theirs, strict=True):
            same(mine, other, scale)
    elif isinstance(theirs, np.ndarray):
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
        if theirs.dtype.kind == "f":
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9 * scale)
        else:
            same(ours.tolist(), theirs.tolist(), scale)
    elif isinstance(theirs, float):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9 * scale)
    else:
        assert ours == theirs


CUTS = st.lists(st.integers(0, 40), max_size=6)
NUMBERS = {
    "float": st.floats(-(2.0**100), 2.0**100, width=32, allow_subnormal=False),
    "code": st.integers(-3, 3).map(float),
    "large": st.integers(0, 9).map(lambda step: 1e9 + step),
    "constant": st.just(0.1),
}
TEXTS = {"text": st.sampled_from(["Recife", "Natal", "Belém", "", "a b", "ß"]), "few": st.sampled_from(["x", "y"])}


@st.composite
def frames(draw: st.DrawFn, case: Case) -> pd.DataFrame:
    """Three columns of the flavours that the case takes, with at least one value in each."""
    rows = draw(st.integers(1, 40))
    if case.takes == "bool":
        return pd.DataFrame({name: draw(st.lists(st.booleans(), min_size=rows, max_size=rows)) for name in NAMES})
    flavours = NUMBERS if case.takes == "number" else TEXTS
    columns = {}
    for name in NAMES:
        values = flavours[draw(st.sampled_from(sorted(flavours)))]
        some = st.one_of(st.none(), values, values, values) if case.nulls else values
        found = [draw(values), *draw(st.lists(some, min_size=rows - 1, max_size=rows - 1))]
        order = draw(st.permutations(range(rows)))
        dtype = "float64" if case.takes == "number" else "str"
        columns[name] = pd.Series([found[place] for place in order], dtype=dtype)
    return pd.DataFrame(columns)


def target_of(case: Case, rows: int) -> pd.Series | None:
    rng = np.random.default_rng(rows)
    made = {
        None: lambda: None,
        "classes": lambda: pd.Series(["u", "v", "w", *rng.choice(["u", "v", "w"], rows)][:rows], dtype="str"),
        "binary": lambda: pd.Series([0, 1, *rng.integers(0, 2, rows)][:rows]),
        "flag": lambda: pd.Series(rng.random(rows) < 0.5),
        "amount": lambda: pd.Series(rng.normal(1e6, 1, rows)),
        "one": lambda: pd.Series(["only"] * rows, dtype="str"),
        "whole": lambda: pd.Series(rng.integers(0, 5, rows).astype(float)),
    }
    return made[case.target]()


@pytest.mark.filterwarnings("ignore:n_quantiles", "ignore:Feature . is constant", "ignore:Bins whose width")
@pytest.mark.filterwarnings("ignore:Found unknown categories", "ignore:The number of unique classes")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_parts_give_what_scikit_learn_gives_on_all_rows(case: Case) -> None:
    @settings(max_examples=25, deadline=None)
    @given(frame=frames(case), cuts=CUTS)
    def check(frame: pd.DataFrame, cuts: list[int]) -> None:
        target = target_of(case, len(frame))
        theirs = clone(case.oracle)
        try:
            theirs.fit(frame, target)
        except ValueError:
            # Values closer than its narrowest bin.
            assert case.kind == "bin"
            return
        if case.kind == "bin" and theirs.n_bins_.min() == 0:
            # Some of its encodings go on without any bin; ours says so.
            with pytest.raises(DataError, match="of one another"):
                fitted_in_parts(case.transformer(), frame, target, [min(cut, len(frame)) for cut in cuts])
            return
        ours = fitted_in_parts(case.transformer(), frame, target, [min(cut, len(frame)) for cut in cuts])
        scale = 1.0 if case.takes != "number" else max(1.0, float(np.nanmax(np.abs(frame.to_numpy()))))
        same(ours, theirs, scale)
        expected = plain(theirs.transform(frame))
        largest = np.abs(expected).max(initial=1.0, where=~np.isnan(expected))
        np.testing.assert_allclose(plain(ours.transform(frame)), expected, rtol=1e-9, atol=1e-9 * largest)

    check()


def plain(matrix: Any) -> np.ndarray:
    values = np.asarray(matrix)
    return values if values.dtype.kind == "f" else pd.DataFrame(values).apply(lambda c: c.map(hash)).to_numpy(float)


# Nulls, a constant column, ties, and numbers of which the last digits matter.
ROWS = 50
RNG = np.random.default_rng(11)
SAMPLES = {
    "number": pd.DataFrame(
        {
            "a": np.where(RNG.random(ROWS) < 0.2, np.nan, RNG.normal(1e9, 1, ROWS)),
            "b": np.full(ROWS, 7.25),
            "c": RNG.integers(0, 5, ROWS).astype(float),
        }
    ),
    "text": pd.DataFrame(
        {name: pd.Series(RNG.choice(["Recife", "Natal", "São Paulo", None], ROWS), dtype="str") for name in NAMES}
    ),
    "bool": pd.DataFrame({name: RNG.random(ROWS) < 0.4 for name in NAMES}),
}
NEW = {
    "number": pd.DataFrame({name: [1e9, 7.25, -1e12, 3.0] for name in NAMES}),
    "text": pd.DataFrame({name: pd.Series(["Olinda", "", None, "Natal"], dtype="str") for name in NAMES}),
    "bool": pd.DataFrame({name: [True, False] for name in NAMES}),
}


def sample_of(case: Case) -> pd.DataFrame:
    frame = SAMPLES[case.takes]
    return frame if case.nulls else frame.fillna(1e9)


def fitted(case: Case, cuts: tuple[int, ...] = (0, 20, 33)) -> Any:
    frame = sample_of(case)
    return fitted_in_parts(case.transformer(), frame, target_of(case, ROWS), list(cuts))


def by_scikit_learn(case: Case) -> Any:
    return clone(case.oracle).fit(sample_of(case), target_of(case, ROWS))


QUIET = pytest.mark.filterwarnings("ignore:Feature . is constant", "ignore:Bins whose", "ignore:Found unknown")


@QUIET
@pytest.mark.parametrize(
    "cuts", [(), (17, 30), (3, 3, 10, 25, 31, 40)], ids=["1 part", "3 parts", "7 parts, one empty"]
)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_digits_survive_and_new_values_are_met(case: Case, cuts: tuple[int, ...]) -> None:
    ours, theirs = fitted(case, cuts), by_scikit_learn(case)
    same(ours, theirs, 1.0)
    takes_new = case.nulls and getattr(theirs, "handle_unknown", "") != "error"
    for rows in (sample_of(case), NEW[case.takes] if takes_new else sample_of(case)[:1]):
        np.testing.assert_allclose(plain(ours.transform(rows)), plain(theirs.transform(rows)), rtol=1e-9, atol=1e-9)


@QUIET
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_export_behaves_as_scikit_learn_objects_do(case: Case) -> None:
    ours, theirs, frame = fitted(case), by_scikit_learn(case), sample_of(case)
    assert repr(ours) == repr(theirs)
    assert repr(clone(ours)) == repr(clone(theirs))
    same(clone(ours).fit(frame, target_of(case, ROWS)), theirs, 1.0)
    same(ours, theirs, 1.0)


@QUIET
@pytest.mark.parametrize("case", [case for case in CASES if case.kind != "hash_text"], ids=str)
def test_the_export_names_its_columns(case: Case) -> None:
    ours, theirs, frame = fitted(case), by_scikit_learn(case), sample_of(case)
    assert ours.get_feature_names_out().tolist() == theirs.get_feature_names_out().tolist()
    ours, theirs = (estimator.set_output(transform="pandas").transform(frame) for estimator in (ours, theirs))
    assert ours.columns.tolist() == theirs.columns.tolist()
    assert ours.dtypes.tolist() == theirs.dtypes.tolist()


@QUIET
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_export_survives_every_way_of_keeping_it(case: Case) -> None:
    ours = fitted(case)
    kept = io.BytesIO()
    joblib.dump(ours, kept)
    kept.seek(0)
    dumped = skops.io.dumps(ours)
    loaded = skops.io.loads(dumped, trusted=skops.io.get_untrusted_types(data=dumped))
    for copy in (pickle.loads(pickle.dumps(ours)), joblib.load(kept), loaded):
        same(copy, ours, 1.0)


LEARNERS = [case for case in CASES if case.kind not in ("passthrough", "hash_text") and case.takes != "bool"]


@pytest.mark.parametrize("case", LEARNERS, ids=str)
def test_a_column_of_nulls_only_is_named(case: Case) -> None:
    frame = sample_of(case).assign(b=pd.Series([np.nan] * ROWS, dtype=sample_of(case)["b"].dtype))
    with pytest.raises(DataError, match="column 'b' has no value in the training rows") as caught:
        fitted_in_parts(case.transformer(), frame, target_of(case, ROWS), [20])
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize("case", LEARNERS, ids=str)
def test_no_rows_name_every_column(case: Case) -> None:
    with pytest.raises(DataError) as caught:
        fitted_in_parts(case.transformer(), sample_of(case)[:0], None, [])
    assert [problem.where for problem in caught.value.problems] == [f"column '{name}'" for name in NAMES]


@pytest.mark.parametrize("case", [case for case in LEARNERS if case.takes == "number"], ids=str)
def test_infinite_numbers_are_named(case: Case) -> None:
    frame = sample_of(case).assign(c=-np.inf)
    with pytest.raises(DataError, match="column 'c' holds infinite numbers"):
        fitted_in_parts(case.transformer(), frame, target_of(case, ROWS), [])


@QUIET
@pytest.mark.parametrize("case", [case for case in CASES if case.takes == "number"], ids=str)
def test_whole_numbers_keep_their_dtype(case: Case) -> None:
    frame = pd.DataFrame({name: RNG.integers(-5, 5, ROWS) for name in NAMES})
    ours = fitted_in_parts(case.transformer(), frame, target_of(case, ROWS), [10, 10, 30])
    same(ours, clone(case.oracle).fit(frame, target_of(case, ROWS)), 1.0)


@QUIET
@pytest.mark.parametrize("case", [case for case in CASES if case.takes == "number"], ids=str)
def test_single_precision_gives_what_scikit_learn_gives_up_to_its_rounding(case: Case) -> None:
    frame = sample_of(case).fillna(3.0).astype("float32") / np.float32(1e6)
    ours = fitted_in_parts(case.transformer(), frame, target_of(case, ROWS), [10, 10, 30]).transform(frame)
    theirs = clone(case.oracle).fit(frame, target_of(case, ROWS)).transform(frame)
    assert plain(ours).dtype == plain(theirs).dtype
    np.testing.assert_allclose(plain(ours), plain(theirs), rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize("kind", kinds("transformers"))
def test_wrong_columns_are_refused_before_anything_is_read(kind: str) -> None:
    schema = pa.schema([("day", pa.date32()), ("tags", pa.list_(pa.string())), ("amount", pa.float64())])
    with pytest.raises(StepError) as caught:
        load_kind("transformers", kind)(columns=("day", "tags", "amuont", "day")).check(schema)
    found = [problem.what for problem in caught.value.problems]
    assert len(found) == 3
    assert found[1].endswith("'tags' of type list<item: string>") or "tags" in found[1]
    assert caught.value.problems[2].advice == "did you mean 'amount'?"


@QUIET
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_frame_at_the_border_is_what_was_fitted(case: Case) -> None:
    table = pa.Table.from_pandas(sample_of(case), preserve_index=False)
    schema = pa.schema([field.with_nullable(case.takes != "bool") for field in table.schema])
    frame = to_frame(table, schema)
    np.testing.assert_allclose(plain(fitted(case).transform(frame)), plain(by_scikit_learn(case).transform(frame)))
