"""Which rows are held out and which train the model: decided row by row from a hash of identity, never from order."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SMALL_CLASS = 5
"""A class with fewer rows than this is not split: all its rows train."""

BINS = 1 << 16
"""Resolution of the histogram from which a sample of a given number of rows is cut."""


class SampleConfig(BaseModel):
    """Which training rows the model is fitted on: some units, a fraction, or a number of rows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    units: int | Literal["all"] | None = Field(None, description="Fit on all training rows of this many units.")
    fraction: float | None = Field(None, gt=0, le=1, description="Fit on this share of the training rows.")
    rows: int | None = Field(None, ge=1, description="Fit on at most this many training rows.")
    strategy: Literal["random", "first", "stratified"] = Field(
        "random", description="random or first units; random rows, or the same share of every class (stratified)."
    )

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        stated = [name for name in ("units", "fraction", "rows") if getattr(self, name) is not None]
        if len(stated) != 1:
            raise ValueError("say exactly one of units, fraction, rows")
        if self.strategy == "first" and self.units is None:
            raise ValueError('strategy "first" goes with units')
        if self.strategy == "stratified" and self.units is not None:
            raise ValueError('strategy "stratified" goes with fraction or rows')
        if isinstance(self.units, int) and self.units < 1:
            raise ValueError("units must be at least 1")
        return self


class RandomSplit(BaseModel):
    """Hold out a random share of the rows, chosen by row identity."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["random"] = "random"
    test_fraction: float = Field(0.2, gt=0, lt=1, description="Share of rows held out.")


class GroupSplit(BaseModel):
    """Hold out a random share of the groups: rows with the same value of a column stay together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["group"] = "group"
    column: str = Field(description="Column whose values form the groups.")
    test_fraction: float = Field(0.2, gt=0, lt=1, description="Share of groups held out.")


class TimeSplit(BaseModel):
    """Hold out the latest rows, by whole days."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["time"] = "time"
    column: str = Field(description="Date or timestamp column.")
    test_fraction: float | None = Field(None, gt=0, lt=1, description="Share of rows held out, at most.")
    at: str | None = Field(None, description="First day that is held out, as ISO text.")

    @field_validator("at")
    @classmethod
    def _a_day(cls, at: str | None) -> str | None:
        try:
            return at if at is None else date.fromisoformat(at).isoformat()
        except ValueError as error:
            raise ValueError("write a day such as 2026-01-31") from error

    @model_validator(mode="after")
    def _one_cut(self) -> Self:
        if (self.test_fraction is None) == (self.at is None):
            raise ValueError("say exactly one of test_fraction, at")
        return self


SplitConfig = Annotated[RandomSplit | GroupSplit | TimeSplit, Field(discriminator="kind")]


def identity_hashes(files: pa.DictionaryArray, rows: np.ndarray, seed: int) -> np.ndarray:
    """uint64 hash of each row's identity: blake2b of (seed, path of the file, record number).

    The same row has the same hash in any unit, part or location of the data.
    """
    prefixes = [_started(seed, path.encode()) for path in files.dictionary.to_pylist()]
    codes = files.indices.to_numpy()
    return np.fromiter(
        (_finished(prefixes[code], row) for code, row in zip(codes.tolist(), rows.tolist(), strict=True)),
        dtype=np.uint64,
        count=len(rows),
    )


def value_hashes(columns: Sequence[pa.ChunkedArray], seed: int) -> np.ndarray:
    """uint64 hash of each row's values in some columns, as text: equal values hash alike. Hashes distinct rows once."""
    texts = [_as_text(column) for column in columns]
    joined = pc.binary_join_element_wise(*texts, "\x1f").combine_chunks().dictionary_encode()
    distinct = [int.from_bytes(_started(seed, text.encode()).digest(), "big") for text in joined.dictionary.to_pylist()]
    return np.array(distinct, dtype=np.uint64)[joined.indices.to_numpy()] if distinct else np.empty(0, np.uint64)


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.fill_null(column.cast(pa.string()), "\x00")


def _started(seed: int, text: bytes) -> hashlib.blake2b:
    started = hashlib.blake2b(digest_size=8)
    started.update(seed.to_bytes(8, "big", signed=True))
    started.update(text)
    return started


def _finished(prefix: hashlib.blake2b, row: int) -> int:
    state = prefix.copy()
    state.update(b"\x00" + row.to_bytes(8, "big"))
    return int.from_bytes(state.digest(), "big")


