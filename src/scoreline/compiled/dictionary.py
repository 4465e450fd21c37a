"""Columns as codes of their distinct values, each distinct value encoded once by the fitted encoder itself."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoreline.frame import family

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from scoreline.compiled.plan import Branch

    MakeFrame = Callable[[pa.Table, pa.Schema], pd.DataFrame]
    """The frame that scikit-learn is given, of a table and the schema of its columns."""
    Derive = Callable[[int, Any], np.ndarray]
    """What a model looks up for encoded rows of a column (its number in the branch, the rows): one entry a row."""

KNOWN, CELLS = 20_000, 4_000_000
"""Distinct values of a column, and cells of their rows, that are remembered; with more, all are forgotten."""


class Declined(Exception):  # noqa: N818  no fault: it tells that scikit-learn itself must answer
    """A part is left to scikit-learn; says why.

    Attributes
    ----------
    rows : where it is known, the rows because of which it is; without them the part may be answered
    """

    def __init__(self, reason: str, rows: np.ndarray | None = None) -> None:
        super().__init__(reason)
        self.rows = rows if rows is not None and len(rows) else None


class NotYet(Declined):
    """A part is left to scikit-learn by a model that may learn from its blocks to do without.

    Attributes
    ----------
    learn : takes the blocks, the number of rows, and what makes the matrix of blocks and so many rows
    """

    def __init__(self, reason: str, learn: Callable[[Any, int, Any], None]) -> None:
        super().__init__(reason)
        self.learn = learn


@dataclass(frozen=True, eq=False)
class Dictionary:
    """Distinct values of a column that were met so far.

    Attributes
    ----------
    values : distinct, null among them when it was met
    rows : what the encoder makes of each, dense or sparse
    derived : what the model looks up for each
    """

    values: pa.Array
    rows: Any
    derived: np.ndarray


@dataclass(frozen=True, eq=False)
class Coded:
    """A column of a part: a dictionary, and for each row its place in there."""

    dictionary: Dictionary
    codes: np.ndarray

    @property
    def block(self) -> Any:
        """The columns of the matrix, as the encoder would have made them of all rows."""
        return self.dictionary.rows[self.codes]


@dataclass(frozen=True, eq=False)
class CodedBranch:
    """The columns of a branch, and two rows as its transformer makes them, which show type and memory order."""

    columns: tuple[Coded, ...]
    specimen: Any


class Coder:
    """Encodes the columns of one branch. It remembers distinct values, so that most parts need no call at all.

    Safe for threads.
    """

    def __init__(self, branch: Branch, schema: pa.Schema, frame: MakeFrame, derive: Derive) -> None:
        self._branch = branch
        self._schema = pa.schema([schema.field(name) for name in branch.columns])
        self._frame = frame
        self._derive = derive
        self._known: tuple[Dictionary, ...] = ()
        self._specimen: Any = None
        self._met: dict[int, _Met] = {}
        self._lock = Lock()

    def codes(self, table: pa.Table) -> CodedBranch:
        """The columns of the branch in codes; eager.

        Raises Declined for columns of another type than the schema says, and for values that the encoder refuses, with
        their rows; else what the encoder raises.
        """
        given = [_one_dictionary(table[field.name]) for field in self._schema]
        with self._lock:
            known, specimen = self._known, self._specimen
        if known:
            coded = [self._looked_up(place, *pair) for place, pair in enumerate(zip(known, given, strict=True))]
            columns = tuple(column for column in coded if column is not None)
            if len(columns) == len(coded):
                return CodedBranch(columns, specimen)
        return self._learnt(given)

    def _looked_up(self, place: int, known: Dictionary, column: pa.DictionaryArray) -> Coded | None:
        """A column in codes; None where a value occurs that is not known yet."""
        met = self._met.get(place)
        if met is None or not met.holds(column.dictionary, known):
            values = _canonical(column.dictionary, self._schema.field(place))
            found = pc.index_in(_with_null(values), known.values)
            met = self._met[place] = _Met(column.dictionary, known, pc.fill_null(found, -1).to_numpy())
        codes = met.places.take(_filled(column))
        return None if (met.places < 0).any() and (codes < 0).any() else Coded(known, codes)

    def _learnt(self, given: Sequence[pa.DictionaryArray]) -> CodedBranch:
        columns = [_distinct(*pair) for pair in zip(given, self._schema, strict=True)]
        with self._lock:
            try:
                self._learn([values for values, _ in columns])
            except Exception as error:
                raise Declined(f"{type(error).__name__}: {error}", self._refused(columns)) from error
            known, specimen = self._known, self._specimen
        coded = (
            Coded(dictionary, pc.index_in(values, dictionary.values).to_numpy()[places])
            for dictionary, (values, places) in zip(known, columns, strict=True)
        )
        return CodedBranch(tuple(coded), specimen)

    def _learn(self, columns: Sequence[pa.Array]) -> None:
        known = self._known
        if any(_is_full(each, len(column)) for each, column in zip(known, columns, strict=False)):
            known = ()
        news = [self._new(known, place, column) for place, column in enumerate(columns)]
        if any(map(len, news)):
            self._known = self._grown(known, news)

    def _refused(self, columns: Sequence[tuple[pa.Array, np.ndarray]]) -> np.ndarray | None:
        """The rows with values that the encoder refuses; None before it has taken any, which others stand beside."""
        if not self._known:
            return None
        found = [np.isin(places, self._refused_values(place, values)) for place, (values, places) in enumerate(columns)]
        return np.flatnonzero(np.any(found, axis=0))

    def _refused_values(self, place: int, values: pa.Array) -> np.ndarray:
        """The places among the values of a column of those that are refused, found by halving."""
        new = np.flatnonzero(pc.is_null(pc.index_in(values, self._known[place].values)).to_numpy(zero_copy_only=False))
        waiting, refused = [new] if len(new) else [], []
        while waiting:
            some = waiting.pop()
            others = [each.values[:1] for each in self._known]
            others[place] = values.take(pa.array(some))
            try:
                self._encoded(others)
            except Exception:  # noqa: BLE001  whatever it raises
                half = len(some) // 2
                waiting += [some[:half], some[half:]] if half else []
                refused += [] if half else some.tolist()
        return np.array(refused, dtype=np.int64)

    def _new(self, known: Sequence[Dictionary], place: int, column: pa.Array) -> pa.Array:
        return column.filter(pc.is_null(pc.index_in(column, known[place].values))) if known else column

    def _grown(self, known: Sequence[Dictionary], news: Sequence[pa.Array]) -> tuple[Dictionary, ...]:
        fillers = [each.values for each in known] or news
        blocks = self._encoded([new if len(new) else filler[:1] for new, filler in zip(news, fillers, strict=True)])
        fresh = (
            self._dictionary(place, new, block) for place, (new, block) in enumerate(zip(news, blocks, strict=True))
        )
        return tuple(map(_joined, known, fresh)) if known else tuple(fresh)

    def _dictionary(self, place: int, new: pa.Array, block: Any) -> Dictionary:
        rows = block[: len(new)]
        return Dictionary(new, rows, self._derive(place, rows))

    def _encoded(self, columns: Sequence[pa.Array]) -> list[Any]:
        """The encoder's block of each column, called once with all columns side by side, shorter ones repeated.

        At least two rows, since the memory order of one is anything.
        """
        rows = max(2, *map(len, columns))
        padded = [column.take(pa.array(np.arange(rows) % len(column))) for column in columns]
        frame = self._frame(pa.table(padded, names=self._schema.names), self._schema)
        made = self._branch.transformer.transform(frame)
        ends = np.cumsum(self._branch.widths or ())
        if made.shape != (rows, ends[-1]):
            raise Declined(f"{type(self._branch.transformer).__name__} made a matrix of shape {made.shape}")
        self._specimen = made[:2]
        return [made[:, end - width : end] for end, width in zip(ends, self._branch.widths or (), strict=True)]


def _is_full(known: Dictionary, more: int) -> bool:
    count = len(known.values) + more
    dense = isinstance(known.rows, np.ndarray)
    return count > KNOWN or (dense and count * known.rows.shape[1] > CELLS)


class _Met(NamedTuple):
    """A dictionary of a part, and for each of its values, then for null, the place among those known, or -1."""

    values: pa.Array
    known: Dictionary
    places: np.ndarray

    def holds(self, values: pa.Array, known: Dictionary) -> bool:
        """Whether it is of these values: most parts come with the dictionary of the one before."""
        # Arrow calls zero and minus zero equal.
        return self.known is known and family(values.type) == "text" and bool(self.values.equals(values))


def _one_dictionary(column: pa.ChunkedArray) -> pa.DictionaryArray:
    encoded = dictionary_encoded(column)
    if encoded.num_chunks == 1:
        return encoded.chunk(0)
    whole = encoded.unify_dictionaries().combine_chunks()
    return whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole


def _distinct(column: pa.DictionaryArray, field: pa.Field) -> tuple[pa.Array, np.ndarray]:
    """The distinct values that occur in a column, and the place among them of each row's value."""
    values = _canonical(column.dictionary, field)
    indices = _filled(column)
    occurs = np.bincount(indices, minlength=len(values) + 1) > 0
    return _with_null(values).take(pa.array(np.flatnonzero(occurs))), (np.cumsum(occurs) - 1)[indices]


