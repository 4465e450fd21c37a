"""Tables of `encoding.json`, `passing_on.json` and `never_slower.json`."""

from __future__ import annotations

from typing import Any

from benchmarks.markdown import table

Found = dict[str, Any]

ENCODING = (
    "what is made of a part",
    "ours, ms",
    "`transform`, ms",
    "the frame before it, ms",
    "times as fast as `transform` (least to most)",
    "as frame and `transform`",
)
SLOWER = (
    "workload",
    "tier",
    "ours, rows/s",
    "scikit-learn, rows/s",
    "times as fast",
    "frame ready made",
    "over the first rows of a process",
)
WRITING = (
    "beside the input columns",
    "columns copied, µs a row",
    "encoded, µs a row",
    "times as fast (least to most)",
    "MB of the file: copied, encoded",
)
LIMIT = 1 / 1.05
"""Below it ours takes over 5 % longer."""


def encoding(found: Found) -> str:
    """The transform stage alone."""
    rows = [
        (
            of["way"],
            *(f"{of['milliseconds'][name]:.2f}" for name in ("ours", "transform", "frame")),
            *(_spread(of[name]) for name in ("ratio", "ratio_with_frame")),
        )
        for of in found["results"]
    ]
    return f"{table(ENCODING, rows)}\n\n{_load(found)}"


def _spread(ratio: dict[str, float]) -> str:
    return f"{ratio['median']:.1f} ({ratio['least']:.1f} to {ratio['most']:.1f})"


def passing_on(found: Found) -> str:
    """Writing with input columns copied, against encoding them."""
    rows = [
        (
            of["written"],
            *(f"{of['microseconds_a_row'][way]:.2f}" for way in ("passed on", "encoded")),
            _spread(of["ratio"]),
            ", ".join(f"{of['megabytes'][way]:.1f}" for way in ("passed on", "encoded")),
        )
        for of in found["results"]
    ]
    return f"{table(WRITING, rows)}\n\n{_load(found)}"


def never_slower(found: Found) -> str:
    """Many kinds of pipelines; what takes over 5 % longer is in bold."""
    return f"{table(SLOWER, map(_workload, found['results']))}\n\n{_load(found)}"


def _workload(of: Found) -> tuple[str, ...]:
    steady = of["steady"]
    speeds = (f"{steady['rows_per_second'][who]:,}" for who in ("ours", "theirs"))
    ready = f"{steady['ratio_without_frame']:.2f}"
    return (of["workload"], of["tier"], *speeds, _marked(steady["ratio"]), ready, f"{of['first']['ratio']:.2f}")


def _marked(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio >= LIMIT else f"**{ratio:.2f}**"


def _load(found: Found) -> str:
    return f"Load of the machine while it was measured, over 1, 5 and 15 minutes: {', '.join(map(str, found['load']))}."
