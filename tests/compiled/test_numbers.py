"""Filling and scaling give the bits of the fitted transformers, or nothing."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from scoreline.compiled.dictionary import Declined
from scoreline.compiled.numbers import Numbers, numbers_of
from scoreline.frame import to_frame

SCHEMA = pa.schema([("a", pa.float64()), ("b", pa.float64()), ("c", pa.float64())])
FITTED = pd.DataFrame(
    {"a": [1.0, 2.5, np.nan, 4.0], "b": [1e-9, -3.0, 7.7, np.nan], "c": [0.1, 0.2, 0.3, 1e9]}, dtype="float64"
)
CHAINS = {
    "mean": [SimpleImputer(), StandardScaler()],
    "uncentred": [StandardScaler(with_mean=False), SimpleImputer(strategy="median")],
    "unscaled": [StandardScaler(with_std=False)],
    "min_max": [SimpleImputer(strategy="most_frequent"), MinMaxScaler((-1, 2))],
    "clipped": [MinMaxScaler(clip=True)],
    "robust": [RobustScaler(), SimpleImputer(strategy="constant", fill_value=0.5)],
    "robust_scale_only": [RobustScaler(with_centering=False)],
    "nothing": [StandardScaler(with_mean=False, with_std=False), MaxAbsScaler()],
    "max_abs": [MaxAbsScaler(), StandardScaler(), RobustScaler()],
}
ANY = st.one_of(st.none(), st.floats(), st.sampled_from([0.0, -0.0, 1e308, -1e308, 5e-324]))


def numbers(steps: list[Any]) -> tuple[Any, Numbers | None]:
    pipeline = make_pipeline(*steps).fit(FITTED)
    return pipeline, numbers_of([step for _, step in pipeline.steps], tuple(SCHEMA.names), SCHEMA)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("chain", CHAINS)
@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(ANY, ANY, ANY), min_size=2, max_size=9))
def test_numbers_have_the_bits_and_the_order_of_scikit_learn(chain: str, rows: list[tuple[float | None, ...]]) -> None:
    pipeline, made = numbers(CHAINS[chain])
    assert made is not None
    table = pa.table([pa.array(column, pa.float64()) for column in zip(*rows, strict=True)], schema=SCHEMA)
    try:
        expected = pipeline.transform(to_frame(table, SCHEMA))
    except ValueError:
        with pytest.raises(Declined):
            made.block(table)
        return
    found = made.block(table)
    assert np.array_equal(np.isnan(found), np.isnan(expected))
    assert np.nan_to_num(found).tobytes("A") == np.nan_to_num(expected).tobytes("A")
    assert found.flags.f_contiguous == expected.flags.f_contiguous


@pytest.mark.parametrize(
    ("steps", "frame"),
    [
        ([QuantileTransformer(n_quantiles=2)], FITTED),
        ([SimpleImputer(add_indicator=True)], FITTED),
        ([SimpleImputer(missing_values=0.1)], FITTED.fillna(0.0)),
        ([SimpleImputer()], FITTED.assign(b=np.nan)),
        ([MaxAbsScaler(clip=True)], FITTED),
        ([FunctionTransformer(), StandardScaler()], FITTED),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_other_steps_are_not_known(steps: list[Any], frame: pd.DataFrame) -> None:
    pipeline = make_pipeline(*steps).fit(frame)
    assert numbers_of([step for _, step in pipeline.steps], tuple(SCHEMA.names), SCHEMA) is None


def test_columns_of_another_type_are_left_alone() -> None:
    pipeline, made = numbers(CHAINS["mean"])
    assert made is not None
    single = SCHEMA.set(0, pa.field("a", pa.float32()))
    assert numbers_of([step for _, step in pipeline.steps], tuple(SCHEMA.names), single) is None
    with pytest.raises(Declined, match="int64"):
        made.block(pa.table({"a": [1, 2], "b": [1.0, 2.0], "c": [1.0, 2.0]}))


@pytest.mark.parametrize("kind", [pa.int8(), pa.uint32(), pa.int64(), pa.uint64()])
def test_whole_numbers_are_exact_or_left_alone(kind: pa.DataType) -> None:
    schema = pa.schema([("n", kind)])
    made = Numbers(schema, ())
    most = min(2**53, 2 ** (kind.bit_width - pa.types.is_signed_integer(kind)) - 1)
    least = -min(2**53, 2 ** (kind.bit_width - 1)) if pa.types.is_signed_integer(kind) else 0
    for column in ([0, most, least, 7], [0, None, 7], [], [None]):
        block = made.block(pa.table([pa.array(column, kind)], schema=schema))
        np.testing.assert_array_equal(block[:, 0], [np.nan if value is None else float(value) for value in column])
    if kind.bit_width == 64:
        for column in ([2**53 + 1, 0], [2**53 + 1, None]):
            with pytest.raises(pa.ArrowInvalid):
                made.block(pa.table([pa.array(column, kind)], schema=schema))
