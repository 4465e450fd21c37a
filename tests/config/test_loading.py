import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoreline.config import JobConfig, load_config
from scoreline.config.loading import build_config
from scoreline.config.overrides import Origin
from scoreline.config.positions import Document
from scoreline.errors import Problem, UsageError

OWN_STEPS = """
from typing import Literal

from pydantic import Field

from scoreline.cleaners.base import Step
from scoreline.metrics.base import Metric


class Shout(Step):
    kind: Literal["shout"] = "shout"
    volume: int = Field(11, ge=1, description="How loud.")


class Luck(Metric):
    kind: Literal["luck"] = "luck"
    task = "classification"
"""


def written(folder: Path, config: Any) -> Path:
    path = folder / "job.json"
    path.write_text(config if isinstance(config, str) else json.dumps(config, indent=1), encoding="utf-8")
    return path


def built(config: Any) -> JobConfig:
    return build_config(config, Origin(Document("job.json", config)))


def problems(path: Path, *overrides: str) -> tuple[Problem, ...]:
    with pytest.raises(UsageError) as caught:
        load_config(path, overrides)
    return caught.value.problems


def test_defaults_are_those_of_the_documentation(config: dict[str, Any]) -> None:
    job = built(config)
    assert job.train is not None
    assert (job.train.sample.rows, job.train.seed, job.train.threads, job.train.fit) == (1_000_000, 42, 2, "sample")
    assert job.predict is not None
    assert (job.predict.mode, job.predict.keep, job.predict.row_id, job.predict.proba) == (
        "replace",
        "all",
        True,
        False,
    )
    assert (job.cluster, job.evaluate.metrics, job.evaluate.replicates) == (None, None, 200)


def test_a_config_touches_neither_disk_nor_network(config: dict[str, Any]) -> None:
    config["source"]["uri"] = "s3://no-such-bucket/data/"
    config["artifacts"] = "/no/such/folder"
    assert built(config).source.uri == "s3://no-such-bucket/data/"


def test_the_whole_config_written_out_is_the_same_job(config: dict[str, Any], tmp_path: Path) -> None:
    config |= {"$schema": "scoreline.schema.json", "clean": [{"kind": "strip_names"}], "cluster": {"kind": "inline"}}
    config["evaluate"] = {"metrics": ["accuracy", {"kind": "f1_macro"}], "gate": [{"metric": "accuracy", "min": 0.5}]}
    job = built(config)
    again = load_config(written(tmp_path, job.as_json()))
    assert again.model_dump() == job.model_dump()
    assert job.as_json()["evaluate"]["metrics"] == ["accuracy", "f1_macro"]
    assert job.as_json()["$schema"] == "scoreline.schema.json"


def test_a_job_knows_where_its_parts_stand(config: dict[str, Any], tmp_path: Path) -> None:
    job = load_config(written(tmp_path, config), ["train.seed=7"])
    assert job.where("target").endswith("job.json:15:2 ($.target)")
    assert job.where("train", "seed") == "--set train.seed=7"
    assert JobConfig.model_validate(config).where("features", 0) == "$.features[0]"
    assert pickle.loads(pickle.dumps(job)).where("target") == job.where("target")


def test_problems_that_name_a_path_get_its_file_and_line(config: dict[str, Any], tmp_path: Path) -> None:
    job = load_config(written(tmp_path, config))
    assert job.located(Problem("no", "$.target", "yes")) == Problem("no", job.where("target"), "yes")
    assert job.located(Problem("no", "data/0.csv", "yes")).where == "data/0.csv"


def test_overrides_are_checked_with_the_file(config: dict[str, Any], tmp_path: Path) -> None:
    path = written(tmp_path, config)
    assert load_config(path, ["train.model.kind=ridge", "train.task=regression"]).train.model.kind == "ridge"  # type: ignore[union-attr]
    (found,) = problems(path, "train.sede=7")
    assert found == Problem('unknown key "sede"', "--set train.sede=7", 'did you mean "seed"?')


def test_faults_are_told_in_the_order_of_the_file_and_overrides_last(config: dict[str, Any], tmp_path: Path) -> None:
    config["train"]["sed"] = 1
    config["heading"] = "x"
    del config["target"]
    config["predict"]["keep"] = 5
    told = [problem.where.split(" ", 1)[-1] for problem in problems(written(tmp_path, config), "train.seed=x")]
    assert told == ["($.target)", "($.train.sed)", "($.predict.keep)", "($.heading)", "train.seed=x"]


