"""What pydantic found wrong with a config, said in the config's own words: the key, what it must be, what to write."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scoreline.config.kinds import nearest
from scoreline.config.secrets import HIDDEN, is_secret_key, without_secrets
from scoreline.config.sections import field_at, fields_by_key, section_at

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from scoreline.config.positions import JsonPath

LATER_KEYS = ("registry", "feedback", "drift", "report", "serve", "hosted", "watch", "single_writer")
"""Keys of the format that this version does not know yet."""

_OWN_KINDS = ("clean", "features", "evaluate")
"""Sections that may name kinds of the user's own modules."""

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "literal_error": "{expected}",
    "greater_than": "greater than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "too_short": "a list of at least {min_length}",
    "string_too_short": "at least {min_length} characters",
    "string_pattern_mismatch": "text of the form {pattern}",
    "kind_shape": "{detail}",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a config, by JSON path."""

    path: JsonPath
    what: str
    advice: str


@dataclass(frozen=True)
class _Found:
    """An error of pydantic's with its place in the document; `tagged` when it is about one branch of a union."""

    error: ErrorDetails
    path: JsonPath
    tagged: bool


def faults_of(error: ValidationError, config: Any, modules: Sequence[ModuleType] = ()) -> list[Fault]:
    """Every error of a validation as a fault of the config that was validated; branches of a union become one fault."""
    found = [_located(details, config) for details in error.errors(include_url=False)]
    deeper = {each.path[:depth] for each in found for depth in range(len(each.path))}
    groups: dict[JsonPath, list[ErrorDetails]] = {}
    for each in found:
        if not (each.tagged and each.path in deeper):
            groups.setdefault(each.path, []).append(each.error)
    faults = [_fault(path, errors, config, modules) for path, errors in groups.items()]
    mistyped = {(*fault.path[:-1], name) for fault in faults for name in _meant(fault.advice)}
    return [fault for fault in faults if fault.path not in mistyped or "is missing" not in fault.what]


def _meant(advice: str) -> list[str]:
    """The key that an unknown key was meant to be."""
    return re.findall(r'^did you mean "(.*)"\?$', advice)


def _located(details: ErrorDetails, config: Any) -> _Found:
    """Map pydantic's location to the document's: names of union branches are in the one and not in the other."""
    path: list[str | int] = []
    tagged = False
    loc = details["loc"]
    for number, part in enumerate(loc):
        inside = isinstance(config, list) and isinstance(part, int) and part < len(config)
        if inside or (isinstance(config, dict) and part in config):
            path.append(part)
            config = config[part]
            tagged = False
        elif details["type"] == "missing" and number == len(loc) - 1:
            path.append(part)
        else:
            tagged = True
    return _Found(details, tuple(path), tagged)


def _fault(path: JsonPath, errors: list[ErrorDetails], config: Any, modules: Sequence[ModuleType]) -> Fault:
    error = errors[0]
    match error["type"]:
        case "extra_forbidden" | "enum" if error["type"] == "extra_forbidden" or error["loc"][-1] == "[key]":
            return _unknown_key(path, _known_keys(path, error, config, modules))
        case "missing":
            field = field_at(path, config, modules)
            about = f": {field.description}" if field is not None and field.description else ""
            return Fault(path, f'the key "{path[-1]}" is missing', f'add "{path[-1]}"{about}')
        case "kind_missing" | "union_tag_not_found":
            kinds = _kinds(error)
            return Fault(path, f'{name_of(path)} has no "kind"', kinds)
        case "kind_unknown" | "union_tag_invalid":
            at = path if error["type"] == "kind_unknown" else (*path, "kind")
            given = error["input"] if error["type"] == "kind_unknown" else error["ctx"]["tag"]
            hint = path[0] in _OWN_KINDS and not modules
            own = "; a kind of your own comes with --module" if hint else ""
            return Fault(at, f"unknown kind {shown(given)}", _kinds(error, str(given)) + own)
        case "value_error" | "assertion_error":
            section = section_at(path, config, modules)
            keys = f"keys here: {', '.join(fields_by_key(section))}" if section else _about(path, config, modules)
            return Fault(path, f"{name_of(path)}: {error['ctx']['error']}", keys)
        case _:
            return _wrong_value(path, errors, config, modules)


