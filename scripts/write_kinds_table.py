#!/usr/bin/env python3
"""Write the table of kinds into the README: .venv/bin/python scripts/write_kinds_table.py."""

import re
from pathlib import Path

from scoreline.catalogue import kinds, load_kind

README = Path(__file__).parents[1] / "README.md"
FOLDERS = {
    "sources": "source, predict.source, evaluate.source",
    "cleaners": "clean",
    "transformers": "features",
    "models": "train.model",
    "metrics": "evaluate.metrics",
    "sinks": "predict.sink",
    "clusters": "cluster",
}
SECTION = re.compile(r"(<!-- kinds -->\n).*(<!-- end of kinds -->)", re.DOTALL)


def kinds_table() -> str:
    """Every kind in a line: its name, what its own documentation says first, and its keys."""
    lines = []
    for folder, place in FOLDERS.items():
        lines += ["", f"**{folder}** (`{place}`)", "", "| kind | what it does | keys |", "|---|---|---|"]
        for kind in kinds(folder):
            fields = load_kind(folder, kind).model_fields
            summary = (load_kind(folder, kind).__doc__ or "").splitlines()[0].replace("``", "`")
            keys = ", ".join(f"`{field.alias or name}`" for name, field in fields.items() if name not in ("kind", "on"))
            lines.append(f"| `{kind}` | {summary} | {keys} |")
    return "\n".join(lines) + "\n\n"


def with_table(readme: str) -> str:
    """The README with the table of today."""
    return SECTION.sub(lambda found: found[1] + kinds_table() + found[2], readme)


if __name__ == "__main__":
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
    print(README)