def below(hashes: np.ndarray, fraction: float) -> np.ndarray:
    """True where the top 53 bits of a hash, over 2**53, are below the fraction.

    >>> below(np.array([0, 2**63, 2**64 - 1], dtype=np.uint64), 0.6).tolist()
    [True, True, False]
    """
    shares: np.ndarray = (hashes >> np.uint64(11)).astype(np.float64) / 2.0**53
    return shares < fraction


def remixed(hashes: np.ndarray) -> np.ndarray:
    """Hashes independent of the given ones (the finaliser of MurmurHash3): sampling ignores how rows were split."""
    mixed = hashes ^ (hashes >> np.uint64(33))
    mixed = mixed * np.uint64(0xFF51AFD7ED558CCD)
    mixed = mixed ^ (mixed >> np.uint64(33))
    mixed = mixed * np.uint64(0xC4CEB9FE1A85EC53)
    final: np.ndarray = mixed ^ (mixed >> np.uint64(33))
    return final


def sample_bins(hashes: np.ndarray) -> np.ndarray:
    """The bin, out of `BINS`, of each row's sampling hash."""
    return (remixed(hashes) >> np.uint64(48)).astype(np.int64)


def bins_to_take(histogram: np.ndarray, rows: float) -> int:
    """How many bins, from the lowest, hold at most `rows` rows.

    >>> bins_to_take(np.array([2, 2, 2]), 5)
    2
    """
    return int(np.searchsorted(np.cumsum(histogram), rows, side="right"))


@dataclass(frozen=True)
class Split:
    """The settled split of a training run.

    Attributes
    ----------
    config : how rows are held out
    first_day : for a time split, the first day held out, as ISO text
    whole_classes : labels too rare to split, as text: their rows all train
    """

    config: RandomSplit | GroupSplit | TimeSplit
    first_day: str | None = None
    whole_classes: tuple[str, ...] = ()

    def held_out(self, part: pa.Table, hashes: np.ndarray, target: str) -> np.ndarray:
        """True for the rows of a part that training must not see.

        `hashes` are of identities, or of groups for a group split.
        """
        mask: np.ndarray
        if isinstance(self.config, TimeSplit):
            late = pc.greater_equal(
                part[self.config.column].cast(pa.date32()), pa.scalar(self.first_day).cast(pa.date32())
            )
            mask = pc.fill_null(late, fill_value=False).to_numpy()
        else:
            mask = below(hashes, self.config.test_fraction)
        if self.whole_classes:
            whole = pc.is_in(part[target].cast(pa.string()), value_set=pa.array(self.whole_classes))
            mask = mask & ~whole.to_numpy()
        return mask


@dataclass(frozen=True)
class Sample:
    """The settled sample: which units, and below which bin of the sampling hash, by class where stratified.

    Attributes
    ----------
    units : numbers of the units whose rows are taken; None for all
    bins : rows whose bin is below this are taken; None for all
    bins_by_class : the same per label (as text), for a stratified sample
    """

    units: frozenset[int] | None = None
    bins: int | None = None
    bins_by_class: Mapping[str, int] = field(default_factory=dict)

    def chosen(self, unit: int, hashes: np.ndarray, labels: pa.ChunkedArray | None) -> np.ndarray:
        """True for the training rows of a unit that the model is fitted on. `labels` is the target as text."""
        if self.units is not None:
            return np.full(len(hashes), unit in self.units)
        if self.bins is not None:
            return sample_bins(hashes) < self.bins
        if self.bins_by_class and labels is not None:
            encoded = labels.combine_chunks().dictionary_encode()
            limits = np.array([self.bins_by_class.get(label, 0) for label in encoded.dictionary.to_pylist()], np.int64)
            return sample_bins(hashes) < (limits[encoded.indices.to_numpy()] if len(limits) else 0)
        return np.ones(len(hashes), dtype=bool)


def units_to_take(config: SampleConfig, names: Sequence[str], seed: int) -> frozenset[int] | None:
    """Numbers of the units that a sample by units takes: the first ones, or those whose names hash lowest."""
    if config.units is None or config.units == "all":
        return None
    numbers: Sequence[int] = range(len(names))
    if config.strategy == "random":
        numbers = sorted(numbers, key=lambda n: _started(seed, names[n].encode()).digest())
    return frozenset(numbers[: config.units])