def _filled(column: pa.DictionaryArray) -> np.ndarray:
    """The place of each row's value in the dictionary; that of null is behind it."""
    # Other types may have no room for it.
    indices = column.indices if pa.types.is_int32(column.indices.type) else column.indices.cast(pa.int64())
    filled = pc.fill_null(indices, len(column.dictionary)) if indices.null_count else indices
    return np.asarray(filled.to_numpy())


def _with_null(values: pa.Array) -> pa.Array:
    return pa.concat_arrays([values, pa.nulls(1, values.type)])


def dictionary_encoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column as a dictionary in which null is no value."""
    if not pa.types.is_dictionary(column.type):
        return column.dictionary_encode()
    if any(chunk.dictionary.null_count for chunk in column.chunks):
        # Arrow does not unify dictionaries that list null among their values.
        return column.cast(column.type.value_type).dictionary_encode()
    return column


def _canonical(values: pa.Array, field: pa.Field) -> pa.Array:
    """Values of one type, however the part stores them; only what the frame would hold unchanged."""
    if family(values.type) == "text" and family(field.type) == "text":
        return values.cast(pa.large_string())
    if values.type == field.type:
        return values
    raise Declined(f"column '{field.name}' is {values.type}, not {field.type}")


def _joined(known: Dictionary, fresh: Dictionary) -> Dictionary:
    if not len(fresh.values):
        return known
    return Dictionary(
        pa.concat_arrays([known.values, fresh.values]),
        _stacked(known.rows, fresh.rows),
        np.concatenate([known.derived, fresh.derived]),
    )


def _stacked(above: Any, below: Any) -> Any:
    from scipy import sparse

    return np.concatenate([above, below]) if isinstance(above, np.ndarray) else sparse.vstack([above, below], "csr")
