"""Whatever the input looks like, every row is scored as pandas and scikit-learn would, or refused with its reason."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from tests.end_to_end.commands import ROOT, scoreline
from tests.end_to_end.handing_over import Desk, assert_same, everything, hand_over, write_parts

from scoreline.demo import write_demo

pytestmark = pytest.mark.end_to_end

TABLE = everything()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, write_parts(tmp_path / "data", TABLE, 150, 150, 239))


def tree(frame: pd.DataFrame, *steps: Any) -> Any:
    """A tree with a leaf for nearly every row: it tells every change of its input."""
    return make_pipeline(*steps, DecisionTreeClassifier(random_state=0)).fit(frame, np.arange(len(frame)) % 7)


def texts(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype(str)


def check(desk: Desk, model: Any, frame: pd.DataFrame, **sections: Any) -> None:
    assert_same(desk.score(hand_over(model, desk.folder / "model.dill"), **sections), model.predict(frame))


def test_one_row_is_scored(desk: Desk) -> None:
    model = tree(desk.frame[["x", "count"]])
    alone = Desk(desk.folder, write_parts(desk.folder / "one", TABLE.slice(7, 1)))
    check(alone, model, desk.frame[["x", "count"]].iloc[7:8])


@pytest.mark.parametrize("cuts", [(), (1,), (120, 121, 122), (80, 160)])
def test_a_null_in_one_file_makes_an_integer_column_the_same_in_all(tmp_path: Path, cuts: tuple[int, ...]) -> None:
    numbers = pa.table({"n": pa.array([*range(5)] * 40 + [None])})
    desk = Desk(tmp_path, write_parts(tmp_path / "data", numbers, *cuts))
    check(desk, tree(desk.frame, FunctionTransformer(texts), OneHotEncoder()), desk.frame)


def test_integers_are_whole_where_the_contract_allows_no_null(tmp_path: Path) -> None:
    """Files without statistics prove nothing."""
    data = tmp_path / "data"
    data.mkdir()
    pq.write_table(TABLE.select(["count"]), data / "plain.parquet", write_statistics=False)
    desk = Desk(tmp_path, data)
    model = tree(desk.frame, FunctionTransformer(texts), OneHotEncoder())
    check(desk, model, desk.frame, contract={"columns": {"count": {"nullable": False}}})


def test_folders_are_columns(tmp_path: Path) -> None:
    options = {"partitioning_flavor": "hive", "partitioning": ["city", "count"], "format": "parquet"}
    ds.write_dataset(TABLE.select(["x", "city", "count"]), tmp_path / "data", **options)
    desk = Desk(tmp_path, tmp_path / "data")
    frame = desk.frame
    check(desk, tree(frame, OneHotEncoder(handle_unknown="ignore")), frame)


@pytest.mark.parametrize("missing", [None, np.nan])
def test_null_is_what_it_was_when_the_encoder_was_fitted(desk: Desk, missing: float | None) -> None:
    names = ["city_null", "level_null"]
    frame = desk.frame[names].astype(object)
    frame = frame.where(frame.notna(), missing)
    check(desk, tree(frame, OneHotEncoder()), frame)


CSV = {"kind": "csv", "delimiter": ";", "decimal": ","}


def test_csv_is_scored_as_pandas_reads_it(desk: Desk) -> None:
    names = ["x", "x_null", "count_null", "count", "city", "city_null", "flag"]
    frame = desk.frame[names]
    for name, rows in (("a", frame[:100]), ("b", frame[100:100]), ("c", frame[100:])):
        rows.to_csv(desk.folder / f"{name}.csv", sep=";", decimal=",", index=False)
    read = pd.concat([pd.read_csv(desk.folder / f"{name}.csv", sep=";", decimal=",") for name in "ac"])
    model = tree(read, OneHotEncoder(handle_unknown="ignore"))
    check(desk, model, read, source={**CSV, "uri": str(desk.folder / "*.csv")})


def test_csv_has_no_nulls_where_the_contract_says_so(desk: Desk) -> None:
    frame = desk.frame[["count", "flag"]]
    frame.to_csv(desk.folder / "rows.csv", index=False)
    plain = tree(frame, FunctionTransformer(texts), OneHotEncoder())
    model = hand_over(plain, desk.folder / "model.dill")
    source = {"kind": "csv", "uri": str(desk.folder / "rows.csv")}
    assert "may hold null are given as pandas gives them then: 'count', 'flag'" in desk.command(
        model, source=source, code=4
    )
    strict = {"columns": {name: {"nullable": False} for name in frame}}
    assert_same(desk.score(model, source=source, contract=strict), plain.predict(frame))


CLEANED: dict[str, tuple[list[dict[str, Any]], Callable[[pd.DataFrame], pd.DataFrame]]] = {
    "fill": (
        [{"kind": "fill_missing", "columns": {"x_null": 0, "city_null": "none"}}],
        lambda frame: frame.fillna({"x_null": 0, "city_null": "none"}),
    ),
    "rename": (
        [{"kind": "rename", "columns": {"x": "X", "level": "tier"}}],
        lambda f: f.rename(columns={"x": "X", "level": "tier"}),
    ),
    "map": (
        [{"kind": "map_values", "columns": ["city"], "values": {"Natal": "NAT"}}],
        lambda frame: frame.assign(city=frame["city"].replace("Natal", "NAT")),
    ),
    "derive": (
        [{"kind": "derive", "columns": {"ratio": "x / (count + 1)", "month": "month(day)"}}],
        lambda frame: frame.assign(
            ratio=frame["x"] / (frame["count"] + 1), month=pd.to_datetime(frame["day"]).dt.month
        ),
    ),
    "cast": (
        [{"kind": "cast", "columns": {"small": "string"}}],
        lambda frame: frame.assign(small=frame["small"].astype(str)),
    ),
    "clip": (
        [{"kind": "clip", "columns": ["x"], "min": -1, "max": 1}],
        lambda frame: frame.assign(x=frame["x"].clip(-1, 1)),
    ),
}


@pytest.mark.parametrize("step", CLEANED)
def test_cleaning_comes_before_the_artifact(desk: Desk, step: str) -> None:
    clean, plain = CLEANED[step]
    frame = plain(desk.frame).drop(columns=["at"])
    check(desk, tree(frame, OneHotEncoder()), frame, clean=clean)


def test_whole_numbers_stay_whole_where_cleaning_makes_no_null(desk: Desk) -> None:
    clean = [{"kind": "fill_missing", "columns": {"count": 0}}, {"kind": "clip", "columns": ["small"], "max": 50}]
    frame = desk.frame[["count", "small"]].assign(small=desk.frame["small"].clip(upper=50))
    check(desk, tree(frame, FunctionTransformer(texts), OneHotEncoder()), frame, clean=clean)


def test_dates_that_cleaning_reads_are_those_of_pandas(tmp_path: Path) -> None:
    days = pd.date_range("2024-01-30", periods=60)
    desk = Desk(tmp_path, write_parts(tmp_path / "data", pa.table({"day": days.strftime("%d.%m.%Y")}), 30))
    frame = pd.DataFrame({"day": days})
    model = tree(frame, FunctionTransformer(lambda f: f["day"].dt.day.to_frame()))
    check(desk, model, frame, clean=[{"kind": "parse_dates", "columns": ["day"], "format": "%d.%m.%Y"}])


def test_the_output_has_the_columns_that_are_kept_in_input_order(desk: Desk) -> None:
    model = hand_over(tree(desk.frame[["x"]]), desk.folder / "model.skops")
    found = desk.score(model, predict={"keep": ["day", "x"], "row_id": False})
    assert found.columns.tolist() == ["day", "x", "prediction"]
    assert found["x"].tolist() == desk.frame["x"].tolist()
    assert desk.score(model, predict={"keep": []}).columns.tolist() == ["source_file", "source_row", "prediction"]


def test_all_columns_are_kept_with_the_identity_of_the_row(desk: Desk) -> None:
    found = desk.score(hand_over(tree(desk.frame[["x"]]), desk.folder / "model.skops"), predict={"proba": True})
    labels = [f"proba_{label}" for label in range(7)]
    assert found.columns.tolist() == [*TABLE.column_names, "source_file", "source_row", "prediction", *labels]
    last = found.iloc[-1]
    assert (last["source_file"], last["source_row"], last["x"]) == ("part-3.parquet", 0, desk.frame["x"].iloc[-1])


@pytest.mark.parametrize("name", ["prediction", "proba_yes", "source_row"])
def test_a_clash_of_names_is_refused(tmp_path: Path, name: str) -> None:
    table = TABLE.select(["x", "count"]).rename_columns(["x", name])
    desk = Desk(tmp_path, write_parts(tmp_path / "data", table))
    model = LogisticRegression().fit(desk.frame[["x"]], np.where(desk.frame["x"] > 0, "yes", "no"))
    told = desk.command(hand_over(model, tmp_path / "model.skops"), predict={"proba": True}, code=3)
    assert f"two columns '{name}'" in told
    assert not desk.published.exists()


def logistic(desk: Desk) -> dict[str, Any]:
    """A model that fails on null."""
    known = desk.frame[["x_null", "count"]].dropna()
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(known, known["x_null"] > 0)
    return hand_over(model, desk.folder / "model.skops")


ALL = {"error_budget": {"rate": 1}}


@pytest.mark.parametrize("cuts", [(), (1,), (150, 150, 239)])
def test_a_row_on_which_the_model_fails_costs_that_row(tmp_path: Path, cuts: tuple[int, ...]) -> None:
    null_first = TABLE.sort_by([("x_null", "ascending")]).take(list(range(239, -1, -1)))
    desk = Desk(tmp_path, write_parts(tmp_path / "data", null_first, *cuts))
    found = desk.score(logistic(desk), predict=ALL)
    assert found["x"].tolist() == desk.frame["x"][desk.frame["x_null"].notna()].tolist()
    (quarantined,) = (desk.folder / "predictions.store" / "quarantine").rglob("*.parquet")
    refused = pd.read_parquet(quarantined)
    assert refused["x"].tolist() == desk.frame["x"][desk.frame["x_null"].isna()].tolist()
    assert set(refused["_reason_code"]) == {"predict_failed"}


def test_a_category_that_the_encoder_refuses_costs_its_rows(desk: Desk) -> None:
    known = desk.frame[desk.frame["city"] != "Olinda"][["city", "level"]]
    found = desk.score(hand_over(tree(known, OneHotEncoder()), desk.folder / "model.skops"), predict=ALL)
    assert len(found) == len(known)
    (quarantined,) = (desk.folder / "predictions.store" / "quarantine").rglob("*.parquet")
    reasons = pd.read_parquet(quarantined)[["_reason_code", "_column", "city"]].drop_duplicates()
    assert reasons.to_numpy().tolist() == [["unknown_category", "city", "Olinda"]]


def test_a_bad_row_stops_the_run_when_the_config_says_so(desk: Desk) -> None:
    contract = {"columns": {"city_null": {"nullable": False}}}
    row = int(np.flatnonzero(desk.frame["city_null"].isna())[0])
    model = hand_over(tree(desk.frame[["x"]]), desk.folder / "model.skops")
    told = desk.command(model, contract=contract, predict={"on_bad_row": "fail"}, code=3)
    assert f"part-0.parquet, row {row}, column 'city_null'" in told
    assert "null_not_allowed" in told
    assert not desk.published.exists()


def test_too_many_refused_rows_leave_the_earlier_version_as_it_is(desk: Desk) -> None:
    found = desk.score(logistic(desk), predict=ALL)
    told = desk.command(logistic(desk), contract={"columns": {"x": {"min": 0}}}, code=8)
    assert "nothing was published" in told
    assert "below_minimum" in told
    pd.testing.assert_frame_equal(desk.rows(), found)
    assert len(list((desk.folder / "predictions.store" / "commits").iterdir())) == 1


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a script outside the package has fitted on the demo data."""
    folder = tmp_path_factory.mktemp("shop")
    write_demo(folder / "demo/data", 3_000, "parquet")
    script = ROOT / "scripts" / "fit_handed_over.py"
    done = subprocess.run([sys.executable, str(script)], cwd=folder, check=True, capture_output=True, text=True)
    (folder / "told.jsonl").write_text(done.stdout)
    return folder


