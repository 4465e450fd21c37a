"""Kinds: what a config calls ``kind: parse_dates`` is the class ``ParseDates`` in ``cleaners/parse_dates.py``.

A file in one of the folders of kinds is a kind; nothing is registered by hand. Own kinds come from modules that the
user names with ``--module``: every public subclass of a folder's base class with a literal ``kind`` becomes a kind of
that folder.
"""

from __future__ import annotations

import inspect
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import BaseModel, Field

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

_BASES = {
    "sources": "Source",
    "cleaners": "Step",
    "transformers": "Transformer",
    "models": "Model",
    "metrics": "Metric",
    "sinks": "Sink",
    "clusters": "Cluster",
}


FOLDERS = tuple(_BASES)
"""The folders of kinds."""


@cache
def kinds(folder: str) -> tuple[str, ...]:
    """Names of the kinds that ship in a folder, sorted.

    >>> "trim_strings" in kinds("cleaners")
    True
    """
    package = import_module(f"scoreline.{folder}")
    names = (module.name for module in iter_modules(package.__path__))
    return tuple(sorted(name for name in names if name != "base" and not name.startswith("_")))


def load_kind(folder: str, kind: str) -> type[BaseModel]:
    """The class of a kind that ships. Raises KeyError for an unknown one."""
    if kind not in kinds(folder):
        raise KeyError(kind)
    found: type[BaseModel] = getattr(import_module(f"scoreline.{folder}.{kind}"), class_name(kind))
    return found


def class_name(kind: str) -> str:
    """The class that a kind's file must define.

    >>> class_name("one_hot")
    'OneHot'
    """
    return "".join(word.capitalize() for word in kind.split("_"))


def own_kinds(folder: str, modules: Sequence[ModuleType]) -> dict[str, type[BaseModel]]:
    """Kinds that the user's modules define for a folder, by name."""
    base = base_class(folder)
    found = {}
    for module in modules:
        for _, member in inspect.getmembers(module, inspect.isclass):
            if issubclass(member, base) and member.__module__ == module.__name__ and "kind" in member.model_fields:
                default = member.model_fields["kind"].default
                if isinstance(default, str):
                    found[default] = member
    return found


def base_class(folder: str) -> type[BaseModel]:
    """What every kind of a folder derives from."""
    found: type[BaseModel] = getattr(import_module(f"scoreline.{folder}.base"), _BASES[folder])
    return found


def kind_class(folder: str, kind: str, modules: Sequence[ModuleType] = ()) -> type[BaseModel] | None:
    """The class of one kind, shipped or the user's own; None for an unknown one. Imports no other kind that ships."""
    return load_kind(folder, kind) if kind in kinds(folder) else own_kinds(folder, modules).get(kind)


def kind_names(folder: str, modules: Sequence[ModuleType] = ()) -> tuple[str, ...]:
    """Names of all kinds of a folder, shipped and the user's own, sorted."""
    return tuple(sorted({*kinds(folder), *own_kinds(folder, modules)}))


def union_of(folder: str) -> Any:
    """A pydantic type that accepts any kind that ships in a folder, told apart by ``kind``."""
    classes = tuple(load_kind(folder, kind) for kind in kinds(folder))
    return classes[0] if len(classes) == 1 else Annotated[Union[classes], Field(discriminator="kind")]  # noqa: UP007
