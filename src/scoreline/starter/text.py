"""Configs as text."""

from __future__ import annotations

import json
from typing import Any

_WIDTH = 120


def config_text(config: dict[str, Any]) -> str:
    """A config as JSON that people like to read: what fits on a line stands on one.

    >>> print(config_text({"version": 1, "clean": [{"kind": "strip_names"}]}), end="")
    {
      "version": 1,
      "clean": [{"kind": "strip_names"}]
    }
    """
    lines = [f"  {json.dumps(key)}: {_laid_out(value, 2, len(key) + 6)}" for key, value in config.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _laid_out(value: Any, indent: int, used: int) -> str:
    """A value that begins after `used` characters of its line; longer ones are broken and indented further."""
    inline = json.dumps(value, ensure_ascii=False)
    if indent + used + len(inline) <= _WIDTH or not isinstance(value, (dict, list)):
        return inline
    inner = indent + 2
    if isinstance(value, dict):
        parts = [
            f"{json.dumps(key, ensure_ascii=False)}: {_laid_out(v, inner, len(key) + 4)}" for key, v in value.items()
        ]
    else:
        parts = [_laid_out(each, inner, 0) for each in value]
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    space = " " * inner
    return f"{opening}\n{space}" + f",\n{space}".join(parts) + f"\n{' ' * indent}{closing}"
