"""Types of the columns of Parquet files, settled from all footers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from scoreline.contract import type_name
from scoreline.errors import DataError, Problem
from scoreline.sources._casts import Cast, cast_between, common_type, plain
from scoreline.sources._columns import some_files
from scoreline.sources._partitions import partition_type
from scoreline.sources._values import Spelling, can_spell, read_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from scoreline.sources._footers import Footer

# The paths of the files in which a column is of a type.
Places = dict[pa.DataType, list[str]]


def settle_types(
    footers: Sequence[Footer], given: Mapping[str, pa.DataType], names: Sequence[str]
) -> tuple[pa.Schema, tuple[str, ...]]:
    """The type of each of `names`, and sentences for the log on columns that are read as another type than the file's.

    Integers and booleans that have no nulls in any file allow none. `given` are declared types. Raises DataError naming
    the files whose types cannot be brought together.
    """
    fields: list[pa.Field] = []
    problems: list[Problem] = []
    notes: list[str] = []
    for name in names:
        wanted = plain(given[name]) if name in given else None
        places, values = _places(footers, name), _carried(footers, name)
        wanted = wanted or (common_type(places) if places else partition_type(values))
        if wanted is None:
            problems.append(_apart(name, places))
            continue
        problems.extend(_unlike(name, wanted, places, len(footers)))
        problems.extend(_unreadable(name, wanted, values))
        notes.extend(_casts(name, wanted, places))
        fields.append(pa.field(name, wanted, nullable=not (_is_exact(wanted, places) and _is_full(footers, name))))
    if problems:
        raise DataError(*problems)
    return pa.schema(fields), tuple(notes)


def stored_types(footers: Sequence[Footer], names: Iterable[str]) -> dict[str, pa.DataType]:
    """The type in which all files store a column, as `Footer.stored_type` tells it; without those that differ."""
    stored = {}
    for name in names:
        found = {footer.stored_type(name) for footer in footers if name in footer.schema.names}
        if len(found) == 1:
            stored[name] = found.pop()
    return stored


def _is_exact(wanted: pa.DataType, places: Places) -> bool:
    """Whether a column is of integers or booleans, and every value in the files is one."""
    whole = pa.types.is_integer(wanted) or pa.types.is_boolean(wanted)
    return whole and all(cast_between(found, wanted) is Cast.SAFE for found in places)


def _is_full(footers: Sequence[Footer], name: str) -> bool:
    """Whether every file that has rows has a value of the column in each of them."""
    return all(name in footer.full or dict(footer.partition).get(name) is not None for footer in footers if footer.rows)


def _places(footers: Sequence[Footer], name: str) -> Places:
    places: Places = {}
    for footer in footers:
        if name in footer.schema.names:
            places.setdefault(footer.type_of(name), []).append(footer.file.path)
    return places


def _carried(footers: Sequence[Footer], name: str) -> list[str | None]:
    return list(dict.fromkeys(value for footer in footers for key, value in footer.partition if key == name))


def _apart(name: str, places: Places) -> Problem:
    ordered = sorted(places.items(), key=lambda item: -len(item[1]))
    counts = ", ".join(f"{type_name(found)} in {len(paths)}" for found, paths in ordered)
    where = "; ".join(f"{type_name(found)}: {some_files(paths)}" for found, paths in ordered[1:])
    advice = f"write these files again with one type, or declare the type of '{name}' in the contract"
    return Problem(f"column '{name}' is of types that do not go together: {counts} files", where, advice)


def _unlike(name: str, wanted: pa.DataType, places: Places, files: int) -> Iterator[Problem]:
    for found, paths in places.items():
        if cast_between(found, wanted) is Cast.IMPOSSIBLE:
            what = f"column '{name}' is {type_name(found)} in {len(paths)} of {files} files, not {type_name(wanted)}"
            advice = f"write these files again, or declare '{name}' as {type_name(found)} and convert it in \"clean\""
            yield Problem(what, some_files(paths), advice)


def _unreadable(name: str, wanted: pa.DataType, values: Sequence[str | None]) -> Iterator[Problem]:
    """A problem for values that folders carry and that do not spell a value of the wanted type."""
    if not values:
        return
    bad = values if not can_spell(wanted) else _not_spelling(values, wanted)
    if bad:
        folders = some_files([f"{name}={value}" for value in bad])
        what = f"folder names of column '{name}' do not spell {type_name(wanted)}"
        yield Problem(what, folders, f"declare '{name}' as string in the contract, or rename the folders")


def _not_spelling(values: Sequence[str | None], wanted: pa.DataType) -> list[str | None]:
    typed = read_values(pa.array(values, pa.string()), wanted, Spelling(null_words=()))
    return [] if typed.bad is None else [value for value, bad in zip(values, typed.bad, strict=True) if bad]


def _casts(name: str, wanted: pa.DataType, places: Places) -> Iterator[str]:
    for found, paths in places.items():
        if found != wanted:
            lossy = cast_between(found, wanted) is Cast.CHECKED
            caution = "; values that it does not hold are refused" if lossy else ""
            yield f"column '{name}' is {type_name(found)} in {some_files(paths)}, read as {type_name(wanted)}{caution}"
