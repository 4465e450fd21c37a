"""Chains of transformers: what happens to each input column, fitted from statistics of parts in few rounds.

fit = start(features, schema)
while not fit.finished:
    fit = fit.advance([fit.partial(frame, target) for frame, target in parts])
columns = fit.export(sample)
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from scoreline.errors import DataError, Problem, StepError
from scoreline.frame import family

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from scoreline.transformers.base import Transformer


@dataclass(frozen=True)
class Chain:
    """Columns that go through the same transformers one after another.

    Attributes
    ----------
    name : its name in the ColumnTransformer, unique: the kinds, joined
    transformers : at least one, in config order
    columns : the input columns, in order of first mention
    """

    name: str
    transformers: tuple[Transformer, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Partial:
    """Statistics of one part: for each chain, one item per column; nothing for a chain or column that needs no more."""

    items: tuple[tuple[Any, ...], ...]


def chains(features: Sequence[Transformer]) -> tuple[Chain, ...]:
    """Group columns by the transformers that mention them; groups and columns in order of first mention.

    Raises StepError naming every column that is transformed again after it was widened.
    """
    found = _grouped(features)
    problems = [problem for transformers, columns in found for _, problem in _widened(transformers, columns)]
    if problems:
        raise StepError(*problems)
    return _named(found)


def _grouped(features: Sequence[Transformer]) -> list[tuple[tuple[Transformer, ...], tuple[str, ...]]]:
    mentions: dict[str, tuple[int, ...]] = {}
    for position, transformer in enumerate(features):
        for column in transformer.columns:
            mentions[column] = (*mentions.get(column, ()), position)
    grouped: dict[tuple[int, ...], tuple[str, ...]] = {}
    for column, positions in mentions.items():
        grouped[positions] = (*grouped.get(positions, ()), column)
    return [(tuple(features[position] for position in positions), columns) for positions, columns in grouped.items()]


def _widened(transformers: tuple[Transformer, ...], columns: tuple[str, ...]) -> Iterator[tuple[Transformer, Problem]]:
    """Problems of transformers that follow one which made several columns of theirs."""
    for transformer, following in pairwise(transformers):
        if transformer.widens:
            for column in columns:
                what = f"{following.kind} cannot follow {transformer.kind}, which makes several columns of '{column}'"
                where = f"features, {following.kind}: column '{column}'"
                yield (
                    following,
                    Problem(what, where, f"put {following.kind} before {transformer.kind}, or leave the column out"),
                )


def _named(groups: Sequence[tuple[tuple[Transformer, ...], tuple[str, ...]]]) -> tuple[Chain, ...]:
    names = _unique(["-".join(transformer.kind for transformer in transformers) for transformers, _ in groups])
    return tuple(Chain(name, *group) for name, group in zip(names, groups, strict=True))


def _unique(names: Sequence[str]) -> list[str]:
    """The names, repeated ones numbered from the second on; scikit-learn keeps double underscores for itself."""
    taken: Counter[str] = Counter()
    unique = []
    for name in (name.replace("__", "_") for name in names):
        taken[name] += 1
        unique.append(name if taken[name] == 1 else f"{name}-{taken[name]}")
    return unique


def check(features: Sequence[Transformer], schema: pa.Schema) -> None:
    """Raise StepError with every problem of the transformers on columns of this schema; reads nothing."""
    problems = [problem for _, problem in faults(features, schema)]
    if problems:
        raise StepError(*problems)


def faults(features: Sequence[Transformer], schema: pa.Schema) -> Iterator[tuple[int, Problem]]:
    """Every problem of the transformers on columns of this schema, with the transformer's number; reads nothing."""
    known = schema
    for number, transformer in enumerate(features):
        try:
            transformer.check(known)
        except StepError as error:
            yield from ((number, problem) for problem in error.problems)
        known = _schema_after(transformer, known)
    for transformers, columns in _grouped(features):
        for following, problem in _widened(transformers, columns):
            yield features.index(following), problem


def _schema_after(transformer: Transformer, schema: pa.Schema) -> pa.Schema:
    fields = (
        field.with_type(transformer.type_after(field.type)) if field.name in transformer.columns else field
        for field in schema
    )
    return pa.schema(list(fields))


def start(features: Sequence[Transformer], schema: pa.Schema) -> FeatureFit:
    """The fit before any data are seen. `schema` is that of the frames' columns; raises StepError as `check`."""
    check(features, schema)
    together = [
        (chain.transformers, columns) for chain in chains(features) for columns in _fitted_together(chain, schema)
    ]
    fits = [ChainFit(chain, (), (None,) * len(chain.columns)) for chain in _named(together)]
    return FeatureFit(tuple(fit.without_rounds() for fit in fits))


def _fitted_together(chain: Chain, schema: pa.Schema) -> list[tuple[str, ...]]:
    if all(transformer.mixes for transformer in chain.transformers):
        return [chain.columns]
    kinds = {name: family(schema.field(name).type) for name in chain.columns}
    return [tuple(name for name in kinds if kinds[name] == kind) for kind in dict.fromkeys(kinds.values())]


