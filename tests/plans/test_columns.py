"""What a job asks of its columns is told before anything is read, each problem with its place in the config."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from scoreline.config.models import JobConfig
from scoreline.plans.columns import column_problems

SCHEMA = pa.schema(
    [
        ("x", pa.float64()),
        ("label", pa.string()),
        ("code", pa.dictionary(pa.int32(), pa.string())),
        ("day", pa.date32()),
        ("tags", pa.list_(pa.string())),
        ("source_row", pa.int64()),
        ("source_file", pa.string()),
    ]
)


def problems(**changes: Any) -> list[tuple[str, str]]:
    job = {
        "version": 1,
        "name": "job",
        "source": {"kind": "parquet", "uri": "data"},
        "features": [{"kind": "passthrough", "columns": ["x"]}],
        "target": "label",
        "artifacts": "artifacts",
        "train": {"sample": {"fraction": 1.0}, "model": {"kind": "random_forest"}},
        **changes,
    }
    made = JobConfig.model_validate(job)
    assert made.train is not None
    return [(problem.where, problem.what) for problem in column_problems(made, made.train, SCHEMA)]


def trained(model: str, **options: Any) -> dict[str, Any]:
    return {"sample": {"fraction": 1.0}, "model": {"kind": model}, **options}


def test_columns_that_do_what_is_asked_of_them_are_no_problem() -> None:
    split = {"kind": "time", "column": "day", "test_fraction": 0.2}
    evaluate = {"slices": ["code", "x", "day"]}
    assert problems(train=trained("random_forest", split=split), evaluate=evaluate) == []
    assert problems(train=trained("lasso"), target="x", features=[{"kind": "one_hot", "columns": ["code"]}]) == []


@pytest.mark.parametrize("target", ["label", "code"])
@pytest.mark.parametrize("train", [trained("lasso"), trained("random_forest", task="regression")])
def test_a_regression_cannot_learn_text(target: str, train: dict[str, Any]) -> None:
    ((where, what),) = problems(target=target, train=train)
    assert (where, what) == ("$.target", f"the target '{target}' is text, and a regression learns numbers")


@pytest.mark.parametrize(
    "changes",
    [
        {"features": [{"kind": "passthrough", "columns": ["x", "source_row"]}]},
        {"evaluate": {"slices": ["source_file"]}},
        {"target": "source_row"},
        {"train": trained("ridge", split={"kind": "group", "column": "source_file"})},
    ],
)
def test_columns_called_as_row_identity_cannot_be_kept_beside_it(changes: dict[str, Any]) -> None:
    assert [where for where, _ in problems(**changes)] in (["column 'source_row'"], ["column 'source_file'"])


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"target": "nothing"}, "$.target"),
        ({"target": "tags"}, "$.target"),
        (
            {"train": trained("ridge", split={"kind": "time", "column": "x", "at": "2026-01-01"})},
            "$.train.split.column",
        ),
        ({"train": trained("ridge", split={"kind": "group", "column": "tags"})}, "$.train.split.column"),
        ({"evaluate": {"slices": ["x", "tags"]}}, "$.evaluate.slices[1]"),
    ],
)
def test_every_problem_has_its_place(changes: dict[str, Any], where: str) -> None:
    assert [found for found, _ in problems(**changes)] == [where]


def test_all_problems_are_told_at_once() -> None:
    assert len(problems(target="nothing", evaluate={"slices": ["tags", "source_row"]})) == 3
