"""The grammar of expressions over columns: Python's, cut down to an explicit list of forms. Nothing is ever executed.

Read are numbers, text, True, False, None, column names (plain, in backquotes, or as ``col("...")``), arithmetic
(``+ - * / // % **``), comparisons (also chained, ``in`` and ``not in`` with a list of constants, ``is None``), ``and``,
``or``, ``not``, ``a if condition else b`` and calls of functions by name. Everything else is refused where it stands.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

LENGTH_LIMIT = 4000
DEPTH_LIMIT = 60

_OPERATORS: Mapping[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.And: "and",
    ast.Or: "or",
    ast.Not: "not",
    ast.USub: "negative",
    ast.UAdd: "positive",
}
_FOREIGN: Mapping[type[ast.AST], str] = {
    ast.BitAnd: "write 'and'",
    ast.BitOr: "write 'or'",
    ast.Invert: "write 'not'",
    ast.Attribute: "put column names with a '.' in backquotes",
    ast.Subscript: "put column names with a '[' in backquotes",
}


class ExpressionError(ValueError):
    """An expression that cannot be read or used: what is wrong, at which character (from 0), and what to do."""

    def __init__(self, what: str, at: int, advice: str = "") -> None:
        super().__init__(what, at, advice)
        self.what, self.at, self.advice = what, at, advice

    def __str__(self) -> str:
        return f"{self.what}, at character {self.at + 1} of the expression{self.advice and f'; {self.advice}'}"


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that the expression spells out."""

    value: bool | int | float | str | None
    at: int


@dataclass(frozen=True, slots=True)
class Column:
    """The values of a column."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function or operator by name, and what it is applied to."""

    function: str
    arguments: tuple[Node, ...]
    at: int


Node = Constant | Column | Call


def columns_of(node: Node) -> Iterator[Column]:
    """Every mention of a column, from left to right."""
    if isinstance(node, Column):
        yield node
    elif isinstance(node, Call):
        for argument in node.arguments:
            yield from columns_of(argument)