@dataclass(frozen=True, eq=False)
class FeatureFit:
    """How far fitting has come. Small, pickles, never edited."""

    fits: tuple[ChainFit, ...]

    @property
    def input_columns(self) -> tuple[str, ...]:
        """The columns that features are made of, in the order in which the fitted ColumnTransformer has them."""
        return tuple(column for fit in self.fits for column in fit.chain.columns)

    @property
    def needs_target(self) -> bool:
        """True when `partial` must be given the target."""
        return any(transformer.needs_target for fit in self.fits for transformer in fit.chain.transformers)

    @property
    def finished(self) -> bool:
        """True when every transformer is fitted."""
        return all(fit.next is None for fit in self.fits)

    def partial(self, frame: pd.DataFrame, target: pd.Series | None) -> Partial:
        """Statistics of one part for everything that is ready to be fitted; pure, one pass.

        `frame` has at least the input columns, made by `to_frame`; `target` has as many rows and no nulls.
        Raises DataError for infinite numbers.
        """
        return Partial(tuple(fit.items(frame, target) for fit in self.fits))

    def merge(self, partials: Sequence[Partial]) -> Partial:
        """The statistics of parts next to one another as those of one part; pure. It keeps what travels small."""
        columns = zip(*(partial.items for partial in partials), strict=True)
        return Partial(tuple(fit.merged(items) for fit, items in zip(self.fits, columns, strict=True)))

    def advance(self, partials: Sequence[Partial]) -> FeatureFit:
        """The fit after a round over all parts, `partials` in the order of the parts.

        Raises DataError naming every column that has no value to learn from.
        """
        if not partials:
            raise DataError(
                Problem("there are no training rows", "features", "check the source, the split and filters")
            )
        advanced: list[ChainFit] = []
        problems: list[Problem] = []
        for fit, items in zip(self.fits, self.merge(partials).items, strict=True):
            try:
                advanced.append(fit.advanced(items))
            except DataError as error:
                problems.extend(error.problems)
        if problems:
            raise DataError(*problems)
        return FeatureFit(tuple(advanced))

    def export(self, sample: pd.DataFrame) -> Any:
        """The fitted ColumnTransformer of plain scikit-learn objects; `sample` is at least one row that was fitted on.

        Output is dense, columns in the order of the chains, names as scikit-learn makes them.
        """
        from sklearn.compose import ColumnTransformer
        from sklearn.frozen import FrozenEstimator

        frozen = [(fit.chain.name, FrozenEstimator(fit.estimator()), list(fit.chain.columns)) for fit in self.fits]
        columns = ColumnTransformer(frozen, remainder="drop", sparse_threshold=0).fit(sample[list(self.input_columns)])
        columns.transformers = [(name, inner.estimator, names) for name, inner, names in columns.transformers]
        columns.transformers_ = [
            (name, getattr(inner, "estimator", inner), names) for name, inner, names in columns.transformers_
        ]
        return columns


@dataclass(frozen=True, eq=False)
class ChainFit:
    """How far fitting one chain has come.

    Attributes
    ----------
    links : the fitted scikit-learn objects of the first transformers
    states : the state of the next transformer for each column; None before its first round
    """

    chain: Chain
    links: tuple[Any, ...]
    states: tuple[Any, ...]

    @property
    def next(self) -> Transformer | None:
        """The first transformer that is not fitted."""
        remaining = self.chain.transformers[len(self.links) :]
        return remaining[0] if remaining else None

    def items(self, frame: pd.DataFrame, target: pd.Series | None) -> tuple[Any, ...]:
        """The next transformer's statistics of each column of a part; None for a column that is settled."""
        transformer = self.next
        if transformer is None:
            return ()
        columns = _transformed(frame[list(self.chain.columns)], self.links)
        return tuple(
            None if _settled(transformer, state) else transformer.partial(column, target, state)
            for column, state in zip(columns, self.states, strict=True)
        )

    def merged(self, parts: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
        """The items of several parts as those of one."""
        transformer = self.next
        if transformer is None:
            return ()
        return tuple(
            None if _settled(transformer, state) else transformer.merge(items, state)
            for items, state in zip(zip(*parts, strict=True), self.states, strict=True)
        )

    def advanced(self, items: tuple[Any, ...]) -> ChainFit:
        """The fit after a round, from the items of all parts; with one more link if no column needs another round."""
        transformer = self.next
        if transformer is None:
            return self
        states = tuple(
            state if _settled(transformer, state) else transformer.combine(item, state)
            for item, state in zip(items, self.states, strict=True)
        )
        fit = replace(self, states=states)
        return fit.linked().without_rounds() if all(transformer.finished(state) for state in states) else fit

    def without_rounds(self) -> ChainFit:
        """The fit with every transformer linked that is next and learns nothing."""
        if self.next is None or self.next.learns:
            return self
        return self.linked().without_rounds()

    def linked(self) -> ChainFit:
        """The fit with the next transformer exported from the states."""
        transformer = self.chain.transformers[len(self.links)]
        link = transformer.export(self.chain.columns, self.states)
        if self.links:
            # Links after the first are given arrays, so scikit-learn would have fitted them without column names.
            vars(link.steps[0][1] if hasattr(link, "steps") else link).pop("feature_names_in_", None)
        return ChainFit(self.chain, (*self.links, link), (None,) * len(self.states))

    def estimator(self) -> Any:
        """The links as one fitted scikit-learn object."""
        if len(self.links) == 1:
            return self.links[0]
        from sklearn.pipeline import Pipeline

        names = _unique([transformer.kind for transformer in self.chain.transformers])
        return Pipeline(list(zip(names, self.links, strict=True)))


def _settled(transformer: Transformer, state: Any) -> bool:
    return state is not None and transformer.finished(state)


def _transformed(frame: pd.DataFrame, links: Sequence[Any]) -> list[pd.Series]:
    """The columns after the links. Without rows they stay as they are: scikit-learn refuses frames without rows."""
    import pandas as pd

    if not links or frame.empty:
        return [frame[name] for name in frame.columns]
    values: Any = frame
    for link in links:
        values = link.transform(values)
    if isinstance(values, pd.DataFrame):
        return [values[name] for name in frame.columns]
    return [pd.Series(values[:, place], name=name, dtype=values.dtype) for place, name in enumerate(frame.columns)]
