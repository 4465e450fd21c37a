"""`Bundle`: everything prediction needs, and the one path from raw rows to predictions."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from scoreline.bundle.as_table import as_table
from scoreline.bundle.bisection import Outcome, other_outputs, predict_or_refuse
from scoreline.bundle.compiling import scorer_of
from scoreline.bundle.doubts import completed
from scoreline.bundle.fitted import Fitted, load_fitted
from scoreline.bundle.frames import Frames, frames_of
from scoreline.bundle.one_record import predict_one
from scoreline.bundle.stored_program import StoredProgram
from scoreline.cleaning import CleanPart
from scoreline.compiled.answers import Chosen
from scoreline.compiled.baked.arrow import plain_array
from scoreline.compiled.baked.program import Program
from scoreline.compiled.doubts import MOST_DOUBTS, Partial
from scoreline.compiled.plan import NotCompilable
from scoreline.compiled.scorer import LEAST_ROWS, Tier
from scoreline.contract import PREDICTED, has_outputs, type_name
from scoreline.errors import DataError, ModelError, Problem
from scoreline.parts import every_row
from scoreline.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from scoreline.bundle.artifact import ArtifactConfig
    from scoreline.bundle.one_record import Answer
    from scoreline.cleaning import Cleaning
    from scoreline.compiled.sampling import Place
    from scoreline.compiled.scorer import Scorer
    from scoreline.contract import Contract


@dataclass(frozen=True, eq=False)
class Scored:
    """Predictions for a part.

    Attributes
    ----------
    answers : one value for each row that was predicted; text may be codes of the labels; of several outputs a struct
    proba : float64 (rows, labels), or None when it was not asked for
    positions : int64, where each predicted row stood in the part
    refusals : rows of the part that got no prediction, and why
    filtered : rows that cleaning dropped on purpose
    hits : rows matched and rows looked up, by join
    tier : how they were predicted: "A" compiled, "B" each distinct value encoded once, "C" by scikit-learn alone
    """

    answers: pa.Array
    proba: np.ndarray | None
    positions: np.ndarray
    refusals: tuple[Refusal, ...] = ()
    filtered: int = 0
    hits: tuple[tuple[str, int, int], ...] = ()
    tier: str = Tier.PLAIN

    @property
    def predictions(self) -> pa.Array:
        """One value for each row that was predicted, of the bundle's answer type."""
        return _decoded(self.answers)

    @property
    def can_be_sampled(self) -> bool:
        """Whether a fast tier could have answered for its rows: enough of them, and few that the model refused."""
        failed = sum(len(refusal.rows) for refusal in self.refusals if refusal.stage == "predict")
        return len(self.positions) >= LEAST_ROWS and failed <= MOST_DOUBTS


