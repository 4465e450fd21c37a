"""The config as one frozen value. Building it touches neither disk nor network."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from scoreline.bundle.artifact import ArtifactConfig
from scoreline.cleaners.base import Step
from scoreline.clusters.base import Cluster
from scoreline.config.kinds import KindOf
from scoreline.config.overrides import Origin
from scoreline.config.positions import JsonPath, path_of, spelled
from scoreline.config.secrets import redacted
from scoreline.contract import ContractConfig
from scoreline.evaluation import GateRule
from scoreline.metrics.base import Metric
from scoreline.models.base import Model
from scoreline.refusal import ErrorBudget
from scoreline.sampling import RandomSplit, SampleConfig, SplitConfig
from scoreline.search import SearchConfig
from scoreline.sinks.base import Sink
from scoreline.sources.base import Source
from scoreline.task import Task
from scoreline.transformers.base import Transformer

if TYPE_CHECKING:
    from scoreline.errors import Problem

AnySource = Annotated[Source, KindOf("sources")]
AnySink = Annotated[Sink, KindOf("sinks")]

Kept = Literal["cleaned", "transformed", "sample", "held_out"]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TrainConfig(_Section):
    """How the model is trained."""

    sample: SampleConfig = Field(
        SampleConfig(rows=1_000_000),
        description="Training rows that the model is fitted on; transformers see all of them.",
    )
    split: SplitConfig = Field(RandomSplit(), description="Which rows are held out from training, for evaluation.")
    model: Annotated[Model, KindOf("models")] = Field(description="The model and its parameters.")
    task: Task | None = Field(
        None,
        description="What to learn; null decides by the model and by the type of the target: text is classification.",
    )
    search: SearchConfig | None = Field(None, description="Parameters to try; the best ones train the model.")
    fit: Literal["sample", "incremental"] = Field(
        "sample", description="incremental: partial_fit over all training rows, for data larger than memory."
    )
    seed: int = Field(42, ge=0, le=2**32 - 1, description="Seed of everything that is drawn: split, sample, model.")
    threads: int = Field(2, ge=1, description="Threads that fit the model. Another number may give another model.")
    keep: tuple[Kept, ...] = Field((), description="Intermediate data to keep as Parquet in the run folder.")


class EvaluateConfig(_Section):
    """How the model is judged, on rows that it never saw."""

    source: AnySource | None = Field(None, description="Data to evaluate on instead of the held-out rows.")
    metrics: tuple[Annotated[Metric, KindOf("metrics", bare=True)], ...] | None = Field(
        None, description="Names of metrics; null takes the usual ones of the task."
    )
    slices: tuple[str, ...] = Field((), description="Columns; metrics are also given for each of their values.")
    gate: tuple[GateRule, ...] = Field((), description="What the model must reach before it may predict.")
    replicates: int = Field(200, ge=0, le=10_000, description="Bootstrap replicates for intervals; 0 gives none.")


class PredictConfig(_Section):
    """What is predicted, and where predictions go."""

    source: AnySource | None = Field(None, description="Data to predict on; null takes the config's source.")
    sink: AnySink = Field(description="Where predictions are written.")
    mode: Literal["replace", "append"] = Field(
        "replace",
        description="replace: a version is all of the input; append: it keeps what the version before has, and only "
        "new or changed files are scored.",
    )
    keep: Literal["all"] | tuple[str, ...] = Field(
        "all", description="Input columns beside the predictions: all, or a list."
    )
    row_id: bool = Field(True, description="Write source_file and source_row, the identity of each row.")
    proba: bool = Field(
        False,
        description="Write a probability for each class, proba_<label>; of several outputs proba_0_<label> and so on.",
    )
    on_bad_row: Literal["quarantine", "fail"] = Field(
        "quarantine", description="What to do with a row that cannot be predicted."
    )
    error_budget: ErrorBudget = Field(ErrorBudget(), description="How many refused rows are too many to publish.")
    batch_rows: int = Field(65_536, ge=1, le=10_000_000, description="Rows a worker reads at once. Changes no output.")


class LoggingConfig(_Section):
    """What a run says while it runs."""

    level: Literal["debug", "info", "warning"] = Field("info", description="The least important events to tell.")
    format: Literal["text", "json"] = Field("text", description="text: lines to read; json: one JSON object per event.")


class JobConfig(_Section):
    """One job: where data come from, how they become features, what is trained, judged and predicted."""

    schema_uri: str | None = Field(
        None, alias="$schema", description="The JSON Schema that editors use for completion."
    )
    version: Literal[1] = Field(1, description="Version of the config's format.")
    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$",
        description="Name of the job: letters, digits, dot, dash and underscore.",
    )
    source: AnySource = Field(
        description="The data: trained on, and predicted on unless predict.source says otherwise."
    )
    contract: ContractConfig = Field(ContractConfig(), description="What is asked of the input columns.")
    clean: tuple[Annotated[Step, KindOf("cleaners")], ...] = Field((), description="Cleaning steps, in order.")
    features: tuple[Annotated[Transformer, KindOf("transformers")], ...] = Field(
        (), description="Transformers, in order; a column that several name passes through them one after the other."
    )
    target: str | None = Field(None, min_length=1, description="The column to learn, as it is called after cleaning.")
    train: TrainConfig | None = Field(None, description="How to train; null to predict with a model fitted elsewhere.")
    evaluate: EvaluateConfig = Field(EvaluateConfig(), description="How to judge the model.")
    predict: PredictConfig | None = Field(None, description="What to predict; null predicts nothing.")
    transformer: ArtifactConfig | None = Field(None, description="A fitted transformer from elsewhere, beside model.")
    model: ArtifactConfig | None = Field(None, description="A fitted model or whole pipeline from elsewhere.")
    artifacts: str = Field(min_length=1, description="Folder for runs and models; local or s3://.")
    cluster: Annotated[Cluster, KindOf("clusters")] | None = Field(
        None,
        description="Where tasks run; null: in this process below about a million rows, else one process per core.",
    )
    logging: LoggingConfig = Field(LoggingConfig(), description="How much a run says, and in which form.")

    _origin: Origin | None = PrivateAttr(None)

    @property
    def predict_source(self) -> Source:
        """The data that are predicted on."""
        return self.source if self.predict is None or self.predict.source is None else self.predict.source

    def where(self, *path: str | int) -> str:
        """A part of the config as messages name it: file, line, column and JSON path, as far as they are known."""
        return spelled(path) if self._origin is None else self._origin.where(path)

    def located(self, problem: Problem) -> Problem:
        """A problem, told with its place in the file where it names a JSON path of the config."""
        if not problem.where.startswith("$"):
            return problem
        return replace(problem, where=self.where(*path_of(problem.where)))

    def as_json(self) -> dict[str, Any]:
        """The whole config with every default written out, as JSON values; credentials are hidden."""
        dumped: dict[str, Any] = redacted(self.model_dump(mode="json", by_alias=True))
        return dumped


def placed(job: JobConfig, origin: Origin) -> JobConfig:
    """The job, knowing where its parts stand."""
    known = job.model_copy()
    known._origin = origin  # noqa: SLF001
    return known


__all__ = [
    "EvaluateConfig",
    "JobConfig",
    "JsonPath",
    "LoggingConfig",
    "PredictConfig",
    "TrainConfig",
    "placed",
]
