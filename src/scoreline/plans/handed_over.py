"""Artifacts that were fitted elsewhere, as a bundle for the input that they are to predict."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scoreline.bundle.files import is_bundle, load_bundle
from scoreline.bundle.trying import Given, doubtful_types, tried
from scoreline.cleaning import Cleaning
from scoreline.errors import ClusterError, Problem, UsageError
from scoreline.plans.prediction import survey_to_predict
from scoreline.plans.training import kept_surveys
from scoreline.stages.pull import Asked, pull
from scoreline.storage import absolute, sha256_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from scoreline.bundle.artifact import ArtifactConfig
    from scoreline.bundle.bundle import Bundle
    from scoreline.clusters.base import Session
    from scoreline.config.models import JobConfig
    from scoreline.sources.base import Survey

PROBED_UNITS = 1_000
"""In so many units rows are looked for that can be predicted."""

MOST_AT_ONCE = 8
"""So many workers load artifacts first of all: each that dies of it has to be started again, and tries it alone."""


def survey_handed_over(job: JobConfig, model: ArtifactConfig) -> Survey:
    """The survey of the input for artifacts that were fitted elsewhere, of which none is loaded; eager."""
    if is_bundle(model.uri):
        bundle = _bundle_from_elsewhere(job, model)
        return survey_to_predict(job, bundle.contract, bundle.needs, bundle.target)
    return pull(job.predict_source, Asked(job.contract), kept_surveys(job))


def handed_over(
    job: JobConfig,
    model: ArtifactConfig,
    modules: Sequence[Path],
    survey: Survey | None = None,
    session: Session | None = None,
) -> tuple[Bundle, Survey]:
    """A bundle around artifacts that were fitted elsewhere, and the survey of the input it was checked against.

    `survey` is that of `survey_handed_over` where it is known already. With a `session` its workers load and try
    them, and this process need not import what they are made of; reference data are read here, once.

    Raises ModelError when the artifacts may not be loaded, want columns that are not there after cleaning, or cannot
    predict the first rows.
    """
    survey = survey or survey_handed_over(job, model)
    if is_bundle(model.uri):
        return _bundle_from_elsewhere(job, model), survey
    given = _given(job, model, modules, survey)
    is_light = not given.cleaning.reference_hashes()
    bundle = tried(given) if session is None or not is_light else _tried_by_workers(given, session)
    return bundle, replace(survey, notes=(*survey.notes, *doubtful_types(bundle.inputs, survey)))


def _given(job: JobConfig, model: ArtifactConfig, modules: Sequence[Path], survey: Survey) -> Given:
    return Given(
        model=pinned(model),
        transformer=None if job.transformer is None else pinned(job.transformer),
        modules=tuple(path.stem for path in modules),
        cleaning=Cleaning(job.clean).surveyed().at("predict"),
        target=job.target,
        survey=survey,
    )


def _tried_by_workers(given: Given, session: Session) -> Bundle:
    """What the first worker says; the others load it meanwhile, since they will need it too."""
    few = replace(given, survey=replace(given.survey, files=(), units=given.survey.units[:PROBED_UNITS]))
    copies = min(max(1, session.workers), MOST_AT_ONCE)
    try:
        return next(bundle for _, bundle in session.map(tried, [few] * copies, "load"))
    except ClusterError as error:
        # Of workers that died of it each says the same, with the same advice.
        raise ClusterError(*{problem.advice: problem for problem in error.problems}.values()) from error


def _bundle_from_elsewhere(job: JobConfig, model: ArtifactConfig) -> Bundle:
    """A bundle's folder named as the model: it brings its own contract and cleaning."""
    if job.clean:
        raise UsageError(
            Problem(
                "the model is a bundle, which brings its own cleaning, and the config has cleaning steps beside it",
                job.where("clean"),
                'remove "clean" from the config',
            )
        )
    return load_bundle(absolute(model.uri), given=model)


def pinned(artifact: ArtifactConfig) -> ArtifactConfig:
    """The artifact as every worker finds it: at an absolute location and, for skops, with the hash of what is there.

    Formats that run code get no hash here: without one in the config they are refused when loaded.
    """
    known = artifact.sha256 is not None or not artifact.uri.lower().endswith(".skops")
    sha256 = artifact.sha256 if known else sha256_of(artifact.uri)
    return artifact.model_copy(update={"uri": absolute(artifact.uri), "sha256": sha256})
