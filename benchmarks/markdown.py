"""Tables in Markdown, and where they stand in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table with one line a row."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def put(file: Path, name: str, content: str) -> None:
    """Write content between the markers of that name. Raises ValueError where the file has none."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, found, rest = file.read_text().partition(begin)
    if not found or end not in rest:
        raise ValueError(f"{file} has no {begin} with {end} after it")
    file.write_text(f"{before}{begin}\n{content}\n{end}{rest.partition(end)[2]}")
