"""Fields of the config that hold a kind: ``{"kind": "trim_strings", ...}`` becomes the value of that kind's class."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from scoreline.catalogue import base_class, kind_class, kind_names, union_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
    from pydantic.json_schema import JsonSchemaValue


@dataclass(frozen=True)
class KindOf:
    """Mark a field as holding a kind of one folder. A ``bare`` kind without options is spelled as its name alone.

    Only the kinds that a config names are imported. The user's own modules come by the validation context
    ``{"modules": [...]}``.
    """

    folder: str
    bare: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """How pydantic reads and writes the field."""
        written = core_schema.plain_serializer_function_ser_schema(self._written)
        return core_schema.with_info_plain_validator_function(self._read, serialization=written)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """What editors are told of the field."""
        described = handler(TypeAdapter(union_of(self.folder)).core_schema)
        return {"anyOf": [{"enum": list(kind_names(self.folder))}, described]} if self.bare else described

    def _read(self, value: Any, info: ValidationInfo) -> BaseModel:
        if isinstance(value, base_class(self.folder)):
            return value
        if self.bare and isinstance(value, str):
            value = {"kind": value}
        modules = (info.context or {}).get("modules", ())
        found = self._class_of(value, modules)
        return found.model_validate_json(json.dumps(value), strict=True, context=info.context)

    def _class_of(self, value: Any, modules: Sequence[Any]) -> type[BaseModel]:
        if not isinstance(value, dict):
            raise _refused("kind_shape", "a name" if self.bare else 'an object with a "kind"', value)
        if "kind" not in value:
            raise _refused("kind_missing", _one_of(kind_names(self.folder, modules)), value)
        found = kind_class(self.folder, value["kind"], modules) if isinstance(value["kind"], str) else None
        if found is None:
            names = kind_names(self.folder, modules)
            raise _refused("kind_unknown", nearest(str(value["kind"]), names), value["kind"])
        return found

    def _written(self, value: BaseModel) -> Any:
        dumped = value.model_dump(mode="json", by_alias=True)
        return dumped["kind"] if self.bare and len(dumped) == 1 else dumped


def _refused(fault: str, detail: str, value: Any) -> ValidationError:
    """An error of pydantic's own form, with what to say about it in its context."""
    loc = ("kind",) if fault == "kind_unknown" else ()
    error = PydanticCustomError(fault, "{detail}", {"detail": detail})
    return ValidationError.from_exception_data("kind", [InitErrorDetails(type=error, loc=loc, input=value)])


def nearest(name: str, names: Sequence[str]) -> str:
    """Advice for a name that is none of `names`.

    >>> nearest("trimstrings", ["trim_strings", "rename"]), nearest("x", ["keep", "drop"])
    ('did you mean "trim_strings"?', 'use one of "keep", "drop"')
    """
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f'did you mean "{close[0]}"?'
    return _one_of(names) if names else "remove it"


def _one_of(names: Sequence[str]) -> str:
    return "use one of " + ", ".join(f'"{known}"' for known in names)
