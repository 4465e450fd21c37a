"""A JSON reader that remembers where every key and value stands, and says what to mend when the text is not JSON."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import dataclass, field
from json import JSONDecodeError, JSONDecoder
from typing import TYPE_CHECKING, Any, NoReturn

from scoreline.errors import Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

JsonPath = tuple[str | int, ...]

MAX_BYTES = 1 << 20
MAX_DEPTH = 32

_DECODER = JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_TOKEN = re.compile(r"[^\s,:{}\[\]\"]+")
_PLAIN_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*")
_STEP = re.compile(rf'\.({_PLAIN_KEY.pattern})|\[([0-9]+|"(?:[^"\\]|\\.)*")\]')
_SURROGATE = re.compile("[\ud800-\udfff]")
_WORDS = {"true": True, "false": False, "null": None}
_NOT_FINITE = ("NaN", "Infinity", "-Infinity", "+Infinity", "nan", "inf", "-inf")
_FOREIGN_WORDS = {"True": "true", "False": "false", "None": "null", "undefined": "null", "nil": "null", "NULL": "null"}
_CURLY_QUOTES = "“”„«»‘’‚"  # noqa: RUF001


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a text: line and column in characters, both counted from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Document:
    """The value of a JSON text and where its parts stand.

    Attributes
    ----------
    name : what the text is called in messages, such as its file name
    value : dicts, lists and plain values as `json.loads` gives them
    keys, values : offset in the text of each key and each value, by JSON path
    line_starts : offset of the first character of each line
    """

    name: str
    value: Any
    keys: Mapping[JsonPath, int] = field(default_factory=dict)
    values: Mapping[JsonPath, int] = field(default_factory=dict)
    line_starts: tuple[int, ...] = (0,)

    def place(self, path: JsonPath) -> Place:
        """Where a path stands: its key, else its value, else the nearest part of the document that holds it."""
        while path and path not in self.keys and path not in self.values:
            path = path[:-1]
        return _place(self.line_starts, self.keys.get(path, self.values.get(path, 0)))

    def where(self, path: JsonPath) -> str:
        """A path as messages spell it.

        >>> read_json('{"train": {"seed": 1}}', "job.json").where(("train", "seed"))
        'job.json:1:12 ($.train.seed)'
        """
        place = self.place(path)
        return f"{self.name}:{place.line}:{place.column} ({spelled(path)})"


def spelled(path: JsonPath) -> str:
    """A JSON path as text.

    >>> spelled(("clean", 1, "columns", "valor total"))
    '$.clean[1].columns["valor total"]'
    """
    parts = ["$"]
    for part in path:
        if isinstance(part, int):
            parts.append(f"[{part}]")
        else:
            parts.append(f".{part}" if _PLAIN_KEY.fullmatch(part) else f"[{json.dumps(part, ensure_ascii=False)}]")
    return "".join(parts)


def path_of(text: str) -> JsonPath:
    """The JSON path that a text spells: the opposite of `spelled`.

    >>> path_of('$.clean[1].columns["valor total"]')
    ('clean', 1, 'columns', 'valor total')
    """
    return tuple(key or json.loads(other) for key, other in _STEP.findall(text))


def decode_json(body: bytes, name: str) -> Document:
    """Read a JSON file's bytes: UTF-8, with or without byte order mark, at most 1 MiB. Raises UsageError."""
    if len(body) > MAX_BYTES:
        raise UsageError(Problem("a config has at most 1 MiB", name, "is this the data instead of the config?"))
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body[: error.start].count(b"\n") + 1
        problem = Problem("the file is not UTF-8 text", f"{name}:{line}", "save it again with the encoding UTF-8")
        raise UsageError(problem) from error
    return read_json(text, name)


def read_json(text: str, name: str) -> Document:
    """Read JSON text. Duplicate keys, NaN, infinity and nesting beyond 32 levels are refused.

    Raises UsageError naming line, column and path: all duplicate keys and odd numbers, and the first fault of syntax.
    """
    return _Reader(text, name).document()


def _line_starts(text: str) -> tuple[int, ...]:
    return (0, *(match.end() for match in re.finditer("\n", text)))


def _place(line_starts: tuple[int, ...], offset: int) -> Place:
    line = bisect_right(line_starts, offset)
    return Place(line, offset - line_starts[line - 1] + 1)


