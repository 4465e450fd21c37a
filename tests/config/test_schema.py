import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from scoreline.catalogue import kinds
from scoreline.config.schema import config_schema, schema_text

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return config_schema()


def test_the_schema_in_the_package_is_current() -> None:
    shipped = files("scoreline").joinpath("scoreline.schema.json").read_text("utf-8")
    assert shipped == schema_text(), "run: .venv/bin/python scripts/write_config_schema.py"


def test_the_schema_is_a_json_schema(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.json")), ids=lambda path: path.name)
def test_editors_find_no_fault_in_the_configs_that_ship(schema: dict[str, Any], path: Path) -> None:
    assert list(Draft202012Validator(schema).iter_errors(json.loads(path.read_text("utf-8")))) == []


@pytest.mark.parametrize(
    "change",
    [
        {"heading": "x"},
        {"version": 2},
        {"source": {"uri": "data"}},
        {"clean": [{"kind": "onehot"}]},
        {"artifacts": None},
    ],
)
def test_editors_see_what_is_wrong(schema: dict[str, Any], config: dict[str, Any], change: dict[str, Any]) -> None:
    assert not Draft202012Validator(schema).is_valid({**config, **change})


def test_every_key_is_described(schema: dict[str, Any]) -> None:
    objects = [schema, *schema["$defs"].values()]
    missing = [
        (each.get("description", "")[:40], key)
        for each in objects
        for key, value in each.get("properties", {}).items()
        if key != "kind" and "description" not in value
    ]
    assert missing == []


def test_every_kind_is_in_the_schema(schema: dict[str, Any]) -> None:
    objects = [each.get("properties", {}) for each in schema["$defs"].values()]
    told = {each["kind"].get("const") for each in objects if "kind" in each}
    folders = ("sources", "cleaners", "transformers", "models", "metrics", "sinks", "clusters")
    assert {kind for folder in folders for kind in kinds(folder)} <= told
