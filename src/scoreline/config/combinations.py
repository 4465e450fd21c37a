"""Combinations that no single key can judge: what a config says twice, contradicts, leaves out or may not say.

The rules look at the JSON values as they stand, so that they report beside the faults of single keys, all at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scoreline.catalogue import kind_class, kind_names
from scoreline.cleaners.base import FrameStep
from scoreline.config.contents import child, items, keyed, kind_of
from scoreline.config.faults import Fault
from scoreline.config.kinds import nearest
from scoreline.config.outputs import overlaps
from scoreline.config.secrets import holds_secret
from scoreline.config.types import contract_faults
from scoreline.errors import UsageError
from scoreline.storage import is_s3

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

    from scoreline.config.positions import JsonPath


def cross_faults(config: Any, modules: Sequence[ModuleType] = ()) -> list[Fault]:
    """All faults of combination in a config."""
    if not isinstance(config, dict):
        return []
    rules = (_purpose, _training, _handed_over, _leak, _secrets, _schemes, overlaps, contract_faults)
    found = [fault for rule in rules for fault in rule(config)]
    by_kind = (_duplicates, _task, _gate)
    return [*found, *(fault for rule in by_kind for fault in rule(config, modules))]


def _stated(config: dict[str, Any], key: str) -> bool:
    return config.get(key) is not None


def _purpose(config: dict[str, Any]) -> Iterator[Fault]:
    if not _stated(config, "train") and not _stated(config, "predict"):
        yield Fault((), "the config neither trains nor predicts", 'add "train", "predict" or both')
    elif not _stated(config, "train") and not _stated(config, "model"):
        advice = 'add "train" to fit a model, or "model" with the location of a fitted one'
        yield Fault(("predict",), "there is no model to predict with", advice)


def _training(config: dict[str, Any]) -> Iterator[Fault]:
    if not _stated(config, "train"):
        return
    if not config.get("features"):
        advice = 'add "features": at least one transformer, such as {"kind": "passthrough", "columns": [...]}'
        yield Fault(("features",), "training needs features", advice)
    if not _stated(config, "target"):
        yield Fault(("target",), "training needs a target", 'add "target": the name of the column to learn')
    if child(config, "train", "fit") == "incremental" and child(config, "train", "search") is not None:
        advice = 'remove "search", or write "fit": "sample"'
        yield Fault(("train", "search"), "a search cannot learn incrementally", advice)


def _handed_over(config: dict[str, Any]) -> Iterator[Fault]:
    if _stated(config, "train") and _stated(config, "model"):
        advice = 'remove "train" to predict with the model that is there, or "model" to train one'
        yield Fault(("model",), "a config trains a model or is handed one, not both", advice)
    if _stated(config, "transformer") and not _stated(config, "model"):
        advice = 'add "model", or hand over the whole pipeline as "model" alone'
        yield Fault(("transformer",), "a transformer alone predicts nothing", advice)
    if not _stated(config, "train") and config.get("features"):
        advice = 'remove "features": a fitted model brings its own; or add "train"'
        yield Fault(("features",), "features are fitted by training, and this config does not train", advice)
    for key in ("model", "transformer"):
        if str(child(config, key, "uri")).startswith("models:/"):
            yield Fault((key, "uri"), "models of a registry are not available yet", "give the location of a file")


def _leak(config: dict[str, Any]) -> Iterator[Fault]:
    target = config.get("target")
    for path, feature in items(config, "features"):
        columns = child(feature, "columns")
        if isinstance(target, str) and isinstance(columns, list) and target in columns:
            what = f'the target "{target}" is among the features'
            yield Fault((*path, "columns", columns.index(target)), what, "remove it: new data do not have it")


def _duplicates(config: dict[str, Any], modules: Sequence[ModuleType]) -> Iterator[Fault]:
    kinds = [(path, kind_class("cleaners", kind_of(step), modules)) for path, step in items(config, "clean")]
    frame_steps = [path for path, found in kinds if found is not None and issubclass(found, FrameStep)]
    for path in frame_steps[1:]:
        yield Fault(path, "only one step may look at all parts at once", "keep one drop_duplicates")


def _secrets(config: dict[str, Any]) -> Iterator[Fault]:
    for path, value in _texts(config, ()):
        if holds_secret(value):
            advice = "take it out: credentials come from the AWS_* variables, a profile or the machine's role"
            yield Fault(path, "this text holds credentials, and secrets never stand in a config", advice)


def _texts(value: Any, path: JsonPath) -> Iterator[tuple[JsonPath, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts(inner, (*path, number))


def _schemes(config: dict[str, Any]) -> Iterator[Fault]:
    for path, value in _texts(config, ()):
        if (path == ("artifacts",) or path[-1] in ("uri", "with")) and not value.startswith("models:/"):
            try:
                on_s3 = is_s3(value)
            except UsageError as error:
                yield from (Fault(path, problem.what, problem.advice) for problem in error.problems)
            else:
                yield from _location_faults(path, value, on_s3=on_s3)


def _location_faults(path: JsonPath, value: str, *, on_s3: bool) -> Iterator[Fault]:
    bucket, _, key = value.removeprefix("s3://").partition("/")
    if on_s3 and not bucket:
        yield Fault(path, "this S3 location names no bucket", "write s3://bucket/key")
    elif on_s3 and not key.strip("/") and path[-2:] == ("sink", "uri"):
        yield Fault(path, "predictions need a place inside the bucket", f"write s3://{bucket}/predictions")
    elif value.startswith("~"):
        yield Fault(path, '"~" means no home folder here', "write the path in full, or from the current folder")
    elif "\0" in value:
        yield Fault(path, "no location holds a NUL character", "remove it")


def _task(config: dict[str, Any], modules: Sequence[ModuleType]) -> Iterator[Fault]:
    """Whether model, task and metrics go together, as far as the names say."""
    kind = kind_of(child(config, "train", "model"))
    model = kind_class("models", kind, modules)
    able = tuple(getattr(model, "estimators", ()))
    task = child(config, "train", "task")
    if able and isinstance(task, str) and task in ("classification", "regression") and task not in able:
        advice = f'choose another model, or "task": "{able[0]}"'
        yield Fault(("train", "task"), f'the model "{kind}" does no {task}', advice)
    known = task if isinstance(task, str) else able[0] if len(able) == 1 else None
    for path, name in keyed(config, "evaluate", "metrics"):
        metric = kind_class("metrics", name, modules)
        wanted = getattr(metric, "task", None)
        known = known or wanted
        if wanted is not None and wanted != known:
            yield Fault(path, f'the metric "{name}" is for {wanted}, not for {known}', f"choose metrics for {known}")


def _gate(config: dict[str, Any], modules: Sequence[ModuleType]) -> Iterator[Fault]:
    """Whether the gate asks for metrics that are evaluated."""
    stated = [name for _, name in keyed(config, "evaluate", "metrics")]
    known = stated or list(kind_names("metrics", modules))
    for path, rule in items(config, "evaluate", "gate"):
        metric = rule.get("metric")
        if isinstance(metric, str) and metric not in known:
            exists = metric in kind_names("metrics", modules)
            advice = f'add "{metric}" to the metrics' if exists else nearest(metric, known)
            yield Fault((*path, "metric"), f'the gate asks for "{metric}", which is not evaluated', advice)
