"""A file or function over its budget hides a second noun or verb."""

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

Function = ast.FunctionDef | ast.AsyncFunctionDef


def test_files_have_at_most_400_lines(root: Path, sources: dict[Path, ast.Module]) -> None:
    lengths = {str(path): len((root / path).read_text("utf-8").splitlines()) for path in sources}
    assert {path: lines for path, lines in lengths.items() if lines > 400} == {}


def test_function_bodies_have_at_most_50_lines(sources: dict[Path, ast.Module]) -> None:
    lengths = {place: _body_lines(function) for place, function in _functions(sources)}
    assert {place: lines for place, lines in lengths.items() if lines > 50} == {}


def test_function_bodies_are_short_on_the_whole(sources: dict[Path, ast.Module]) -> None:
    lengths = [_body_lines(function) for _, function in _functions(sources)]
    assert median(lengths) <= 8
    assert quantiles(lengths, n=10)[-1] < 25


def test_functions_take_at_most_6_parameters(sources: dict[Path, ast.Module]) -> None:
    # A command's parameters are its options; they do not pass through anybody's hands.
    counts = {place: _parameters(f) for place, f in _functions(sources) if "/cli/" not in place}
    assert {place: count for place, count in counts.items() if count > 6} == {}


def _functions(sources: dict[Path, ast.Module]) -> Iterator[tuple[str, Function]]:
    for path, tree in sources.items():
        for node in ast.walk(tree):
            if isinstance(node, Function):
                yield f"{path}:{node.lineno} {node.name}", node


def _body_lines(function: Function) -> int:
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


def _parameters(function: Function) -> int:
    every = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return sum(argument.arg not in {"self", "cls"} for argument in every)
