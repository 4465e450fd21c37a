from typing import Any

import pytest

from scoreline.config.outputs import overlaps


def told(source: str, sink: str, artifacts: str = "art", **more: Any) -> list[str]:
    config = {"source": {"uri": source}, "predict": {"sink": {"uri": sink}}, "artifacts": artifacts, **more}
    return sorted({".".join(map(str, fault.path)) for fault in overlaps(config)})


@pytest.mark.parametrize(
    ("source", "sink"),
    [
        ("data", "data"),
        ("data", "data/predictions"),
        ("data/", "./data/x/../y"),
        ("data/*/*.parquet", "data/predictions"),
        ("data/**", "data/a/b"),
        ("**/*.parquet", "predictions"),
        ("predictions/a.parquet", "predictions"),
        ("predictions/*.parquet", "predictions/"),
        ("predictions.store/runs/*/data/*.parquet", "predictions"),
        ("s3://bucket/data", "s3://bucket/data/out"),
        (".", "predictions"),
    ],
)
def test_predictions_among_the_input_are_refused(source: str, sink: str) -> None:
    assert told(source, sink) in (["predict.sink.uri"], ["artifacts", "predict.sink.uri"])


@pytest.mark.parametrize(
    ("source", "sink"),
    [
        ("data", "data-predictions"),
        ("data", "predictions"),
        ("data/*.parquet", "data/predictions"),
        ("data/2026/*/*.parquet", "data/predictions"),
        ("data/x.csv", "data/predictions"),
        ("s3://bucket/data", "bucket/data"),
        ("s3://bucket/data", "s3://bucket/out"),
    ],
)
def test_predictions_beside_the_input_are_fine(source: str, sink: str) -> None:
    assert told(source, sink) == []


def test_only_what_is_written_below_the_artifacts_counts() -> None:
    assert told("art/data", "out") == []
    assert told("art/runs/x/data/cleaned", "out") == ["artifacts"]
    assert told("art", "out") == ["artifacts"]


def test_other_inputs_count_too() -> None:
    assert told("a", "out", evaluate={"source": {"uri": "out"}}) == ["predict.sink.uri"]
    assert told("a", "out", clean=[{"kind": "join", "with": "out/x.parquet"}]) == ["predict.sink.uri"]


def test_artifacts_inside_the_predictions_are_refused() -> None:
    assert told("a", "out", "out/artifacts") == ["artifacts"]


@pytest.mark.parametrize(
    "config", [{}, {"source": 1, "artifacts": []}, {"source": {"uri": "gs://b"}, "artifacts": "x"}]
)
def test_what_is_no_location_is_left_to_others(config: dict[str, Any]) -> None:
    assert list(overlaps(config)) == []
