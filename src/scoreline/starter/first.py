"""A first config for data that nobody has described yet: one that runs at once, and that people can then improve."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal

from scoreline.config.outputs import overlaps
from scoreline.contract import parse_type
from scoreline.errors import Problem, UsageError, printable
from scoreline.sources._inference import suggest

if TYPE_CHECKING:
    from collections.abc import Mapping

_FEW, _MANY = 50, 1000
"""Distinct values up to which text makes one column per value, or one per common value; above, it is hashed."""
_LABELS = 100
_INTEGER_LABELS = 20

Role = Literal["number", "category", "common", "words", "date", "identifier", "constant", "unfit"]


@dataclass(frozen=True)
class FirstConfig:
    """A config, and what a person should know about how it came about."""

    config: dict[str, Any]
    remarks: tuple[str, ...]


def first_config(uri: str, target: str | None = None) -> FirstConfig:
    """Look at data and write a config that trains and predicts on them. Eager: reads a sample.

    `target` is the column to learn, named as after cleaning; without it, the last column that looks like labels.
    Raises DataError for data that cannot be read, and UsageError when no column can be the target, or none a feature.
    """
    found = suggest(uri)
    looks = {name.strip(): column for name, column in found["columns"].items()}
    learned = _target(uri, looks, target)
    roles = {name: _role(column) for name, column in looks.items() if name != learned}
    name = _job_name(uri)
    config = {
        "version": 1,
        "name": name,
        "source": {key: value for key, value in found["source"].items() if value is not None},
        "contract": {"columns": _declared(found["columns"])},
        "clean": [*_cleaning(looks, roles)],
        "features": _features(uri, looks, roles),
        "target": learned,
        **_learning(looks[learned]),
        "predict": {
            "sink": {"kind": "parquet", "uri": f"predictions/{name}"},
            "error_budget": {"rate": 0.05 if any(column["misfits"] for column in looks.values()) else 0.01},
        },
        "artifacts": f"artifacts/{name}",
    }
    _refuse_overlap(uri, config)
    return FirstConfig(config, tuple(_remarks(looks, roles, learned, guessed=target is None)))


def _target(uri: str, looks: Mapping[str, Any], wanted: str | None) -> str:
    if wanted is not None:
        if wanted in looks and not looks[wanted]["constant"]:
            return wanted
        close = get_close_matches(wanted, looks, 1)
        advice = f"did you mean '{close[0]}'?" if close and close[0] != wanted else f"choose from: {', '.join(looks)}"
        what = f"the column '{wanted}' has one value only" if wanted in looks else f"there is no column '{wanted}'"
        raise UsageError(Problem(what, f"--target {wanted}", advice))
    guesses = [name for name, column in looks.items() if _has_labels(column)]
    if not guesses:
        advice = f"say which one to learn: --target, one of {', '.join(looks)}"
        raise UsageError(Problem("no column looks like labels to learn", uri, advice))
    return guesses[-1]


def _has_labels(column: Mapping[str, Any]) -> bool:
    """Whether a column has a few values that come again and again."""
    if column["constant"] or column["id_like"] or column["date_format"]:
        return False
    most = {"string": _LABELS, "bool": 2}.get(column["type"], _INTEGER_LABELS if "int" in column["type"] else 0)
    return bool(column["distinct"] <= most)


def _role(column: Mapping[str, Any]) -> Role:
    kind = column["type"]
    if column["constant"]:
        return "constant"
    if column["id_like"]:
        return "identifier"
    if column["date_format"] or kind.startswith(("date", "timestamp")):
        return "date"
    if re.fullmatch(r"u?int\d+|float\d+|decimal.*", kind):
        return "number"
    if kind not in ("string", "large_string", "bool"):
        return "unfit"
    return "category" if column["distinct"] <= _FEW else "common" if column["distinct"] <= _MANY else "words"


def _declared(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Columns with their types, for the types that a contract can name."""
    return {name.strip(): {"type": column["type"]} for name, column in columns.items() if _is_known(column["type"])}


def _is_known(name: str) -> bool:
    try:
        parse_type(name)
    except ValueError:
        return False
    return True


def _cleaning(looks: Mapping[str, Any], roles: Mapping[str, Role]) -> list[dict[str, Any]]:
    formats: dict[str, list[str]] = {}
    for name, column in looks.items():
        if column["date_format"]:
            formats.setdefault(column["date_format"], []).append(name)
    parts = {new: text for name in _dates(roles) for new, text in _date_parts(name).items() if new not in looks}
    return [
        {"kind": "strip_names"},
        {"kind": "trim_strings"},
        *({"kind": "parse_dates", "columns": names, "format": form} for form, names in formats.items()),
        *([{"kind": "derive", "columns": parts}] if parts else []),
        {"kind": "drop_duplicates", "on": "train"},
    ]