@lru_cache(maxsize=1024)
def parse(text: str) -> Node:
    """Read an expression. Raises ExpressionError.

    >>> parse("`valor total` > 3")
    Call(function='>', arguments=(Column(name='valor total', at=0), Constant(value=3, at=16)), at=0)
    """
    if len(text) > LENGTH_LIMIT:
        raise ExpressionError(f"the expression is longer than {LENGTH_LIMIT} characters", LENGTH_LIMIT)
    flat = re.sub(r"\s", " ", text)
    plain, quoted = _unquoted(flat)
    start = len(plain) - len(plain.lstrip())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            tree = ast.parse(plain.lstrip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        # Offsets count from 1; what ends too early has none.
        at = start + (getattr(error, "offset", None) or len(plain.strip()) + 1) - 1
        what = getattr(error, "msg", None) or str(error)
        raise ExpressionError(f"the expression cannot be read: {what}", min(at, len(text))) from None
    return _Reader(plain, start, quoted).read(tree.body, depth=0)


def _unquoted(text: str) -> tuple[str, dict[int, str]]:
    """The text with each backquoted name as underscores of the same length, and the names by position."""
    names = {}

    def underscored(match: re.Match[str]) -> str:
        if not match[0].startswith("`"):
            return match[0]
        names[match.start()] = match[0][1:-1]
        return "_" * len(match[0])

    # Text in quotes comes first, so that a backquote inside it stays what it is.
    return re.sub(r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]+`""", underscored, text), names


@dataclass(frozen=True, slots=True)
class _Reader:
    text: str
    start: int
    quoted: Mapping[int, str]

    def read(self, node: ast.AST, depth: int) -> Node:
        if depth > DEPTH_LIMIT:
            raise ExpressionError(f"the expression is nested more than {DEPTH_LIMIT} deep", self._at(node))
        reader = _READERS.get(type(node))
        if reader is None:
            raise self._foreign(node, node)
        return reader(self, node, depth + 1)

    def constant(self, node: ast.Constant, depth: int) -> Node:
        value = node.value
        if value is not None and not isinstance(value, bool | int | float | str):
            raise self._foreign(node, node)
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise ExpressionError("the number does not fit 64 bits", self._at(node), "write it with a decimal point")
        if isinstance(value, float) and value in (float("inf"), float("-inf")):
            raise ExpressionError("the number is too large", self._at(node))
        return Constant(value, self._at(node))

    def name(self, node: ast.Name, depth: int) -> Node:
        # The name as it is written: Python's own would be in another Unicode form.
        at = self._at(node)
        return Column(self.quoted.get(at, self._written(node)), at)

    def unary(self, node: ast.UnaryOp, depth: int) -> Node:
        operand = self.read(node.operand, depth)
        if isinstance(node.op, ast.USub) and isinstance(operand, Constant) and type(operand.value) in (int, float):
            return Constant(-operand.value, self._at(node))  # type: ignore[operator]
        return Call(self._operator(node.op, node), (operand,), self._at(node))

    def binary(self, node: ast.BinOp, depth: int) -> Node:
        sides = (self.read(node.left, depth), self.read(node.right, depth))
        return Call(self._operator(node.op, node), sides, self._at(node))

    def logic(self, node: ast.BoolOp, depth: int) -> Node:
        name = self._operator(node.op, node)
        return _joined(name, [self.read(value, depth) for value in node.values], self._at(node))

    def condition(self, node: ast.IfExp, depth: int) -> Node:
        parts = (node.test, node.body, node.orelse)
        return Call("if", tuple(self.read(part, depth) for part in parts), self._at(node))

    def comparison(self, node: ast.Compare, depth: int) -> Node:
        sides = [node.left, *node.comparators]
        links = [
            self._link(op, left, right, depth) for op, left, right in zip(node.ops, sides, sides[1:], strict=False)
        ]
        return _joined("and", links, self._at(node))

    def _link(self, op: ast.cmpop, left: ast.expr, right: ast.expr, depth: int) -> Node:
        at, one = self._at(left), self.read(left, depth)
        if isinstance(op, ast.In | ast.NotIn):
            found = Call("in", (one, *self._choices(right, depth)), at)
            return found if isinstance(op, ast.In) else Call("not", (found,), at)
        other = self.read(right, depth)
        nothing = isinstance(other, Constant) and other.value is None
        if isinstance(op, ast.Is | ast.IsNot):
            if not nothing:
                raise ExpressionError("'is' can only be followed by None", self._at(right), "write '=='")
            found = Call("is_null", (one,), at)
            return found if isinstance(op, ast.Is) else Call("not", (found,), at)
        if nothing:
            raise ExpressionError("nothing is equal to None", self._at(right), "write 'is None' or 'is not None'")
        return Call(self._operator(op, left), (one, other), at)

    def _choices(self, node: ast.expr, depth: int) -> list[Node]:
        choices = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else []
        read = [self.read(choice, depth) for choice in choices]
        if not read or not all(isinstance(choice, Constant) and choice.value is not None for choice in read):
            raise ExpressionError("'in' must be followed by constants in brackets", self._at(node), 'as in ("a", "b")')
        return read

    def call(self, node: ast.Call, depth: int) -> Node:
        if not isinstance(node.func, ast.Name):
            raise self._foreign(node.func, node.func)
        if node.keywords:
            raise self._foreign(node.keywords[0], node)
        arguments = tuple(self.read(argument, depth) for argument in node.args)
        if node.func.id != "col":
            return Call(node.func.id, arguments, self._at(node))
        if len(arguments) != 1 or not isinstance(arguments[0], Constant) or not isinstance(arguments[0].value, str):
            raise ExpressionError("col() takes the name of one column, in quotes", self._at(node))
        return Column(arguments[0].value, self._at(node))

    def _operator(self, op: ast.AST, node: ast.AST) -> str:
        if type(op) not in _OPERATORS:
            raise self._foreign(op, node)
        return _OPERATORS[type(op)]

    def _foreign(self, form: ast.AST, node: ast.AST) -> ExpressionError:
        what = f"{type(form).__name__} is not part of the language of expressions"
        return ExpressionError(what, self._at(node), _FOREIGN.get(type(form), ""))

    def _at(self, node: ast.AST) -> int:
        return self.start + len(self._bytes[: getattr(node, "col_offset", 0)].decode())

    def _written(self, node: ast.expr) -> str:
        return self._bytes[node.col_offset : node.end_col_offset].decode()

    @property
    def _bytes(self) -> bytes:
        # Positions in ast count bytes of UTF-8.
        return self.text[self.start :].encode()


_READERS: Mapping[type[ast.AST], Callable[[_Reader, Any, int], Node]] = {
    ast.Constant: _Reader.constant,
    ast.Name: _Reader.name,
    ast.UnaryOp: _Reader.unary,
    ast.BinOp: _Reader.binary,
    ast.BoolOp: _Reader.logic,
    ast.IfExp: _Reader.condition,
    ast.Compare: _Reader.comparison,
    ast.Call: _Reader.call,
}


def _joined(name: str, nodes: list[Node], at: int) -> Node:
    joined = nodes[0]
    for node in nodes[1:]:
        joined = Call(name, (joined, node), at)
    return joined
