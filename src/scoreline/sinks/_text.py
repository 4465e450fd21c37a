"""Columns of text on their way into a file: as codes of distinct values where values repeat, else one after another.

Both forms depend on the values alone, never on how they were cut into chunks or which of them came as dictionaries.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

PROBE_ROWS, REPEATS = 8_192, 0.9
"""Text repeats when so many of its first values are at most this share of them distinct: with more, codes are slower to
write and to read than the values, and larger."""


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
    order, ranks = _by_first_appearance(codes, len(distinct))
    missing = ranks < 0
    indices = pa.array(ranks, mask=missing if missing.any() else None)
    return pa.DictionaryArray.from_arrays(indices, distinct.take(pa.array(order)), safe=False)


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


def _codes(chunks: Sequence[pa.DictionaryArray]) -> tuple[pa.Array, np.ndarray]:
    """The distinct values of all dictionaries, and the place among them of each row's value: the last for null."""
    dictionaries: list[pa.Array] = []
    numbers = []
    for chunk in chunks:
        # Slices of one batch come with the same dictionary again and again.
        if not dictionaries or not chunk.dictionary.equals(dictionaries[-1]):
            dictionaries.append(chunk.dictionary)
        numbers.append(len(dictionaries) - 1)
    # A cleaned dictionary may list a value twice, and one from elsewhere null.
    every = pa.concat_arrays([_text(dictionary) for dictionary in dictionaries]).dictionary_encode()
    places = _filled(every.indices, len(every.dictionary))
    starts = accumulate(map(len, dictionaries), initial=0)
    tables = [
        np.append(places[start : start + len(dictionary)], len(every.dictionary))
        for start, dictionary in zip(starts, dictionaries, strict=False)
    ]
    codes = [
        tables[number].take(_filled(chunk.indices, len(chunk.dictionary)))
        for chunk, number in zip(chunks, numbers, strict=True)
    ]
    return every.dictionary, np.concatenate(codes)


def _filled(indices: pa.Array, null: int) -> np.ndarray:
    """Indices as int64, which NumPy looks up fastest, with a number for null."""
    return np.asarray(pc.fill_null(indices.cast(pa.int64()), null).to_numpy())


def _by_first_appearance(codes: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The codes below `count` that occur, in order of first appearance, and the place of each row's code there, or -1.

    >>> order, ranks = _by_first_appearance(np.array([5, 2, 9, 5, 0]), 9)
    >>> order.tolist(), ranks.tolist()
    ([5, 2, 0], [0, 1, -1, 0, 2])
    """
    first = np.full(count + 1, len(codes))
    # Of several rows with one code the last to be written is the first of them.
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    occurring = np.flatnonzero(first[:count] < len(codes))
    order = occurring[np.argsort(first[occurring])]
    ranks = np.full(count + 1, -1, dtype=np.int32)
    ranks[order] = np.arange(len(order), dtype=np.int32)
    return order, ranks.take(codes)
