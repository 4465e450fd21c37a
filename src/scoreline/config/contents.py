"""Looking into a config before it is known to be right: what is absent or of another shape is simply not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scoreline.config.positions import JsonPath


def child(value: Any, *path: str) -> Any:
    """The value below an object; None where the path ends early.

    >>> child({"train": {"seed": 1}}, "train", "seed"), child({"train": []}, "train", "seed")
    (1, None)
    """
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def items(config: Any, *path: str) -> Iterator[tuple[JsonPath, dict[str, Any]]]:
    """The objects of a list, each with its path."""
    found = child(config, *path)
    for number, item in enumerate(found if isinstance(found, list) else ()):
        if isinstance(item, dict):
            yield (*path, number), item


def keyed(config: Any, *path: str) -> Iterator[tuple[JsonPath, str]]:
    """The kinds in a list of bare names and objects, each with its path."""
    found = child(config, *path)
    for number, item in enumerate(found if isinstance(found, list) else ()):
        yield (*path, number), item if isinstance(item, str) else kind_of(item)


def kind_of(value: Any) -> str:
    """The kind that an object names; empty without one."""
    kind = child(value, "kind")
    return kind if isinstance(kind, str) else ""
