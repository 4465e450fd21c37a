"""Artifacts fitted elsewhere: where they are, what hash they must have, and whether they may run code when loaded."""

from __future__ import annotations

import hashlib
import io
import pickle
import sys
import warnings
from functools import partial
from pathlib import PurePosixPath
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from scoreline.bundle.allowed_types import allowed_types
from scoreline.errors import ModelError, Problem
from scoreline.garbage import uncollected
from scoreline.storage import read_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RUNS_CODE = (".joblib", ".pkl", ".pickle", ".dill")


class ArtifactConfig(BaseModel):
    """A fitted object in a file: skops, joblib, pickle or dill, told by the suffix."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uri: str = Field(min_length=1, description="Location of the file, or of a bundle's folder.")
    sha256: str | None = Field(
        None,
        pattern="^[0-9a-f]{64}$",
        description="Hash that the file's bytes must have: 64 small digits, as sha256sum tells them.",
    )
    trust: bool = Field(False, description="Load a format that can run code (joblib, pickle, dill). Needs sha256.")
    columns: tuple[str, ...] | None = Field(
        None, description="Feature columns in order, for an object that was fitted without column names."
    )


def load_artifact(artifact: ArtifactConfig, modules: Sequence[ModuleType] = ()) -> tuple[Any, str]:
    """The fitted object and the sha256 of its bytes. The bytes are hashed first and those very bytes are loaded.

    A skops file may refer to what own `modules` define: the user named them.
    Raises ModelError for a wrong hash, a pickle without trust and hash, types outside the allow-list of skops, a file
    that does not load, and an object saved by another version of scikit-learn.
    """
    suffix = PurePosixPath(artifact.uri).suffix.lower()
    if suffix != ".skops" and suffix not in RUNS_CODE:
        raise ModelError(_unknown_format(artifact.uri))
    body = read_bytes(artifact.uri)
    digest = hashlib.sha256(body).hexdigest()
    if not body:
        raise ModelError(Problem("the file is empty", artifact.uri, "save or copy the artifact again"))
    _check_hash(artifact, digest)
    if suffix in RUNS_CODE and not (artifact.trust and artifact.sha256):
        raise ModelError(_untrusted(artifact.uri, digest))
    return _loaded(artifact.uri, suffix, body, modules), digest


def _check_hash(artifact: ArtifactConfig, digest: str) -> None:
    if artifact.sha256 is not None and artifact.sha256 != digest:
        raise ModelError(
            Problem(
                f"the artifact's sha256 is {digest}, not the {artifact.sha256} that was expected",
                artifact.uri,
                "make sure that this is the file that was handed over; if it is, put its hash into the config",
            )
        )


def _untrusted(uri: str, digest: str) -> Problem:
    return Problem(
        "loading this file can run any code in it, and the config does not say that it is trusted",
        uri,
        f'if you know who made it, set "trust": true and "sha256": "{digest}"; safer: save it with skops.io.dump',
    )


def _unknown_format(uri: str) -> Problem:
    advice = f"name a file that ends in one of .skops {' '.join(RUNS_CODE)}, or the folder of a bundle"
    return Problem("this is of no format that can be loaded", uri, advice)


def _loaded(uri: str, suffix: str, body: bytes, modules: Sequence[ModuleType]) -> Any:
    with uncollected():
        from sklearn.exceptions import InconsistentVersionWarning

    from_skops = partial(_from_skops, modules=modules)
    loaders: dict[str, Callable[[bytes], Any]] = {".skops": from_skops, ".joblib": _from_joblib, ".dill": _from_dill}
    try:
        with warnings.catch_warnings(), uncollected():
            warnings.simplefilter("error", InconsistentVersionWarning)
            return loaders.get(suffix, _from_pickle)(body)
    except InconsistentVersionWarning as warning:
        raise ModelError(_other_version(uri, warning)) from warning
    except ModelError as error:
        raise ModelError(*(Problem(p.what, uri, p.advice) for p in error.problems)) from error
    except (AttributeError, ModuleNotFoundError) as error:
        raise ModelError(_missing_code(uri, error)) from error
    except Exception as error:
        raise ModelError(_damaged(uri, suffix, error)) from error


def _from_skops(body: bytes, modules: Sequence[ModuleType]) -> Any:
    from skops import io as skops_io

    named = set(skops_io.get_untrusted_types(data=body))
    allowed = named & allowed_types(modules)
    if allowed != named:
        raise ModelError(
            Problem(
                f"the file holds types that are not on the allow-list: {', '.join(sorted(named - allowed))}",
                "",
                "use plain scikit-learn objects and what a --module defines, or joblib with trust and sha256",
            )
        )
    return skops_io.loads(body, trusted=sorted(allowed))


def _from_pickle(body: bytes) -> Any:
    # joblib's own files, which many call so, have arrays between the instructions, or are compressed.
    is_plain = body.startswith(b"\x80") and b"NumpyArrayWrapper" not in body
    return pickle.loads(body) if is_plain else _from_joblib(body)


def _from_joblib(body: bytes) -> Any:
    import joblib

    return joblib.load(io.BytesIO(body))


def _from_dill(body: bytes) -> Any:
    import dill

    # Functions that it rebuilds look names up in the main module for as long as they live; own modules lend theirs to
    # the real one only while this loads.
    unpickler = dill.Unpickler(io.BytesIO(body))
    unpickler._main = ModuleType("__main__")  # noqa: SLF001
    vars(unpickler._main).update(vars(sys.modules["__main__"]))  # noqa: SLF001
    return unpickler.load()


def _other_version(uri: str, warning: Any) -> Problem:
    return Problem(
        f"{warning.estimator_name} was saved by scikit-learn {warning.original_sklearn_version}, "
        f"and {warning.current_sklearn_version} is installed here",
        uri,
        f"install scikit-learn {warning.original_sklearn_version}, or fit and save the artifact again",
    )


def _missing_code(uri: str, error: Exception) -> Problem:
    return Problem(
        f"the artifact refers to code that is not here: {error}",
        uri,
        "name the file that defines it with --module FILE.py, or install the package it comes from",
    )


def _damaged(uri: str, suffix: str, error: Exception) -> Problem:
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return Problem(
        f"the file does not load as {suffix[1:]}: {said}",
        uri,
        "check that the file is whole and that its suffix tells its format",
    )
