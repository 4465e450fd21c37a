"""Surveys that took long, kept: the same command again, or one more file, need not read every footer or byte again.

What is kept is what a survey would find, under the hash of all that it depends on: the listing with sizes and stamps,
the options of the source, what the config declares, what a bundle knows. Locations are put in afresh.
"""

from __future__ import annotations

import base64
import json
import time
from contextlib import suppress
from dataclasses import asdict, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from scoreline import contract as contracts
from scoreline.errors import StorageError
from scoreline.keys import digest, snapshot
from scoreline.sources.base import Survey
from scoreline.storage import exists, join, read_json
from scoreline.storage import replace as put
from scoreline.units import Piece, Unit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scoreline.contract import Contract, ContractConfig
    from scoreline.sources.base import Source
    from scoreline.storage import FileInfo

_FORMAT = 2
"""Of what is kept; a survey of another one is taken again."""

LONG_SECONDS = 1.0
"""A survey that took less is made again as quickly as it is read."""


def surveyed(source: Source, declared: ContractConfig, known: Contract | None, folder: str) -> Survey:
    """The survey of a source: the one that is kept in `folder` if nothing changed since, or a new one. Eager.

    A new one that took long is kept, one for each source. Raises as `Source.survey`.
    """
    place = join(folder, f"{digest([source.kind, source.uri])[:16]}.json")
    files = source.files()
    key = _key(files, source, declared, known)
    found = _found(place, key)
    if found is not None:
        return _restored(found, files, source)
    started = time.monotonic()
    survey = source.survey(declared, known)
    if time.monotonic() - started > LONG_SECONDS and survey.files == files:
        # Who may not write there does without.
        with suppress(StorageError):
            put(place, json.dumps({"key": key, **_kept(survey)}).encode())
    return survey


def _key(files: tuple[FileInfo, ...], source: Source, declared: ContractConfig, known: Contract | None) -> str:
    asked = {"declared": declared.model_dump(mode="json"), "known": None if known is None else known.as_json()}
    made_by = {name: version(name) for name in ("scoreline", "pyarrow")}
    about = {"files": snapshot(files), "reading": source.reading, **asked}
    return digest({**about, "versions": made_by, "format": _FORMAT})


def _found(place: str, key: str) -> dict[str, Any] | None:
    """What is kept there, if it is whole and of this key."""
    if not exists(place):
        return None
    try:
        stored = read_json(place)
    except StorageError:
        return None
    return stored if isinstance(stored, dict) and stored.get("key") == key else None


def _kept(survey: Survey) -> dict[str, Any]:
    return {
        "units": [[_piece_as_json(piece) for piece in unit.pieces] for unit in survey.units],
        "contract": survey.contract.as_json(),
        "reading": survey.source.reading,
        "notes": survey.notes,
        "stored": base64.b64encode(pa.schema(list(survey.stored.items())).serialize().to_pybytes()).decode(),
    }


def _piece_as_json(piece: Piece) -> dict[str, Any]:
    """All of a piece but where it is."""
    return {name: value for name, value in asdict(piece).items() if name != "uri"}


def _restored(stored: Mapping[str, Any], files: tuple[FileInfo, ...], source: Source) -> Survey:
    uris = {file.path: file.uri for file in files}
    types = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(stored["stored"])))
    pieces = ([_piece(each, uris) for each in unit] for unit in stored["units"])
    return Survey(
        files=files,
        units=tuple(Unit(number, tuple(unit)) for number, unit in enumerate(pieces)),
        contract=contracts.from_json(stored["contract"]),
        source=type(source).model_validate({**stored["reading"], "uri": source.uri}),
        notes=tuple(stored["notes"]),
        stored={field.name: field.type for field in types},
    )


def _piece(stored: dict[str, Any], uris: Mapping[str, str]) -> Piece:
    made = Piece(uri=uris[stored["path"]], **stored)
    return replace(
        made,
        row_groups=None if made.row_groups is None else tuple(made.row_groups),
        byte_range=None if made.byte_range is None else (made.byte_range[0], made.byte_range[1]),
        partition=tuple((name, value) for name, value in made.partition),
    )