@dataclass(frozen=True, eq=False)
class Bundle:
    """A fitted object with the contract and the cleaning that make its input.

    Small: what was fitted is loaded where it is used.

    Attributes
    ----------
    contract : the input columns as training saw them, typed
    needs : the columns among them that prediction needs
    cleaning : the steps that feed the features
    inputs : the columns that the fitted object takes, in its order, as they are after cleaning
    model, transformer : where what was fitted lies, with its hash; `transformer` is None for a whole pipeline
    answer_type : Arrow type of a prediction; of several outputs a struct with the column of each
    labels : class labels in the order of the probabilities, as `class_labels` names them; None for regression
    modules : names of own modules that the fitted object refers to
    target : the column that it predicts, when known
    joblib_sha256 : of a bundle of ours, the hash of its ``pipeline.joblib``
    from_pandas : whether what was fitted saw frames as pandas reads them, and not those of training here
    has_proba : whether it gives probabilities, where that is known without loading what was fitted
    stored : the compiled form that it keeps, or why that is not used; None for artifacts without
    """

    contract: Contract
    needs: tuple[str, ...]
    cleaning: Cleaning
    inputs: pa.Schema
    model: ArtifactConfig
    transformer: ArtifactConfig | None
    answer_type: pa.DataType
    labels: tuple[Any, ...] | None = None
    modules: tuple[str, ...] = ()
    target: str | None = None
    joblib_sha256: str | None = None
    from_pandas: bool = False
    has_proba: bool | None = None
    stored: StoredProgram | NotCompilable | None = None

    @property
    def identity(self) -> str:
        """The hash of what was fitted: of ``pipeline.joblib`` for a bundle of ours, whichever format is loaded."""
        return self.joblib_sha256 or self.model.sha256 or ""

    @property
    def fitted(self) -> Fitted:
        """What was fitted; loaded and checked once per process."""
        return load_fitted(self.model, self.transformer, self.modules)

    @property
    def gives_proba(self) -> bool:
        """Whether it gives a probability for each label."""
        return self.fitted.gives_proba if self.has_proba is None else self.has_proba

    def predict(self, part: pa.Table | pd.DataFrame, *, proba: bool = False, place: Place | None = None) -> Scored:
        """Clean and predict raw rows, an Arrow table or a DataFrame; eager.

        Every row is in the result, refused, or counted as filtered. `part` has the columns that are needed, and may
        have more. `place` says where in a unit it stands, which decides what rows are answered twice to compare. Rows
        on which the fitted object fails are found by halving and refused. Raises ModelError when it fails on most rows,
        DataError for a column that is missing, or of another type than the contract says.
        """
        if isinstance(part, pa.Table) and self._is_as_needed(part):
            return self.score(self.cleaning.apply(part), proba=proba, place=place)
        self._check_columns(part)
        if not isinstance(part, pa.Table) and self._is_taken_as_given(part):
            outcome = predict_or_refuse(self.fitted, self._ready.frames.of_frame(part), proba=proba)
            return self._scored(outcome, Tier.PLAIN, CleanPart(pa.table({}), every_row(len(part))))
        clean = self.cleaning.apply(self._needed(part))
        return self.score(clean, proba=proba, place=place)

    def _is_as_needed(self, part: pa.Table) -> bool:
        """Whether the columns are those that are needed, in that order."""
        # To read the names takes longer than to compare the columns.
        return bool(part.schema.equals(self._needed_schema)) or part.column_names == list(self.needs)

    @cached_property
    def _needed_schema(self) -> pa.Schema:
        return pa.schema([self.contract.schema.field(name) for name in self.needs])

    def _check_columns(self, part: pa.Table | pd.DataFrame) -> None:
        """Raise DataError for columns that are missing."""
        given = set(part.column_names if isinstance(part, pa.Table) else part.columns)
        missing = [name for name in self.needs if name not in given]
        if missing:
            advice = "give every column that the bundle needs; contract.json lists them"
            raise DataError(
                *(Problem(f"there is no column '{name}'", "the rows to predict", advice) for name in missing)
            )

    def _is_taken_as_given(self, part: pd.DataFrame) -> bool:
        """Whether scikit-learn answers, and a table of the rows would make the frame that they are."""
        if len(part) < LEAST_ROWS and isinstance(self.program, Program):
            return False
        ready = self._ready
        return ready.takes_frames and ready.frames.can_take(part) and ready.scorer.leaves(len(part))

    def _needed(self, part: pa.Table | pd.DataFrame) -> pa.Table:
        """The columns that are needed. Raises DataError for those that do not fit their types."""
        if isinstance(part, pa.Table):
            return part.select(self.needs)
        schema = self.contract.only(self.needs).schema
        try:
            return as_table(part, schema).select(self.needs)
        except (pa.ArrowException, UnicodeEncodeError, OverflowError) as error:
            what = f"a column holds values of another type than the bundle's contract says ({type(error).__name__})"
            advice = "give columns of the types in contract.json"
            raise DataError(Problem(what, "the rows to predict", advice)) from error

    def predict_record(self, record: Mapping[str, Any], *, proba: bool = False) -> Answer:
        """Clean and predict one raw record, a value by column name; None is null.

        The same answer as `predict` gives for a table of this row, for a few dozen microseconds where the bundle keeps
        its compiled form, that covers the record, and there are no cleaning steps. Else, and for probabilities of
        linear models, scikit-learn is called, which takes milliseconds and is imported first. Raises DataError for a
        missing column, a value of another type than its column, a record that gets no prediction, and what is no
        mapping.
        """
        return predict_one(self, record, proba=proba)

    @classmethod
    def load(cls, uri: str, *, sha256: str | None = None, trust: bool = False) -> Bundle:
        """The bundle in a folder; no code in it is run, unless it is trusted and its ``pipeline.joblib`` has the hash.

        Raises ModelError as `scoreline.bundle.files.load_bundle` does.
        """
        from scoreline.bundle.artifact import ArtifactConfig
        from scoreline.bundle.files import load_bundle

        return load_bundle(uri, given=ArtifactConfig(uri=uri, sha256=sha256, trust=trust))

    def score(self, clean: CleanPart, *, proba: bool = False, place: Place | None = None) -> Scored:
        """Predict rows that are clean already: the second half of `predict`."""
        outcome, tier = self._outcome(clean.table, proba=proba, place=place)
        return self._scored(outcome, tier, clean)

    def _scored(self, outcome: Outcome, tier: Tier, clean: CleanPart) -> Scored:
        return Scored(
            as_answers(outcome.predictions, self.answer_type),
            outcome.proba,
            _moved(outcome.positions, clean.positions),
            clean.refusals
            + tuple(Refusal(clean.positions[r.rows], r.reason, r.detail, r.column, r.stage) for r in outcome.refusals),
            clean.filtered,
            clean.hits,
            tier,
        )

    @property
    def program(self) -> Program | NotCompilable | None:
        """The compiled form that the bundle keeps, loaded once per process; or why it is not used."""
        return self.stored.program if isinstance(self.stored, StoredProgram) else self.stored

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why this process does not predict by a faster tier, as far as known."""
        program = self.program
        stored = (f"stored: {program.reason}",) if isinstance(program, NotCompilable) else ()
        return (*stored, *self.scorer.reasons)

    @property
    def scorer(self) -> Scorer:
        """How this process predicts large parts: the tier that it has come to, and why no faster one."""
        return self._ready.scorer

    @property
    def _ready(self) -> Ready:
        return _ready(self, self.fitted)

    def _outcome(self, table: pa.Table, *, proba: bool, place: Place | None) -> tuple[Outcome, Tier]:
        # Parts of a unit are answered by tiers that may be given up; short ones among them by scikit-learn.
        if place is None and table.num_rows < LEAST_ROWS and isinstance(program := self.program, Program):
            kept = program.answers(table, proba=proba)
            if kept is not None:
                return Outcome(kept.predictions, kept.proba, every_row(table.num_rows)), Tier.COMPILED
        scorer = self.scorer
        found = scorer.answers(table, proba=proba, place=place)
        if found is None:
            return predict_or_refuse(self.fitted, self.frame(table), proba=proba), Tier.PLAIN
        if isinstance(found, Partial):
            return completed(found, self.fitted, self.frame, table, proba=proba), scorer.tier
        return Outcome(found.given, found.proba, every_row(table.num_rows)), scorer.tier

    def frame(self, table: pa.Table) -> pd.DataFrame:
        """The DataFrame that the fitted object takes, of a cleaned table."""
        return self._ready.frames.of_table(table)


class Ready(NamedTuple):
    """What a bundle asks for with each part; `takes_frames` says whether raw columns are what cleaning makes."""

    scorer: Scorer
    frames: Frames
    takes_frames: bool


@lru_cache(maxsize=4)
def _ready(bundle: Bundle, fitted: Fitted) -> Ready:
    # By identity: to compare the input columns of two bundles takes longer than a small part.
    scorer = scorer_of(fitted, bundle.inputs, from_pandas=bundle.from_pandas)
    frames = frames_of(fitted, bundle.inputs, from_pandas=bundle.from_pandas)
    raw = bundle.contract.schema
    # The contract may know a column by another type, which it then has to be.
    known = all(
        name in raw.names and raw.field(name).type == bundle.inputs.field(name).type for name in bundle.inputs.names
    )
    return Ready(scorer, frames, known and not bundle.cleaning.steps)


def _moved(rows: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Where rows stood before; most often they are all."""
    return positions if len(rows) == len(positions) else positions[rows]