def _known_keys(path: JsonPath, error: ErrorDetails, config: Any, modules: Sequence[ModuleType]) -> tuple[str, ...]:
    """The keys that may stand there: those of a section, or the values that pydantic asks of a key."""
    if error["type"] == "enum":
        return tuple(re.findall(r"'([^']*)'", error["ctx"]["expected"]))
    section = section_at(path[:-1], config, modules)
    return () if section is None else tuple(fields_by_key(section))


def _unknown_key(path: JsonPath, keys: tuple[str, ...]) -> Fault:
    key = str(path[-1])
    if is_secret_key(key):
        advice = "take it out: credentials come from the AWS_* variables, a profile or the machine's role"
        return Fault(path, f'the key "{key}" looks like a secret, and secrets never stand in a config', advice)
    if len(path) == 1 and key in LATER_KEYS:
        return Fault(path, f'"{key}" is not available yet', "leave it out for now")
    return Fault(path, f'unknown key "{key}"', nearest(key, keys))


def _kinds(error: ErrorDetails, given: str = "") -> str:
    context = error["ctx"]
    if "detail" in context:
        return str(context["detail"])
    names = _quoted(str(context.get("expected_tags", "")))
    return nearest(given, names) if names else f'add "kind" ({context["discriminator"]})'


def _wrong_value(path: JsonPath, errors: list[ErrorDetails], config: Any, modules: Sequence[ModuleType]) -> Fault:
    given = errors[0]["input"]
    if path == ("predict", "mode") and given == "append":
        return Fault(path, 'the mode "append" is not available yet', 'use "replace", which publishes a new version')
    expected = dict.fromkeys(_expected(error) for error in errors)
    value = HIDDEN if path and is_secret_key(str(path[-1])) else shown(given)
    what = f"{name_of(path)} must be {' or '.join(expected)}, not {value}"
    return Fault(path, what, _correction(errors, given) or _about(path, config, modules))


def _expected(error: ErrorDetails) -> str:
    template = _EXPECTED.get(error["type"])
    context = {key: str(value).replace("'", '"') for key, value in error.get("ctx", {}).items()}
    return error["msg"][0].lower() + error["msg"][1:] if template is None else template.format(**context)


def _correction(errors: list[ErrorDetails], given: Any) -> str:
    """What to write instead, where that can be said."""
    types = {error["type"] for error in errors}
    choices = [name for error in errors for name in _quoted(str(error.get("ctx", {}).get("expected", "")))]
    if choices and isinstance(given, str):
        return nearest(given, choices)
    if types & {"tuple_type", "list_type"} and isinstance(given, str):
        return f"write [{shown(given)}]"
    if "string_type" in types and isinstance(given, (int, float)):
        return f'write it in double quotes: "{shown(given)}"'
    if types & {"int_type", "int_from_float"} and isinstance(given, float) and given.is_integer():
        return f"write {int(given)}"
    unquoted = types & {"int_type", "float_type", "bool_type"} and isinstance(given, str)
    return f"write {given} without quotes" if unquoted and _is_plain(given) else ""


def _is_plain(text: str) -> bool:
    return text in ("true", "false") or re.fullmatch(r"-?\d+(\.\d+)?", text) is not None


def _about(path: JsonPath, config: Any, modules: Sequence[ModuleType]) -> str:
    field = field_at(path, config, modules)
    described = field.description if field is not None else None
    return f"what it means: {described}" if described else "see what may stand here: scoreline config schema"


def _quoted(text: str) -> list[str]:
    return re.findall(r"'([^']*)'", text)


def name_of(path: JsonPath) -> str:
    """The last part of a path as messages name it.

    >>> name_of(("clean", 1, "columns", 0)), name_of(("train", "seed")), name_of(())
    ('"columns[0]"', '"seed"', 'the config')
    """
    numbers = ""
    for part in reversed(path):
        if isinstance(part, str):
            return f'"{part}{numbers}"'
        numbers = f"[{part}]{numbers}"
    return "the config"


def shown(value: Any) -> str:
    """A value of the config as messages show it: short, and without credentials."""
    if isinstance(value, dict):
        return "an object" if value else "{}"
    if isinstance(value, (list, tuple)):
        return "a list" if value else "[]"
    text = json.dumps(value, ensure_ascii=False)
    return without_secrets(text if len(text) <= 60 else f"{text[:57]}...")
