"""The matrix that the model is given, put together from blocks: bit for bit what ``ColumnTransformer`` makes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from scoreline.compiled.answers import is_identical
from scoreline.compiled.dictionary import CodedBranch, Coder, Declined
from scoreline.compiled.doubts import suspects
from scoreline.compiled.numbers import Numbers, numbers_of
from scoreline.frame import family

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scoreline.compiled.dictionary import MakeFrame
    from scoreline.compiled.plan import Branch, Plan

    Block = CodedBranch | Any
    """The columns of a branch in codes, or what its transformer made of all rows."""
    DeriveInBranch = Callable[[int, int, Any], np.ndarray]
    """What a model looks up for encoded rows of a column: the number of its branch, its own in there, the rows."""


@dataclass(frozen=True, eq=False)
class Layout:
    """Where the features of a matrix come from.

    Attributes
    ----------
    widths : for each branch, the features of each of its columns, or of all of them in one number if it is called
    dtype : the type of the matrix
    sparse : whether the matrix is sparse
    """

    widths: tuple[tuple[int, ...], ...]
    dtype: np.dtype
    sparse: bool = False

    @property
    def starts(self) -> tuple[tuple[int, ...], ...]:
        """For each branch, the first feature of each of its columns, and the end of the last one."""
        before = accumulate((sum(widths) for widths in self.widths), initial=0)
        return tuple(
            tuple(accumulate(widths, initial=start)) for start, widths in zip(before, self.widths, strict=False)
        )

    @property
    def described(self) -> dict[str, Any]:
        """The layout as JSON values."""
        return {"widths": [list(widths) for widths in self.widths], "dtype": self.dtype.str, "sparse": self.sparse}

    def check(self, blocks: Sequence[Block]) -> None:
        """Raise Declined when blocks make a matrix of another type or width: functions of the user may do so."""
        if _widths(blocks) != self.widths or np.result_type(*map(_dtype, blocks)) != self.dtype:
            raise Declined("a matrix of another type or width than before")


def layout_of(blocks: Sequence[Block], matrix: Any) -> Layout:
    """The layout of a `matrix` made of blocks like these."""
    from scipy import sparse

    return Layout(_widths(blocks), np.result_type(*map(_dtype, blocks)), sparse.issparse(matrix))


def _widths(blocks: Sequence[Block]) -> tuple[tuple[int, ...], ...]:
    return tuple(
        tuple(column.dictionary.rows.shape[1] for column in block.columns)
        if isinstance(block, CodedBranch)
        else (block.shape[1],)
        for block in blocks
    )


def _dtype(block: Block) -> np.dtype:
    given = block.specimen if isinstance(block, CodedBranch) else block
    dtype: np.dtype = given.dtype if hasattr(given, "dtype") else np.asarray(given[:0]).dtype
    return dtype


class Encoding:
    """The first half of a plan, ready to work: a table becomes blocks, blocks become a matrix. Safe for threads."""

    def __init__(self, plan: Plan, schema: pa.Schema, frame: MakeFrame, derive: DeriveInBranch) -> None:
        self._plan = plan
        self._schema = schema
        self._frame = frame
        self._coders = {
            number: Coder(branch, schema, frame, partial(derive, number))
            for number, branch in enumerate(plan.branches)
            if branch.widths is not None
        }
        self._numbers: dict[int, Numbers] = {}
        self._unused = _unused(plan, schema)

    def settle(self, table: pa.Table) -> None:
        """From now on spare the calls for branches of numbers that come out the same without, for a table's rows."""
        for number, branch in enumerate(self._plan.branches):
            if branch.widths is None and not branch.flat and not self._plan.as_array:
                numbers = numbers_of(branch.steps, branch.columns, self._schema)
                if numbers is not None and self._is_equal(branch, numbers, table):
                    self._numbers[number] = numbers

    @property
    def described(self) -> dict[str, Any]:
        """How branches are encoded, as JSON values: by value, by this package's own arithmetic, else by a call."""
        return {**self._plan.described, "numbers": sorted(self._numbers)}

    def _is_equal(self, branch: Branch, numbers: Numbers, table: pa.Table) -> bool:
        try:
            return is_same_matrix(numbers.block(table), self.called(branch, table))
        except Exception:  # noqa: BLE001  a row is refused, and nothing is known about the others
            return False

    def blocks(self, table: pa.Table) -> list[Block]:
        """The block of every branch; eager.

        Raises Declined, what a transformer raises for values that occur, and what the frame raises for those of columns
        that no branch takes.
        """
        if self._unused.names:
            self._frame(table.select(self._unused.names), self._unused)
        return [self._block(number, branch, table) for number, branch in enumerate(self._plan.branches)]

    def _block(self, number: int, branch: Branch, table: pa.Table) -> Block:
        if number in self._coders:
            return self._coders[number].codes(table)
        return self._numbers[number].block(table) if number in self._numbers else self.called(branch, table)

    def called(self, branch: Branch, table: pa.Table) -> Any:
        """What the transformer of a branch itself makes of all rows; raises what it raises."""
        schema = pa.schema([self._schema.field(name) for name in branch.columns])
        frame = self._frame(table.select(schema.names), schema)
        given = frame[branch.columns[0]] if branch.flat else frame.to_numpy() if self._plan.as_array else frame
        if branch.transformer is None:
            return given
        try:
            return branch.transformer.transform(given)
        except Exception as error:
            raise Declined(f"{type(error).__name__}: {error}", suspects(frame)) from error

    def after(self, made: Any) -> Any:
        """What the model is given: the blocks side by side, after the steps that follow."""
        for step in self._plan.after:
            made = step.transform(made)
        return made

    def stacked(self, blocks: Sequence[Block], rows: int) -> Any:
        """The blocks side by side: what the first step of the plan makes."""
        if self._plan.stack == "sparse":
            return _sparse(blocks)
        if self._plan.stack == "dense":
            return _dense([_without_zeros_left_out(block) for block in blocks], rows)
        (block,) = blocks
        return _alone(block, rows) if isinstance(block, CodedBranch) else block

    def expected(self, table: pa.Table) -> Any:
        """What the first step itself makes of a table, as a whole; what `stacked` must equal."""
        frame = self._frame(table, self._schema)
        given = frame.to_numpy() if self._plan.as_array else frame
        return given if self._plan.first is None else self._plan.first.transform(given)

    @property
    def is_shorter(self) -> bool:
        """Whether any branch is spared the calls with all rows."""
        return bool(self._coders)


