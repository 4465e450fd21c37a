"""Which keys may stand at a place in the config: the model class that a JSON path leads to."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from scoreline.catalogue import kind_class
from scoreline.config.kinds import KindOf
from scoreline.config.models import JobConfig

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

    from pydantic.fields import FieldInfo

    from scoreline.config.positions import JsonPath


def section_at(path: JsonPath, value: Any, modules: Sequence[ModuleType] = ()) -> type[BaseModel] | None:
    """The class of the object at a path of the config `value`; None where no object of ours stands.

    >>> section_at(("train", "split"), {"train": {"split": {"kind": "time"}}}).__name__
    'TimeSplit'
    """
    types_here: list[Any] = [JobConfig]
    for part in path:
        types_here = [inner for found in types_here for inner in _inside(found, part, value, modules)]
        value = _item(value, part)
    models = (model for found in types_here if (model := _model(found, value, modules)))
    return next(models, None)


def field_at(path: JsonPath, value: Any, modules: Sequence[ModuleType] = ()) -> FieldInfo | None:
    """The field that a path names, seen from the nearest object above; None where there is none."""
    while path and isinstance(path[-1], int):
        path = path[:-1]
    section = section_at(path[:-1], value, modules) if path else None
    return None if section is None else fields_by_key(section).get(str(path[-1]))


def fields_by_key(section: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model by the keys that a config uses."""
    return {field.alias or name: field for name, field in section.model_fields.items()}


def _item(value: Any, part: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None


def _inside(found: Any, part: str | int, value: Any, modules: Sequence[ModuleType]) -> Iterator[Any]:
    """The types that may stand one step further down."""
    model = _model(found, value, modules)
    if model is not None:
        field = fields_by_key(model).get(str(part))
        if field is not None:
            yield from _alternatives(field.annotation, tuple(field.metadata))
    elif get_origin(found) is dict:
        yield from _alternatives(get_args(found)[1])
    elif get_origin(found) in (tuple, list):
        yield from _alternatives(get_args(found)[0])


def _alternatives(annotation: Any, metadata: tuple[Any, ...] = ()) -> Iterator[Any]:
    """The single types of a union, ``KindOf`` standing for the kinds of its folder."""
    kind = next((mark for mark in metadata if isinstance(mark, KindOf)), None)
    if kind is not None:
        yield kind
    elif get_origin(annotation) is Annotated:
        yield from _alternatives(annotation.__origin__, annotation.__metadata__)
    elif get_origin(annotation) in (Union, types.UnionType):
        for each in get_args(annotation):
            yield from _alternatives(each)
    else:
        yield annotation


def _model(found: Any, value: Any, modules: Sequence[ModuleType]) -> type[BaseModel] | None:
    kind = value.get("kind") if isinstance(value, dict) else None
    if isinstance(found, KindOf):
        return kind_class(found.folder, kind, modules) if isinstance(kind, str) else None
    if not (isinstance(found, type) and issubclass(found, BaseModel)):
        return None
    own = found.model_fields.get("kind")
    return found if own is None or kind is None or own.default == kind else None
