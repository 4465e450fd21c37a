"""``--set a.b=value``: one value of the config, changed on the command line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scoreline.config.positions import Document, JsonPath, read_json, spelled
from scoreline.config.secrets import without_secrets
from scoreline.errors import Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

_PART = re.compile(r'\.?(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|\[(?P<index>\d+)\]|(?P<plain>[^.\[\]="]+))')


@dataclass(frozen=True)
class Override:
    """One ``--set``: its text, the path it names and the value it gives."""

    text: str
    path: JsonPath
    value: Any

    @property
    def where(self) -> str:
        """The override as messages name it."""
        return f"--set {without_secrets(self.text)}"


@dataclass(frozen=True)
class Origin:
    """Where the parts of a merged config come from: the file, or an override."""

    document: Document
    overrides: tuple[Override, ...] = ()

    def where(self, path: JsonPath) -> str:
        """The place of a path in the file, or the override that made it."""
        override = self.override_of(path)
        return self.document.where(path) if override is None else override.where

    def override_of(self, path: JsonPath) -> Override | None:
        """The override that gave a path its value, or made the object in which it is missing; None for the file."""
        latest = self.overrides[::-1]
        for override in latest:
            if path[: len(override.path)] == override.path:
                return override
        while path and path not in self.document.values:
            for override in latest:
                if override.path[: len(path)] == path:
                    return override
            path = path[:-1]
        return None


def parse_override(text: str) -> Override:
    """Take ``a.b[1]=value`` apart; the value is JSON where it can be read as such, else text.

    Keys with dots or brackets stand in double quotes. Raises UsageError.

    >>> parse_override('clean[1].format=%d.%m.%Y').path, parse_override("train.seed=7").value
    (('clean', 1, 'format'), 7)
    """
    path, at = [], 0
    while at < len(text) and (match := _PART.match(text, at)):
        path.append(_part(match))
        at = match.end()
    if not path or text[at : at + 1] != "=":
        advice = "write --set a.b=value, such as --set train.seed=7 or --set 'clean[1].format=%Y'"
        raise UsageError(Problem("this is not an override", f"--set {without_secrets(text)}", advice))
    return Override(text, tuple(path), _value(text[at + 1 :], text))


def _part(match: re.Match[str]) -> str | int:
    if match["quoted"] is not None:
        return str(read_json(f'"{match["quoted"]}"', "--set").value)
    return int(match["index"]) if match["index"] is not None else match["plain"].strip()


def _value(text: str, override: str) -> Any:
    try:
        return read_json(text, "value").value
    except UsageError:
        if text.lstrip()[:1] in ("{", "["):
            advice = "the value looks like JSON but is not: quote the whole option in the shell, --set 'a.b=[\"c\"]'"
            raise UsageError(Problem("a value cannot be read", f"--set {without_secrets(override)}", advice)) from None
        return text


def merge(value: Any, overrides: Sequence[Override]) -> Any:
    """The config with the overrides applied in order, as a new value. Raises UsageError with all problems."""
    problems: list[Problem] = []
    for override in overrides:
        try:
            value = _replaced(value, override, 0)
        except UsageError as error:
            problems += error.problems
    if problems:
        raise UsageError(*problems)
    return value


def _replaced(value: Any, override: Override, depth: int) -> Any:
    if depth == len(override.path):
        return override.value
    key = override.path[depth]
    if isinstance(value, list):
        index = _index(key, len(value), override, depth)
        inner = _replaced(value[index] if index < len(value) else None, override, depth + 1)
        return [*value[:index], inner, *value[index + 1 :]]
    if isinstance(value, dict) or value is None:
        value = value or {}
        return {**value, str(key): _replaced(value.get(key), override, depth + 1)}
    what = f"{spelled(override.path[:depth])} is a plain value, which has no part '{key}'"
    raise UsageError(Problem(what, override.where, f"set the whole value: --set {_dotted(override.path[:depth])}=..."))


def _index(key: str | int, length: int, override: Override, depth: int) -> int:
    """The position that a part of an override means in a list; one past the end appends."""
    number = int(key) if isinstance(key, int) or key.isdecimal() else None
    if number is not None and number <= length:
        return number
    what = f"{spelled(override.path[:depth])} is a list of {length}, which has no item '{key}'"
    raise UsageError(Problem(what, override.where, f"use a number from 0 to {length}; {length} appends"))


def _dotted(path: JsonPath) -> str:
    return spelled(path).removeprefix("$.")