class _Reader:
    """One pass over a text; `at` is the offset of the next character."""

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name
        self.at = 0
        self.keys: dict[JsonPath, int] = {}
        self.values: dict[JsonPath, int] = {}
        self.line_starts = _line_starts(text)
        self.problems: list[Problem] = []

    def document(self) -> Document:
        if not self.text.strip():
            self._stop((), "the file is empty", 'a config is a JSON object such as {"version": 1, ...}')
        value = self._value(())
        if self._next():
            self._stop((), "something stands after the end of the JSON value", "remove it, or a bracket before it")
        if self.problems:
            raise UsageError(*self.problems)
        return Document(self.name, value, self.keys, self.values, self.line_starts)

    def _next(self) -> str:
        """The next character that is no space, not consumed; empty at the end of the text."""
        match = _SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at
        char = self.text[self.at : self.at + 1]
        if char == "#" or self.text.startswith(("//", "/*"), self.at):
            self._stop((), "JSON has no comments", "remove the comment")
        return char

    def _value(self, path: JsonPath) -> Any:
        char = self._next()
        self.values[path] = self.at
        if len(path) > MAX_DEPTH:
            self._stop(path, f"more than {MAX_DEPTH} levels of nesting", "look for a stray bracket")
        if char == "{":
            return self._object(path)
        if char == "[":
            return self._array(path)
        return self._string(path) if char == '"' else self._scalar(path)

    def _object(self, path: JsonPath) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self.at += 1
        more = self._next() != "}"
        while more:
            key = self._key(path)
            found[key] = self._value((*path, key))
            more = self._comma(path, "}")
        self.at += 1
        return found

    def _array(self, path: JsonPath) -> list[Any]:
        found: list[Any] = []
        self.at += 1
        more = self._next() != "]"
        while more:
            found.append(self._value((*path, len(found))))
            more = self._comma(path, "]")
        self.at += 1
        return found

    def _key(self, path: JsonPath) -> str:
        if self._next() != '"':
            self._stop_at_token(path, "a key in double quotes")
        start = self.at
        key = self._string(path)
        if (*path, key) in self.keys:
            first = _place(self.line_starts, self.keys[(*path, key)])
            advice = f"keep one; the first is at line {first.line}"
            self._note(start, (*path, key), f'the key "{key}" stands here twice', advice)
        self.keys[(*path, key)] = start
        if self._next() != ":":
            self._stop((*path, key), f'a colon is missing after the key "{key}"', f'write "{key}": value')
        self.at += 1
        return key

    def _comma(self, path: JsonPath, closing: str) -> bool:
        """Step over the comma; False when `closing` comes instead."""
        char = self._next()
        if char == "":
            self._stop(path, f"the file ends before {closing}", f"close what was opened, with {closing}")
        if char not in (",", closing):
            self._stop(path, "a comma is missing before this", f"put a comma here, or {closing} if it is over")
        if char == ",":
            comma = self.at
            self.at += 1
            if self._next() == closing:
                self.at = comma
                self._stop(path, f"a comma before the closing {closing}", "remove the comma")
        return char == ","

    def _string(self, path: JsonPath) -> str:
        start = self.at
        try:
            decoded, self.at = _DECODER.raw_decode(self.text, start)
        except JSONDecodeError as error:
            self.at = start if error.msg.startswith("Unterminated") else error.pos
            fault = error.msg.removesuffix(" at").removesuffix(" starting")
            advice = 'end it with "; inside it write \\" for a quote, \\\\ for a backslash, \\n for a line end'
            self._stop(path, f"a text in quotes is not right: {fault[0].lower()}{fault[1:]}", advice)
        text = str(decoded)
        if _SURROGATE.search(text):
            self._note(start, path, "half of a surrogate pair stands alone", "write the character itself, in UTF-8")
        return text

    def _scalar(self, path: JsonPath) -> Any:
        match = _TOKEN.match(self.text, self.at)
        token = match[0] if match else ""
        if token in _WORDS:
            self.at += len(token)
            return _WORDS[token]
        if token in _NOT_FINITE:
            self._note(self.at, path, f"JSON has no {token}", "write null, or leave the key out")
            self.at += len(token)
            return None
        number = _NUMBER.fullmatch(token)
        if number is None:
            self._stop_at_token(path, "a value")
        return self._number(path, number)

    def _number(self, path: JsonPath, match: re.Match[str]) -> int | float:
        whole = match[2] is None and match[3] is None
        if len(match[0]) > 400 or abs(float(match[0])) == float("inf"):
            self._note(self.at, path, "a number is too large", "the largest number is about 1.8e308")
            whole = False
        self.at += len(match[0])
        return int(match[0]) if whole else float(match[0])

    def _stop_at_token(self, path: JsonPath, wanted: str) -> NoReturn:
        match = _TOKEN.match(self.text, self.at)
        token = match[0] if match else self.text[self.at : self.at + 1]
        if not token:
            self._stop(path, f"the file ends where {wanted} should stand", "complete it, and close every bracket")
        self._stop(path, f"{wanted} should stand here, not {token[:40]}", _advice(token, wanted))

    def _stop(self, path: JsonPath, what: str, advice: str) -> NoReturn:
        self._note(self.at, path, what, advice)
        raise UsageError(*self.problems)

    def _note(self, offset: int, path: JsonPath, what: str, advice: str) -> None:
        place = _place(self.line_starts, offset)
        self.problems.append(Problem(what, f"{self.name}:{place.line}:{place.column} ({spelled(path)})", advice))


def _advice(token: str, wanted: str) -> str:
    if token.startswith("'"):
        return "use double quotes: JSON knows no others"
    if token[0] in _CURLY_QUOTES:
        return 'use straight double quotes: "'
    if token in _FOREIGN_WORDS and wanted == "a value":
        return f"write {_FOREIGN_WORDS[token]}"
    if token in (",", "}", "]", ":", "{", "["):
        return f"put {wanted} here, or remove what is too much"
    if token[0] in "+-.0123456789":
        return "write numbers like 12, -0.5 or 1e6: no plus, no leading zero, no separators"
    return f'put it in double quotes: "{token}"'
