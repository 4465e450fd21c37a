"""The JSON Schema of configs, for completion and checks in editors."""

from __future__ import annotations

import json
from typing import Any

from scoreline.config.models import JobConfig

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def config_schema() -> dict[str, Any]:
    """The schema of a config with all kinds that ship: keys, types, defaults, descriptions. Imports every kind."""
    generated = JobConfig.model_json_schema(by_alias=True)
    return {"$schema": DIALECT, "title": "Scoreline job", **_plain(generated, named=False)}


def schema_text() -> str:
    """The schema as the text of ``scoreline.schema.json``."""
    return json.dumps(config_schema(), indent=1, ensure_ascii=False) + "\n"


def _plain(schema: Any, *, named: bool) -> Any:
    """The schema without titles that repeat the key; `named` when the keys of an object are names and no keywords."""
    if isinstance(schema, list):
        return [_plain(each, named=False) for each in schema]
    if not isinstance(schema, dict):
        return schema
    dropped = set() if named else {"title", "discriminator"}
    plain = {}
    for key, value in schema.items():
        if key not in dropped:
            inner_named = not named and key in ("properties", "$defs")
            plain[key] = value if key == "default" and not named else _plain(value, named=inner_named)
    return plain if named else _kind_required(plain)


def _kind_required(schema: dict[str, Any]) -> dict[str, Any]:
    """An object that is told by its kind must state it, though the class has a default for it."""
    if "const" not in schema.get("properties", {}).get("kind", {}):
        return schema
    kind = {key: value for key, value in schema["properties"]["kind"].items() if key != "default"}
    required = ["kind", *(key for key in schema.get("required", ()) if key != "kind")]
    return {**schema, "properties": {**schema["properties"], "kind": kind}, "required": required}