def as_answers(predictions: np.ndarray | Chosen, answer_type: pa.DataType) -> pa.Array:
    """Predictions as an Arrow array, text that was chosen among classes or has a fixed width in codes; exact.

    Raises ModelError where the type does not hold them.

    >>> import numpy as np
    >>> as_answers(np.array(["a", "b"], dtype=object), pa.string()).to_pylist()
    ['a', 'b']
    """
    several = not isinstance(predictions, Chosen) and predictions.ndim > 1
    if several or has_outputs(answer_type):
        return _of_outputs(np.asarray(predictions), answer_type)
    if isinstance(predictions, Chosen):
        classes = _texts(predictions.classes) if pa.types.is_string(answer_type) else None
        if classes is not None:
            places = pa.array(predictions.places.astype(np.int32, copy=False))
            return pa.DictionaryArray.from_arrays(places, classes, safe=False)
        predictions = np.asarray(predictions)
    try:
        # Arrow would import pandas, if nobody has.
        plain = None if "pandas" in sys.modules else plain_array(predictions, answer_type)
        if plain is not None:
            return plain
        if predictions.dtype.kind == "U" and predictions.nbytes and pa.types.is_string(answer_type):
            return _in_codes(predictions)
        if predictions.dtype.kind in "OU" or not len(predictions):
            return pa.array(predictions.tolist(), type=answer_type)
        made = pa.array(predictions)
        return made if made.type == answer_type else made.cast(answer_type)
    except (pa.ArrowException, OverflowError, UnicodeEncodeError) as error:
        what = f"the model answers with values that are not all {type_name(answer_type)}, as its first ones were"
        raise ModelError(Problem(what, "predict", "hand over a model whose predictions are of one type")) from error