def _unused(plan: Plan, schema: pa.Schema) -> pa.Schema:
    """The columns that no branch takes, without text and floats, which make a frame whatever their values are."""
    used = {name for branch in plan.branches for name in branch.columns}
    others = (field for field in schema if field.name not in used and family(field.type) != "text")
    return pa.schema([field for field in others if not pa.types.is_floating(field.type)])


def is_same_matrix(one: Any, other: Any) -> bool:
    """Whether two matrices are equal to the last bit and lie in memory in the same order."""
    from scipy import sparse

    if not (sparse.issparse(one) or sparse.issparse(other)):
        one, other = np.asarray(one), np.asarray(other)
        same = one.flags.c_contiguous == other.flags.c_contiguous and one.flags.f_contiguous == other.flags.f_contiguous
        return same and is_identical(one, other)
    if type(one) is not type(other) or one.format != other.format or one.shape != other.shape:
        return False
    return all(is_identical(getattr(one, part), getattr(other, part)) for part in ("indptr", "indices", "data"))


def _sparse(blocks: Sequence[Block]) -> Any:
    from scipy import sparse
    from sklearn.utils import check_array

    every = [check_array(_whole(block), accept_sparse=True, ensure_all_finite=False) for block in blocks]
    return sparse.hstack(every).tocsr()


def _whole(block: Block) -> Any:
    """The block as its transformer would have made it of all rows."""
    from scipy import sparse

    if not isinstance(block, CodedBranch):
        return block
    columns = [column.block for column in block.columns]
    return sparse.hstack(columns, "csr") if sparse.issparse(columns[0]) else np.hstack(columns)


def _alone(block: CodedBranch, rows: int) -> Any:
    from scipy import sparse

    return _whole(block) if sparse.issparse(block.specimen) else _dense([block], rows)


def _without_zeros_left_out(block: Block) -> Block:
    """A dense block of a sparse one."""
    from scipy import sparse

    if isinstance(block, CodedBranch):
        return _whole(block).toarray() if sparse.issparse(block.specimen) else block
    return block.toarray() if sparse.issparse(block) else np.asarray(block)


def _dense(blocks: Sequence[Block], rows: int) -> np.ndarray:
    """The blocks side by side; two rows of each decide type and memory order, as they would if there were more."""
    specimen = np.hstack([block.specimen if isinstance(block, CodedBranch) else block[:2] for block in blocks])
    made = np.empty((rows, specimen.shape[1]), specimen.dtype, order="C" if specimen.flags.c_contiguous else "F")
    end = 0
    for block in blocks:
        pieces = [column.block for column in block.columns] if isinstance(block, CodedBranch) else [block]
        for piece in pieces:
            end += piece.shape[1]
            made[:, end - piece.shape[1] : end] = piece
    return made