def expected(shop: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Good rows of the demo data as the shipped config cleans them, and the features among them."""
    frame = pd.concat([pd.read_parquet(file) for file in sorted((shop / "demo/data/transactions").iterdir())])
    good = frame["idade"].notna() & frame["sexo"].isin(["F", "M"]) & ~(frame["valor"] < 0)
    rows = frame[good].fillna({"valor": 0})
    return rows, rows[joblib.load(shop / "demo/handed-over/transformer.joblib").feature_names_in_]


def published(shop: Path) -> pd.DataFrame:
    return pd.read_parquet(shop / "demo/predictions-handed-over")


def test_the_shipped_config_scores_with_the_pipeline_of_the_script(shop: Path) -> None:
    scoreline("predict", str(ROOT / "configs/predict_only.json"), folder=shop)
    rows, features = expected(shop)
    assert len(rows) < 3_000
    assert published(shop)["id"].tolist() == rows["id"].tolist()
    pipeline = joblib.load(shop / "demo/handed-over/pipeline.joblib")
    assert published(shop)["prediction"].tolist() == pipeline.predict(features).tolist()


@pytest.mark.cluster
def test_the_shipped_config_scores_with_the_pair_of_the_script(shop: Path) -> None:
    told = {Path(line["uri"]).stem: line for line in map(json.loads, (shop / "told.jsonl").read_text().splitlines())}
    parts = [word for name in ("transformer", "model") for word in ("--set", f"{name}={json.dumps(told[name])}")]
    scoreline("predict", str(ROOT / "configs/predict_only.json"), *parts, "--cluster", "local", folder=shop)
    transformer, model = (joblib.load(shop / told[name]["uri"]) for name in ("transformer", "model"))
    made = transformer.transform(expected(shop)[1])
    assert published(shop)["prediction"].tolist() == model.predict(made[model.feature_names_in_]).tolist()
