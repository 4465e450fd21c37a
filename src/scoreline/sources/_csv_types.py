"""Types of the columns of CSV files: declared ones are checked against a sample, the others found in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from scoreline.contract import type_name
from scoreline.errors import DataError, Problem
from scoreline.sources._columns import quoted, some_files
from scoreline.sources._profile import NEARLY_ALL, TYPES, Profile, profile_of, total
from scoreline.sources._values import Spelling, can_spell, read_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

# Spellings of numbers to try where the given one finds text, the commonest first.
SPELLINGS = (
    Spelling(".", None),
    Spelling(".", ","),
    Spelling(",", None),
    Spelling(",", "."),
    Spelling(",", " "),
    Spelling(",", "\xa0"),
    Spelling(",", "\u202f"),
    Spelling(".", "'"),
    Spelling(".", " "),
)

_FEWEST_VALUES = 3

Samples = list[tuple[str, pa.Table]]


def settle_types(
    samples: Samples, given: Mapping[str, pa.DataType], names: Sequence[str], spelling: Spelling
) -> tuple[pa.Schema, tuple[str, ...]]:
    """The type of each of `names`, and sentences for the log; `samples` are tables of text, `given` are declared types.

    Raises DataError for types that text cannot spell, and for files in which a column is of another type, by name.
    """
    problems = [
        Problem(f"a column of CSV cannot be of type {type_name(wanted)}", f"column '{name}'", "declare another type")
        for name, wanted in given.items()
        if not can_spell(wanted)
    ]
    if problems:
        raise DataError(*problems)
    schema: list[pa.Field] = []
    notes: list[str] = []
    for name in names:
        if name in given:
            problems.extend(_unlike(samples, name, given[name], spelling))
            schema.append(pa.field(name, given[name]))
        else:
            profiles = column_profiles(samples, name, spelling)
            problems.extend(_odd_files(profiles, name))
            schema.append(pa.field(name, total(profiles.values()).type))
            if pa.types.is_string(schema[-1].type):
                notes.extend(_nearly(samples, name, total(profiles.values()), spelling))
    if problems:
        raise DataError(*problems)
    return pa.schema(schema), (*_found(schema, given), *notes)


def column_profiles(samples: Samples, name: str, spelling: Spelling) -> dict[str, Profile]:
    """The profile of a column in each file, by path."""
    profiles: dict[str, Profile] = {}
    for path, table in samples:
        profiles[path] = profiles.get(path, Profile()) + profile_of(table[name].chunk(0), spelling)
    return profiles


def better_spelling(columns: Iterable[pa.Array], spelling: Spelling) -> Spelling | None:
    """The spelling under which nearly all values of a column of text are numbers, and most; None when there is none."""
    parts = list(columns)
    best = max(SPELLINGS, key=lambda other: numbers_among(parts, other))
    same = (best.decimal, best.thousands) == (spelling.decimal, spelling.thousands)
    return best if numbers_among(parts, best) and not same else None


def numbers_among(parts: Iterable[pa.Array], spelling: Spelling) -> int:
    """How many values of a column are numbers under a spelling, if nearly all are; else none."""
    found = Profile()
    for part in parts:
        found += profile_of(part, spelling)
        if found.fitting(pa.float64()) < NEARLY_ALL * found.values:
            return 0
    return found.fitting(pa.float64())


def _unlike(samples: Samples, name: str, wanted: pa.DataType, spelling: Spelling) -> Iterator[Problem]:
    """A problem when files hold mostly something else in a column than its declared type."""
    bad = {path: counts for path, counts in _bad_values(samples, name, wanted, spelling).items() if _is_most(*counts)}
    if not bad:
        return
    files = len({path for path, _ in samples})
    what = f"column '{name}' is declared {type_name(wanted)}, but in {len(bad)} of {files} files most values are not"
    other = better_spelling((table[name].chunk(0) for path, table in samples if path in bad), spelling)
    advice = f"declare the type that column '{name}' has, or mend these files"
    yield Problem(what, some_files(list(bad)), _to_spell(other) if other and not _is_text(wanted) else advice)


def _is_text(wanted: pa.DataType) -> bool:
    return bool(pa.types.is_string(wanted) or pa.types.is_temporal(wanted) or pa.types.is_boolean(wanted))


def _is_most(bad: int, values: int) -> bool:
    return values >= _FEWEST_VALUES and 2 * bad > values


def _bad_values(samples: Samples, name: str, wanted: pa.DataType, spelling: Spelling) -> dict[str, tuple[int, int]]:
    counts: dict[str, tuple[int, int]] = {}
    for path, table in samples:
        typed = read_values(table[name].chunk(0), wanted, spelling)
        bad = 0 if typed.bad is None else int(typed.bad.sum())
        before = counts.get(path, (0, 0))
        counts[path] = before[0] + bad, before[1] + bad + len(typed.values) - typed.values.null_count
    return counts


def _odd_files(profiles: Mapping[str, Profile], name: str) -> Iterator[Problem]:
    """A problem when all values of a column are of one type in most files, and none of them in the others."""
    telling = {path: profile for path, profile in profiles.items() if profile.values}
    if not pa.types.is_string(total(telling.values()).type):
        return
    for wanted in TYPES[:-1]:
        odd = [path for path, profile in telling.items() if not profile.fitting(wanted)]
        rest = total(profile for path, profile in telling.items() if path not in odd)
        sure = sum(telling[path].values for path in odd) >= _FEWEST_VALUES
        if odd and sure and len(odd) < len(telling) - len(odd) and rest.likely_type == wanted:
            most = f"{len(telling) - len(odd)} of {len(telling)} files"
            what = f"column '{name}' is {type_name(wanted)} in {most}, but not a single value is in the others"
            advice = "mend these files, or declare the column as string in the contract"
            yield Problem(what, some_files(odd), advice)
            return


def _nearly(samples: Samples, name: str, profile: Profile, spelling: Spelling) -> Iterator[str]:
    """What to do about a column of text that is nearly something else."""
    likely = profile.likely_type
    if not pa.types.is_string(likely):
        count = f"{profile.fitting(likely)} of {profile.values} values looked at"
        yield f"column '{name}' is read as text; {count} are {type_name(likely)}: declare it so to refuse the others"
        return
    other = better_spelling((table[name].chunk(0) for _, table in samples), spelling)
    if other is not None:
        yield f"column '{name}' is read as text, but looks like numbers: {_to_spell(other)}"


def _to_spell(other: Spelling) -> str:
    thousands = "null" if other.thousands is None else f'"{other.thousands}"'
    return f'set "source.decimal" to "{other.decimal}" and "source.thousands" to {thousands}'


def _found(schema: Sequence[pa.Field], given: Mapping[str, pa.DataType]) -> Iterator[str]:
    by_type: dict[str, list[str]] = {}
    for field in schema:
        if field.name not in given:
            by_type.setdefault(type_name(field.type), []).append(field.name)
    if by_type:
        yield "types found: " + "; ".join(f"{kind} {quoted(names)}" for kind, names in by_type.items())
