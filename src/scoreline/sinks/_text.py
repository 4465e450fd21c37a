"""Columns of text on their way into a file: as codes of distinct values where values repeat, else one after another.

Both forms depend on the values alone, never on how they were cut into chunks or which of them came as dictionaries.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

PROBE_ROWS, REPEATS = 8_192, 0.9
"""Text repeats when so many of its first values are at most this share of them distinct: with more, codes are slower to
write and to read than the values, and larger."""

_FIRST_ROWS = 4_096


def repeats(chunks: Sequence[pa.Array]) -> bool:
    """Whether values of a column repeat, judged by the first of them; eager.

    >>> repeats([pa.array(["a", "b"])]), repeats([pa.array(["a"]), pa.array(["b", "a", "b"])])
    (False, True)
    """
    first = _first(chunks, PROBE_ROWS)
    return bool(first) and len(by_value(first).dictionary) <= REPEATS * sum(map(len, first))


def _first(chunks: Sequence[pa.Array], rows: int) -> list[pa.Array]:
    starts = accumulate(map(len, chunks), initial=0)
    return [chunk[: rows - start] for chunk, start in zip(chunks, starts, strict=False) if start < rows and len(chunk)]


def by_value(chunks: Sequence[pa.Array]) -> pa.DictionaryArray:
    """Text as int32 codes of the distinct values that occur, in order of first appearance; eager.

    Null has no code. Values of a dictionary are hashed once, however many rows have them.

    >>> by_value([pa.array(["b", None]), pa.array(["c", "b", "a"]).dictionary_encode()[1:]]).dictionary.to_pylist()
    ['b', 'a']
    """
    if not any(pa.types.is_dictionary(chunk.type) for chunk in chunks):
        return pa.concat_arrays([_text(chunk) for chunk in chunks]).dictionary_encode()
    distinct, codes = _codes([_encoded(chunk) for chunk in chunks])
    order = _by_first_appearance(codes, len(distinct))
    if np.array_equal(order, np.arange(len(distinct))):
        return pa.DictionaryArray.from_arrays(codes, distinct, safe=False)
    ranks = np.zeros(len(distinct), dtype=np.int32)
    ranks[order] = np.arange(len(order), dtype=np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(ranks).take(codes), distinct.take(pa.array(order)), safe=False)


def one_by_one(chunks: Sequence[pa.Array]) -> pa.StringArray:
    """Text in one chunk, without a dictionary; eager."""
    return pa.concat_arrays([_text(chunk) for chunk in chunks])


def _text(values: pa.Array) -> pa.StringArray:
    """Values of any type of text, plain."""
    if pa.types.is_dictionary(values.type):
        return _text(values.dictionary).take(values.indices)
    return values.cast(pa.string())


def _encoded(chunk: pa.Array) -> pa.DictionaryArray:
    return chunk if pa.types.is_dictionary(chunk.type) else _text(chunk).dictionary_encode()


def _codes(chunks: Sequence[pa.DictionaryArray]) -> tuple[pa.Array, pa.Int32Array]:
    """The distinct values of all dictionaries, and the place among them of each row's value; null for null."""
    dictionaries: list[pa.Array] = []
    numbers = []
    for chunk in chunks:
        # Slices of one batch come with the same dictionary again and again.
        if not dictionaries or not chunk.dictionary.equals(dictionaries[-1]):
            dictionaries.append(chunk.dictionary)
        numbers.append(len(dictionaries) - 1)
    # A cleaned dictionary may list a value twice, and one from elsewhere null.
    every = pa.concat_arrays([_text(dictionary) for dictionary in dictionaries]).dictionary_encode()
    starts = accumulate(map(len, dictionaries), initial=0)
    places = [every.indices.slice(start, len(each)) for start, each in zip(starts, dictionaries, strict=False)]
    plain = [_counts_up(each) for each in places]
    codes = [
        chunk.indices.cast(pa.int32()) if plain[number] else places[number].take(chunk.indices)
        for chunk, number in zip(chunks, numbers, strict=True)
    ]
    return every.dictionary, pa.concat_arrays(codes)


def _counts_up(places: pa.Int32Array) -> bool:
    return not places.null_count and np.array_equal(places.to_numpy(), np.arange(len(places)))


def _by_first_appearance(codes: pa.Int32Array, count: int) -> np.ndarray:
    """The codes that occur, all of them below `count`, in order of first appearance.

    >>> _by_first_appearance(pa.array([5, 2, None, 5, 0]), 9).tolist()
    [5, 2, 0]
    """
    # Mostly all of them are among the first rows.
    first = codes[: max(_FIRST_ROWS, 4 * count)].unique().drop_null()
    return np.asarray(first if len(first) == count else codes.unique().drop_null())