def _dates(roles: Mapping[str, Role]) -> list[str]:
    """Dates whose parts become features; an expression can name them."""
    return [name for name, role in roles.items() if role == "date" and "`" not in name]


def _date_parts(name: str) -> dict[str, str]:
    plain = re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII)
    column = name if plain else f"`{name}`"
    return {f"{name}_month": f"month({column})", f"{name}_weekday": f"weekday({column})"}


def _features(uri: str, looks: Mapping[str, Any], roles: Mapping[str, Role]) -> list[dict[str, Any]]:
    by_role: dict[Role, list[str]] = {}
    for name, role in roles.items():
        by_role.setdefault(role, []).append(name)
    parts = [new for name in _dates(roles) for new in _date_parts(name) if new not in looks]
    numbers = [*by_role.get("number", []), *parts]
    wanted: list[dict[str, Any]] = [
        {"kind": "impute", "columns": numbers, "strategy": "median"},
        {"kind": "standard_scale", "columns": numbers},
        {"kind": "one_hot", "columns": by_role.get("category", []), "min_frequency": 10},
        {"kind": "one_hot", "columns": by_role.get("common", []), "min_frequency": 10, "max_categories": 100},
        {"kind": "hash_text", "columns": by_role.get("words", []), "n_features": 64},
    ]
    features = [feature for feature in wanted if feature["columns"]]
    if not features:
        raise UsageError(
            Problem("no column can be a feature", uri, "give data with numbers, texts or dates to learn from")
        )
    return features


def _learning(target: Mapping[str, Any]) -> dict[str, Any]:
    labels = target["type"] in ("string", "bool") or _has_labels(target)
    metrics = ["accuracy", "f1_macro"] if labels else ["mae", "r2"]
    return {
        "train": {
            "sample": {"rows": 100_000},
            "split": {"kind": "random", "test_fraction": 0.2},
            "model": {"kind": "random_forest", "params": {"n_estimators": 100, "min_samples_leaf": 2}},
            "task": "classification" if labels else "regression",
        },
        "evaluate": {"metrics": metrics},
    }


def _job_name(uri: str) -> str:
    """A name for the job, from the last part of a location that is no glob.

    >>> _job_name("s3://bucket/card data/2026-*/*.csv"), _job_name("data/july.csv")
    ('card-data', 'july')
    """
    parts = [part for part in uri.split("/") if part.strip(".") and not re.search(r"[*?\[]", part)]
    stem = re.sub(r"(\.(csv|tsv|txt|parquet|gz|zst|bz2))+$", "", parts[-1]) if parts else ""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[:100] or "job"


def _refuse_overlap(uri: str, config: dict[str, Any]) -> None:
    if next(overlaps(config), None) is not None:
        advice = "give a pattern such as 'data/*.csv' instead of the folder, or run init in another folder"
        raise UsageError(Problem("results would land among the data", uri, advice))


def _why_not(role: Role, column: Mapping[str, Any]) -> str | None:
    """Why a column is no feature; None for a column that is one."""
    return {
        "identifier": "looks like an identifier",
        "constant": "has one value only",
        "unfit": f"no transformer takes columns of type {column['type']}",
    }.get(role)


def _misfit(column: Mapping[str, Any]) -> str:
    shown = f"'{printable(column['misfit'][:40])}'" + (" and the like are" if column["misfits"] > 1 else " is")
    return f'{shown} no {column["type"]}: the row is refused; if it means missing, list it in "source.null_values"'


def _remarks(looks: Mapping[str, Any], roles: Mapping[str, Role], learned: str, *, guessed: bool) -> list[str]:
    said = [f"target       {learned}"]
    if guessed:
        said = [f"target       {learned}: A GUESS, the last column that looks like labels; choose with --target"]
    said += [f"left out     {name}: {why}" for name, role in roles.items() if (why := _why_not(role, looks[name]))]
    values = [name for name in looks if re.fullmatch(r"[-+]?\d[\d.,:/-]*", name)]
    if values:
        said.append(f"check        columns are named {', '.join(values)}: the first line is read as their names")
    for name, column in looks.items():
        if column["date_ambiguous"]:
            said.append(f"check        {name}: read as {column['date_format']}, but day and month could be swapped")
        if column["misfits"]:
            said.append(f"check        {name}: {_misfit(column)}")
    return said
