"""The files of a bundle: written once, complete when ``SHA256SUMS`` is there, checked before anything is loaded."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import sys
from dataclasses import replace
from importlib.metadata import packages_distributions, version
from types import FunctionType
from typing import TYPE_CHECKING, Any, ClassVar
from zipfile import ZIP_DEFLATED

import pyarrow as pa
import pyarrow.parquet as pq

from scoreline import cleaning, contract
from scoreline.bundle.artifact import ArtifactConfig
from scoreline.bundle.bundle import Bundle
from scoreline.bundle.golden import as_bytes, check_golden
from scoreline.bundle.stored_program import CERTIFICATE, FOLDER, Held, StoredProgram, held_to_golden, program_files
from scoreline.compiled.baked.program import Program
from scoreline.compiled.plan import NotCompilable
from scoreline.errors import ModelError, Problem
from scoreline.own_modules import texts_of
from scoreline.storage import create, exists, join, list_names, read_bytes, read_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType

MODEL, SAFE_MODEL, SUMS = "pipeline.joblib", "pipeline.skops", "SHA256SUMS"
CONTRACT, CLEANING, GOLDEN = "contract.json", "cleaning.json", "golden.parquet"
REQUIRED = ("scikit-learn", "numpy", "scipy", "pandas", "pyarrow", "joblib", "skops")


def dumped(pipeline: Any) -> bytes:
    """The bytes of ``pipeline.joblib``: what `joblib.dump` writes, with equal strings and dtypes always written once.

    Pickle writes an equal object again unless it is the same one, and whether it is depends on the process that fitted
    the pipeline; so the same pipeline would have another hash on every cluster. Nor does it matter whether dill is
    imported, which teaches all of pickle ways of its own.
    """
    import numpy as np
    from joblib.numpy_pickle import NumpyPickler

    own = {kind: save for kind, save in NumpyPickler.dispatch.items() if not save.__module__.startswith("dill")}
    replaced = {dict: NumpyPickler.save_dict, FunctionType: NumpyPickler.save_global, type: NumpyPickler.save_type}

    class Canonical(NumpyPickler):  # type: ignore[misc]
        dispatch: ClassVar[dict[type, Any]] = own | replaced

        def save(self, obj: Any) -> Any:
            return super().save(first.setdefault((type(obj), obj), obj) if isinstance(obj, str | np.dtype) else obj)

    first: dict[tuple[type, Any], Any] = {}
    buffer = io.BytesIO()
    Canonical(buffer).dump(pipeline)
    return buffer.getvalue()


def write_bundle(
    uri: str, bundle: Bundle, pipeline: Any, golden: pa.Table, provenance: Mapping[str, Any], *, real: pa.Table
) -> None:
    """Create every file of a bundle beside its ``pipeline.joblib``; ``SHA256SUMS`` comes last and completes it.

    Its compiled form is proven on `real`, rows as they are after cleaning.
    """
    from skops import io as skops_io

    files = {
        # Trees are mostly zeros. The joblib file stays as it is: its hash names the model, whichever zlib is installed.
        SAFE_MODEL: skops_io.dumps(pipeline, compression=ZIP_DEFLATED, compresslevel=1),
        CONTRACT: as_json(bundle.contract.as_json()),
        CLEANING: as_json(_prediction_as_json(bundle)),
        GOLDEN: as_bytes(golden),
        "provenance.json": as_json(provenance),
        "requirements.txt": "".join(f"{name}=={version(name)}\n" for name in required(pipeline)).encode(),
        # For people: loading a bundle runs none of them.
        **{f"modules/{name}.py": text for name, text in texts_of(bundle.modules).items()},
        **program_files(bundle, real, golden),
    }
    for name, body in files.items():
        create(join(uri, name), body)
    hashes = {name: hashlib.sha256(read_bytes(join(uri, name))).hexdigest() for name in (MODEL, *files)}
    create(join(uri, SUMS), "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes)).encode())


def required(pipeline: Any) -> tuple[str, ...]:
    """The packages that prediction needs: the usual ones, and those that the estimators inside a pipeline come from."""
    installed = packages_distributions()
    modules = {type(inside).__module__.partition(".")[0] for inside in pipeline.get_params().values()}
    others = {installed[module][0] for module in modules if module in installed}
    return (*REQUIRED, *sorted(others.difference(REQUIRED)))


def _prediction_as_json(bundle: Bundle) -> dict[str, Any]:
    return {
        "needs": list(bundle.needs),
        "steps": bundle.cleaning.as_json(),
        "references": list(bundle.cleaning.reference_hashes()),
        "inputs": {field.name: contract.type_name(field.type) for field in bundle.inputs},
        "inputs_arrow_schema": base64.b64encode(bundle.inputs.serialize().to_pybytes()).decode(),
        "answer": contract.type_name(bundle.answer_type),
        "labels": None if bundle.labels is None else list(bundle.labels),
        "target": bundle.target,
        "modules": list(bundle.modules),
    }


def as_json(content: Any) -> bytes:
    """A JSON file that people can read."""
    return (json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n").encode()


def is_bundle(uri: str) -> bool:
    """True when a complete bundle is at the location."""
    return exists(join(uri, SUMS))


def newest_bundle(models: str, key: str) -> str | None:
    """The bundle of a train_key that was completed last, in a folder of bundles; None when there is none."""
    found = [join(models, name) for name in list_names(models) if name.startswith(key[:12])]
    complete = [uri for uri in found if is_bundle(uri)]
    return max(complete, key=lambda uri: read_json(join(uri, "provenance.json"))["created"], default=None)


def load_bundle(uri: str, given: ArtifactConfig | None = None) -> Bundle:
    """The bundle in a folder: every hash is checked, then the golden rows are predicted again.

    A bundle of one's own is loaded from its ``pipeline.joblib``. One that was handed over (`given`) is so only when it
    is trusted and its hash is pinned, and else from its ``pipeline.skops``.

    Raises ModelError for a file that was changed or is missing, for own modules that are not imported, and when the
    golden rows come out differently. They are not predicted when a reference that the cleaning joins has another
    content now than when the bundle was made: then other answers are right.
    """
    hashes = _checked_hashes(uri)
    stored = json.loads(read_bytes(join(uri, CLEANING)))
    modules = _own_modules(uri, stored["modules"])
    bundle = Bundle(
        contract=contract.from_json(json.loads(read_bytes(join(uri, CONTRACT)))),
        needs=tuple(stored["needs"]),
        cleaning=cleaning.from_json(stored["steps"], modules).surveyed(),
        inputs=pa.ipc.read_schema(pa.py_buffer(base64.b64decode(stored["inputs_arrow_schema"]))),
        model=_model(uri, hashes, given),
        transformer=None,
        answer_type=contract.parse_type(stored["answer"]),
        labels=None if stored["labels"] is None else tuple(stored["labels"]),
        modules=tuple(stored["modules"]),
        target=stored["target"],
        joblib_sha256=hashes[MODEL],
        stored=StoredProgram(uri, hashes[CERTIFICATE], hashes[MODEL]) if CERTIFICATE in hashes else None,
    )
    if list(bundle.cleaning.reference_hashes()) == stored["references"]:
        # `read_table` would import pandas.
        with pq.ParquetFile(io.BytesIO(read_bytes(join(uri, GOLDEN))), page_checksum_verification=True) as parquet:
            golden = parquet.read()
        return _held_to_golden(bundle, golden, uri)
    return bundle


def _held_to_golden(bundle: Bundle, golden: pa.Table, uri: str) -> Bundle:
    """The bundle, with its compiled form if that gives the golden answers; else scikit-learn must give them."""
    program = bundle.program
    held = held_to_golden(bundle, program, golden) if isinstance(program, Program) else Held("", whole=False)
    if held.whole and not held.fault:
        return bundle
    check_golden(replace(bundle, stored=None), golden, uri)
    return replace(bundle, stored=NotCompilable(held.fault)) if held.fault else bundle


def _model(uri: str, hashes: Mapping[str, str], given: ArtifactConfig | None) -> ArtifactConfig:
    if given is None:
        return ArtifactConfig(uri=join(uri, MODEL), sha256=hashes[MODEL], trust=True)
    if given.sha256 is not None and given.sha256 != hashes[MODEL]:
        raise ModelError(
            Problem(
                f"the sha256 of its {MODEL} is {hashes[MODEL]}, not the {given.sha256} that was expected",
                uri,
                "make sure that this is the bundle that was handed over; if it is, put its hash into the config",
            )
        )
    if given.trust and given.sha256 is not None:
        return ArtifactConfig(uri=join(uri, MODEL), sha256=hashes[MODEL], trust=True)
    return ArtifactConfig(uri=join(uri, SAFE_MODEL), sha256=hashes[SAFE_MODEL])


def _own_modules(uri: str, names: Sequence[str]) -> list[ModuleType]:
    missing = [name for name in names if name not in sys.modules]
    if missing:
        what = "the bundle was made with the module '{}' of your own, which is not there"
        advice = "name it with --module {0}.py; in Python, import {0} first"
        raise ModelError(*(Problem(what.format(name), uri, advice.format(name)) for name in missing))
    return [sys.modules[name] for name in names]


def _checked_hashes(uri: str) -> dict[str, str]:
    lines = read_bytes(join(uri, SUMS)).decode(errors="replace").splitlines()
    expected = {name: stated for stated, _, name in (line.partition("  ") for line in lines)}
    unnamed = [name for name in (MODEL, SAFE_MODEL, CONTRACT, CLEANING, GOLDEN) if name not in expected]
    if unnamed:
        what = f"{SUMS} does not name {', '.join(unnamed)}: it is damaged"
        raise ModelError(Problem(what, join(uri, SUMS), "restore the bundle from a copy"))
    # Of the compiled form only the certificate counts, and that when it is used: scikit-learn answers without it, too.
    vital = {name: stated for name, stated in expected.items() if not name.startswith(f"{FOLDER}/")}
    changed = [name for name, stated in vital.items() if _hash_of(join(uri, name)) != stated]
    if changed:
        raise ModelError(
            *(
                Problem(
                    f"'{name}' is missing or not what was written: its sha256 differs from the one in {SUMS}",
                    join(uri, name),
                    "restore the bundle from a copy, or train it again",
                )
                for name in changed
            )
        )
    return expected


def _hash_of(uri: str) -> str | None:
    return hashlib.sha256(read_bytes(uri)).hexdigest() if exists(uri) else None
