"""What every transformer is: statistics of parts that merge exactly, and a fitted scikit-learn object made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    import pyarrow as pa


class Transformer(BaseModel):
    """One transformer of one or more columns. Columns are fitted independently of one another.

    Fitting a column is a loop over rounds, the same for one part or a thousand, in this process or on a cluster:

        state = None
        while True:
            partials = [t.partial(column_of_part, target_of_part, state) for each part]   # pure, on workers
            partial = t.merge(partials, state)                                            # pure, in one level or many
            state = t.combine(partial, state)                                             # pure, on the driver
            if t.finished(state): break

    `partials` come in the order of the parts, empty parts included, and the state must be the same for any partitioning
    of the rows and any levels of merging (floating point sums: to 1e-9 relative). States and partials are small, merged
    ones too, and pickle.
    Most transformers finish after one round.

    Infinite values in a number column end the fit with a DataError that names the column.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    columns: tuple[str, ...] = Field(min_length=1, description="Columns to transform.")

    accepts: ClassVar[Literal["number", "text", "any"]] = "any"
    """Columns it takes: numbers (and booleans), text, or both."""
    learns: ClassVar[bool] = True
    """False when the options alone say everything: it is exported without a round, its states being None."""
    mixes: ClassVar[bool] = True
    """False when number and text columns must be fitted apart, or scikit-learn would make objects of the numbers."""
    needs_target: ClassVar[bool] = False

    @property
    def widens(self) -> bool:
        """True when one column in may give several out; such a transformer must be the last on its column."""
        return False

    def type_after(self, arrow_type: pa.DataType) -> pa.DataType:
        """The type of a column after it, for a transformer that does not widen."""
        return arrow_type

    def objection(self, field: pa.Field) -> str | None:
        """Why this column cannot be transformed, as the end of a sentence ("of type date32"); None when it can be."""
        from scoreline.transformers._columns import objection_to_type

        return objection_to_type(self.accepts, field)

    def partial(self, column: pd.Series, target: pd.Series | None, state: Any) -> Any:
        """Statistics of one part's column as scikit-learn would see it (after the transformers before this one).

        Shape: n values, n >= 0. Numbers are float64, float32, int64 or bool with NaN as null; text is of pandas' dtype
        ``str``, or object after a transformer, with NaN as null. The dtype of an empty column means nothing.
        """
        raise NotImplementedError

    def merge(self, partials: Sequence[Any], state: Any) -> Any:
        """The statistics of several parts as those of one; at least one partial, of the round after `state`."""
        raise NotImplementedError

    def combine(self, partial: Any, state: Any) -> Any:
        """The next state, from the statistics of all parts."""
        return partial

    def finished(self, state: Any) -> bool:
        """True when no further round over the data is needed."""
        return True

    def export(self, names: Sequence[str], states: Sequence[Any]) -> Any:
        """The fitted scikit-learn transformer for the columns `names`, equal to one fitted on the concatenated data.

        It has ``feature_names_in_`` and works on a DataFrame of exactly these columns, dense output, float64 where
        numeric (float32 when all columns are). Raises DataError naming every column whose statistics allow no fit
        (nulls only, no rows).
        """
        raise NotImplementedError

    def check(self, schema: pa.Schema) -> None:
        """Raise StepError naming every column that is missing or of a type that the transformer does not accept."""
        from scoreline.transformers._columns import check_columns

        check_columns(self, schema)