def _of_outputs(predictions: np.ndarray, answer_type: pa.StructType) -> pa.StructArray:
    """Predictions of several outputs (rows, outputs), those of each output in a field. Raises as `as_answers` does."""
    outputs = len(answer_type) if has_outputs(answer_type) else 1
    # Of no rows nobody knows how many outputs they would have.
    given = predictions if len(predictions) else np.empty((0, outputs))
    if given.shape[1:] != (outputs,):
        raise ModelError(other_outputs())
    arrays = [as_answers(given[:, number], field.type) for number, field in enumerate(answer_type)]
    return pa.StructArray.from_arrays(list(map(_decoded, arrays)), type=answer_type)


def _decoded(answers: pa.Array) -> pa.Array:
    return answers.dictionary_decode() if pa.types.is_dictionary(answers.type) else answers


def _in_codes(texts: np.ndarray) -> pa.DictionaryArray:
    """Text of fixed width as codes: Arrow tells the values apart by their bytes, and each is made text once."""
    width, bits = texts.dtype.itemsize, pa.py_buffer(np.ascontiguousarray(texts))
    encoded = pa.Array.from_buffers(pa.binary(width), len(texts), [None, bits]).dictionary_encode()
    distinct = np.frombuffer(encoded.dictionary.buffers()[1], texts.dtype, count=len(encoded.dictionary))
    return pa.DictionaryArray.from_arrays(encoded.indices, pa.array(distinct.tolist(), pa.string()), safe=False)


def _texts(classes: np.ndarray) -> pa.Array | None:
    """Classes as text; None where one is none, which does no harm unless it is predicted."""
    try:
        return plain_array(classes, pa.string())
    except UnicodeEncodeError:
        return None


def answer_type_of(predictions: np.ndarray) -> pa.DataType:
    """The Arrow type for predictions like these: text, bool, int64, uint64 or float64; of several outputs, a struct.

    Raises ModelError for others.

    >>> import numpy as np
    >>> str(answer_type_of(np.array([[0.5, 1.5]])))
    'struct<prediction_0: double, prediction_1: double>'
    """
    if predictions.ndim > 1:
        return pa.struct([(f"{PREDICTED}_{i}", answer_type_of(of)) for i, of in enumerate(predictions.T)])
    by_kind = {"b": pa.bool_(), "i": pa.int64(), "u": pa.int64(), "f": pa.float64()}
    if predictions.dtype == np.uint64:
        return pa.uint64()
    if predictions.dtype.kind in by_kind:
        return by_kind[predictions.dtype.kind]
    try:
        return pa.array(predictions.tolist() if predictions.dtype.kind in "OU" else predictions).type
    except UnicodeEncodeError as error:
        what = "the model answers with text that is not Unicode"
        raise ModelError(Problem(what, "predict", "hand over a model whose labels can be written as UTF-8")) from error
    except pa.ArrowException as error:
        what = "the model answers with values of several types"
        raise ModelError(Problem(what, "predict", "hand over a model whose predictions are of one type")) from error