def test_a_mistyped_required_key_is_one_fault(config: dict[str, Any], tmp_path: Path) -> None:
    config["features"] = [{"kind": "one_hot", "colums": ["a"]}]
    (found,) = problems(written(tmp_path, config))
    assert (found.what, found.advice) == ('unknown key "colums"', 'did you mean "columns"?')


@pytest.mark.parametrize(
    ("key", "what", "advice"),
    [
        (5, '"key" must be text or a list, not 5', 'write it in double quotes: "5"'),
        (["a", 1], '"key[1]" must be text, not 1', 'write it in double quotes: "1"'),
    ],
)
def test_the_branches_of_a_choice_are_one_fault(
    config: dict[str, Any], tmp_path: Path, key: Any, what: str, advice: str
) -> None:
    config["contract"] = {"key": key}
    (found,) = problems(written(tmp_path, config))
    assert (found.what, found.advice) == (what, advice)


def test_own_kinds_join_the_ones_that_ship(config: dict[str, Any], tmp_path: Path) -> None:
    module = tmp_path / "own_steps_of_a_test.py"
    module.write_text(OWN_STEPS)
    config["clean"] = [{"kind": "shout", "volume": 12}]
    config["evaluate"] = {"metrics": ["luck"]}
    job = load_config(written(tmp_path, config), modules=[module])
    assert [type(step).__name__ for step in job.clean] == ["Shout"]
    assert job.as_json()["clean"] == [{"kind": "shout", "on": "both", "volume": 12}]
    assert job.as_json()["evaluate"]["metrics"] == ["luck"]


def test_an_own_kind_may_not_take_a_name_that_ships(config: dict[str, Any], tmp_path: Path) -> None:
    module = tmp_path / "own_steps_of_a_test.py"
    module.write_text(OWN_STEPS.replace('"shout"', '"trim_strings"'))
    with pytest.raises(UsageError, match='"trim_strings" is a kind that ships'):
        load_config(written(tmp_path, config), modules=[module])


def test_options_of_own_kinds_are_checked_alike(config: dict[str, Any], tmp_path: Path) -> None:
    module = tmp_path / "own_steps_of_a_test.py"
    module.write_text(OWN_STEPS)
    config["clean"] = [{"kind": "shout", "volum": 0}, {"kind": "shuot"}]
    with pytest.raises(UsageError) as caught:
        load_config(written(tmp_path, config), modules=[module])
    assert [problem.advice for problem in caught.value.problems] == ['did you mean "volume"?', 'did you mean "shout"?']


@pytest.mark.parametrize(
    ("overrides", "wheres"),
    [(["a"], ["--set a"]), (["a", "b"], ["--set a", "--set b"]), (["name.x=1"], ["--set name.x=1"])],
)
def test_wrong_overrides_are_told_all_at_once(
    config: dict[str, Any], tmp_path: Path, overrides: list[str], wheres: list[str]
) -> None:
    assert [problem.where for problem in problems(written(tmp_path, config), *overrides)] == wheres


def test_a_missing_file_gets_the_nearest_name(config: dict[str, Any], tmp_path: Path) -> None:
    written(tmp_path, config)
    (found,) = problems(tmp_path / "jobs.json")
    assert found.advice == f"did you mean {tmp_path / 'job.json'}?"
    (found,) = problems(tmp_path / "nowhere" / "job.json")
    assert "no folder" in found.advice


def test_a_folder_is_no_config(tmp_path: Path) -> None:
    (found,) = problems(tmp_path)
    assert found.what == "the config cannot be read: is a directory"


@pytest.mark.storage
def test_a_config_may_lie_on_s3(config: dict[str, Any], s3_bucket: str) -> None:
    from scoreline.storage import create

    create(f"{s3_bucket}/job.json", json.dumps(config).encode())
    assert load_config(f"{s3_bucket}/job.json").name == "small"
    with pytest.raises(UsageError):
        load_config(f"{s3_bucket}/other.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["kind", "uri", "columns", "model", "type", "metric", "x"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)
KEYS = [*JobConfig.model_fields, "$schema", "registry", "other"]


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), JSON, max_size=6) | JSON)
def test_no_json_value_brings_anything_but_problems_with_advice(config: Any) -> None:
    with pytest.raises(UsageError) as caught:
        built(config)
    assert all(problem.what and problem.where and problem.advice for problem in caught.value.problems)


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[2] / "configs").glob("*.json")), ids=lambda path: path.name
)
def test_a_config_that_ships_written_out_is_the_same_job(path: Path, tmp_path: Path) -> None:
    job = load_config(path)
    assert load_config(written(tmp_path, job.as_json())).model_dump() == job.model_dump()
