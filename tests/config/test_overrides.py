from typing import Any

import pytest

from scoreline.config.overrides import Origin, merge, parse_override
from scoreline.config.positions import JsonPath, read_json
from scoreline.errors import UsageError


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("train.seed=7", ("train", "seed"), 7),
        ("name=demo", ("name",), "demo"),
        ("a=", ("a",), ""),
        ("a=null", ("a",), None),
        ("a=true", ("a",), True),
        ('a="7"', ("a",), "7"),
        ("a=007", ("a",), "007"),
        ("a=NaN", ("a",), "NaN"),
        ("a=x=y", ("a",), "x=y"),
        ('a=["x", 1]', ("a",), ["x", 1]),
        ('a={"b": {}}', ("a",), {"b": {}}),
        ("clean[1].format=%d.%m.%Y", ("clean", 1, "format"), "%d.%m.%Y"),
        ("clean.1.format=%Y", ("clean", "1", "format"), "%Y"),
        ('contract.columns."a.b [c]".min=0', ("contract", "columns", "a.b [c]", "min"), 0),
        ("source.uri=s3://b/k=v/*.parquet", ("source", "uri"), "s3://b/k=v/*.parquet"),
    ],
)
def test_an_override_is_a_path_and_a_value(text: str, path: JsonPath, value: Any) -> None:
    override = parse_override(text)
    assert (override.path, override.value) == (path, value)


def test_a_value_that_lost_its_quotes_in_the_shell_is_refused() -> None:
    with pytest.raises(UsageError, match="looks like JSON but is not"):
        parse_override("clean=[{kind: select}]")


@pytest.mark.parametrize("text", ["", "a", "=1", "a.b", "a..b=1", "a[x]=1", "a]=1"])
def test_what_is_no_override_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not an override"):
        parse_override(text)


@pytest.mark.parametrize(
    ("text", "merged"),
    [
        ("a.b=2", {"a": {"b": 2}, "c": [1, {"d": 3}]}),
        ("a.x.y=2", {"a": {"b": 1, "x": {"y": 2}}, "c": [1, {"d": 3}]}),
        ("c[1].d=4", {"a": {"b": 1}, "c": [1, {"d": 4}]}),
        ("c.0=9", {"a": {"b": 1}, "c": [9, {"d": 3}]}),
        ("c[2].e=5", {"a": {"b": 1}, "c": [1, {"d": 3}, {"e": 5}]}),
        ("z.q=5", {"a": {"b": 1}, "c": [1, {"d": 3}], "z": {"q": 5}}),
    ],
)
def test_an_override_replaces_or_adds_one_value(text: str, merged: Any) -> None:
    given = {"a": {"b": 1}, "c": [1, {"d": 3}]}
    assert merge(given, [parse_override(text)]) == merged
    assert given == {"a": {"b": 1}, "c": [1, {"d": 3}]}


def test_the_last_override_of_a_value_wins() -> None:
    assert merge({}, [parse_override("a.b=1"), parse_override("a.b=2")]) == {"a": {"b": 2}}


def test_an_object_stands_in_for_null() -> None:
    assert merge({"a": None}, [parse_override("a.b=1")]) == {"a": {"b": 1}}


def test_all_overrides_that_lead_nowhere_are_told_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        merge({"a": 1, "c": [1]}, [parse_override(text) for text in ("a.b=1", "c[5]=2", "c.x=2", "d=1")])
    assert [problem.where for problem in caught.value.problems] == ["--set a.b=1", "--set c[5]=2", "--set c.x=2"]


def test_a_path_comes_from_the_override_that_made_it_or_else_from_the_file() -> None:
    overrides = tuple(parse_override(text) for text in ("train.seed=7", "predict.sink.uri=out"))
    origin = Origin(read_json('{"train": {"seed": 1, "model": 2}}', "job.json"), overrides)
    assert origin.where(("train", "seed")) == "--set train.seed=7"
    assert origin.where(("train", "model")) == "job.json:1:23 ($.train.model)"
    assert origin.where(("train", "task")) == "job.json:1:2 ($.train.task)"
    assert origin.where(("predict", "sink", "kind")) == "--set predict.sink.uri=out"
    assert origin.where(("name",)) == "job.json:1:1 ($.name)"


def test_secrets_of_an_override_are_not_told() -> None:
    override = parse_override("source.uri=s3://me:hunter2@bucket/data")
    assert override.where == "--set source.uri=s3://***@bucket/data"
    with pytest.raises(UsageError) as caught:
        parse_override("password=[hunter2")
    assert "hunter2" not in str(caught.value)
