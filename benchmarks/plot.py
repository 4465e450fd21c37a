"""Lines over logarithmic axes as SVG text, without a plotting library."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Points = list[tuple[float, float]]
COLOURS = ("#d62728", "#1f77b4", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#17becf", "#7f7f7f")
WIDTH, HEIGHT, LEFT, TOP, LEGEND = 400, 240, 60, 30, 20
"""Of the area of one panel, and the space around it, in pixels."""


@dataclass(frozen=True)
class Line:
    """A title and its points (x, y), both above 0, by x."""

    title: str
    points: Points


@dataclass(frozen=True)
class Panel:
    """A title and its lines."""

    title: str
    lines: Sequence[Line]


def drawn(panels: Sequence[Panel]) -> str:
    """The panels side by side, over one legend. Raises ValueError when there is no point at all."""
    wide = len(panels) * (WIDTH + LEFT + LEGEND)
    titles = [line.title for line in panels[0].lines if line.points]
    tall = TOP + HEIGHT + LEFT + LEGEND * math.ceil(len(titles) / 4)
    colours = {line.title: COLOURS[i % len(COLOURS)] for i, line in enumerate(panels[0].lines)}
    parts = [_panel(panel, LEFT + i * (WIDTH + LEFT + LEGEND), colours) for i, panel in enumerate(panels)]
    parts += [_entry(title, i, colours[title]) for i, title in enumerate(titles)]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {tall}" font-family="sans-serif" font-size="12">'
    )
    return "\n".join([head, f'<rect width="{wide}" height="{tall}" fill="white"/>', *parts, "</svg>"]) + "\n"


def _panel(panel: Panel, left: float, colours: dict[str, str]) -> str:
    points = [point for line in panel.lines for point in line.points]
    xs, ys = (_decades([point[axis] for point in points]) for axis in (0, 1))

    def place(x: float, y: float) -> tuple[float, float]:
        return left + WIDTH * _share(x, xs), TOP + HEIGHT * (1 - _share(y, ys))

    grid = [_rule(place(10**n, 10 ** ys[0]), place(10**n, 10 ** ys[1]), 10**n) for n in range(xs[0], xs[1] + 1)]
    grid += [_rule(place(10 ** xs[0], 10**n), place(10 ** xs[1], 10**n), 10**n) for n in range(ys[0], ys[1] + 1)]
    lines = [_line([place(*point) for point in line.points], colours[line.title]) for line in panel.lines]
    heads = [_text(left, TOP - 12, panel.title, "start"), _text(left + WIDTH / 2, TOP + HEIGHT + 34, "rows", "middle")]
    return "\n".join([*heads, *grid, *lines])


def _decades(values: Sequence[float]) -> tuple[int, int]:
    """Powers of ten around values."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _share(value: float, decades: tuple[int, int]) -> float:
    return (math.log10(value) - decades[0]) / (decades[1] - decades[0])


def _rule(start: tuple[float, float], end: tuple[float, float], value: float) -> str:
    """A line of the grid with its number at its start."""
    upright = start[0] == end[0]
    where = (start[0], start[1] + 16, "middle") if upright else (start[0] - 6, start[1] + 4, "end")
    x, y, anchor = where
    line = f'<path d="M{start[0]:.1f} {start[1]:.1f}L{end[0]:.1f} {end[1]:.1f}" stroke="#ddd"/>'
    return line + _text(x, y, _short(value), anchor)


def _short(value: float) -> str:
    """1,000 as 1k."""
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:,.0f}{unit}"
    return f"{value:,.0f}"


def _line(places: Points, colour: str) -> str:
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places)
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    return f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>{dots}' if places else ""


def _entry(title: str, number: int, colour: str) -> str:
    """A line of the legend."""
    x, y = LEFT + (number % 4) * 200, TOP + HEIGHT + LEFT + LEGEND * (number // 4)
    return f'<circle cx="{x}" cy="{y - 4}" r="5" fill="{colour}"/>' + _text(x + 12, y, title, "start")


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
