"""The compiled form that a bundle keeps: arrays that answer without scikit-learn, and a certificate of them.

It is made once, where the bundle is made, and proven against scikit-learn there. A process that loads the bundle uses
it when every byte is what was written and the process is like the one that made it, and else calls scikit-learn.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from scoreline.bundle.compiling import made_of
from scoreline.bundle.golden import PREDICTION, PROBA, TOLERANCE
from scoreline.compiled.baked.files import PROGRAM, as_files, from_files
from scoreline.compiled.plan import NotCompilable
from scoreline.storage import join, mapped, read_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from scoreline.bundle.bundle import Bundle
    from scoreline.compiled.baked.program import Program
    from scoreline.compiled.baked.proving import Proven

FOLDER = "compiled"
CERTIFICATE = f"{FOLDER}/certificate.json"
_FORMAT = 1
_PACKAGES = ("numpy", "scipy", "numba", "scikit-learn", "pandas", "scoreline")


@dataclass(frozen=True)
class StoredProgram:
    """Where a bundle keeps its compiled form, the hash that the certificate must have, and that of the model."""

    uri: str
    certificate: str
    model: str

    @property
    def program(self) -> Program | NotCompilable:
        """The program, loaded and checked once per process; or why it is not used."""
        return _loaded(self)


def program_files(bundle: Bundle, real: pa.Table, golden: pa.Table) -> dict[str, bytes]:
    """The files of a bundle's compiled form by name; of one that has none, a certificate that says why. Eager.

    It is proven on `real`, rows as they are after cleaning, on hard ones, and on the `golden` rows. Scikit-learn
    answers for some thousand rows.
    """
    from scoreline.compiled.baked.proving import proven

    plan, frame, reference = made_of(bundle.fitted, bundle.inputs, from_pandas=bundle.from_pandas)
    found = proven(plan, bundle.inputs, frame, reference, real)
    if not isinstance(found, NotCompilable):
        found = _on_golden(bundle, found, golden)
    if isinstance(found, NotCompilable):
        return {CERTIFICATE: _as_json({"format": _FORMAT, "reason": found.reason})}
    files = {f"{FOLDER}/{name}": body for name, body in as_files(found.program).items()}
    hashes = {name: hashlib.sha256(body).hexdigest() for name, body in files.items()}
    proof = {**found.rows, "golden": golden.num_rows}
    stated = {"format": _FORMAT, "model": bundle.identity, "files": hashes, "proven_on": proof, **_here()}
    return {**files, CERTIFICATE: _as_json(stated)}


def _on_golden(bundle: Bundle, found: Proven, golden: pa.Table) -> Proven | NotCompilable:
    held = held_to_golden(bundle, found.program, golden)
    return NotCompilable(held.fault) if held.fault else found


class Held(NamedTuple):
    """What came of the golden rows: what is wrong, empty when nothing is, and whether all of them were compared."""

    fault: str
    whole: bool


def held_to_golden(bundle: Bundle, program: Program, golden: pa.Table) -> Held:
    """Hold a program's answers to the golden ones; eager. Rows that it leaves to scikit-learn are passed over."""
    clean = bundle.cleaning.apply(golden.select(bundle.needs))
    found = program.partly(clean.table)
    if found is None:
        return Held("it reads columns of other types than the golden rows have", whole=False)
    rows = clean.positions[found.rows].tolist()
    expected = golden[PREDICTION].to_pylist()
    if not _equal(found.answers.predictions.tolist(), [expected[row] for row in rows]):
        return Held("other answers than scikit-learn's for golden rows", whole=False)
    whole = len(rows) == golden.num_rows
    return (
        _with_proba(program.near_proba(clean.table), golden)
        if whole and PROBA in golden.column_names
        else Held("", whole)
    )


def _equal(found: list[Any], expected: list[Any]) -> bool:
    numbers = bool(found) and all(isinstance(value, float) for value in found)
    return bool(np.allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE)) if numbers else found == expected


def _with_proba(found: np.ndarray | None, golden: pa.Table) -> Held:
    if found is None or not golden.num_rows:
        return Held("", whole=found is not None)
    close = np.allclose(found, np.array(golden[PROBA].to_pylist()), rtol=0, atol=TOLERANCE)
    return Held("" if close else "other probabilities than scikit-learn's for golden rows", whole=True)


def _as_json(content: Any) -> bytes:
    return (json.dumps(content, indent=2) + "\n").encode()


def _here() -> dict[str, Any]:
    """What a program's answers may depend on, as it is in this process."""
    from llvmlite import binding

    features = binding.get_host_cpu_features().flatten()
    cpu = {"name": binding.get_host_cpu_name(), "features": hashlib.sha256(features.encode()).hexdigest()}
    return {"versions": {name: version(name) for name in _PACKAGES}, "cpu": cpu}


@lru_cache(maxsize=4)
def _loaded(stored: StoredProgram) -> Program | NotCompilable:
    try:
        return _checked(stored)
    except Exception as error:  # noqa: BLE001  whatever is wrong with it, scikit-learn answers as before
        return NotCompilable(f"the stored program cannot be used: {type(error).__name__}: {error}")


def _checked(stored: StoredProgram) -> Program | NotCompilable:
    body = read_bytes(join(stored.uri, CERTIFICATE))
    if hashlib.sha256(body).hexdigest() != stored.certificate:
        return NotCompilable(f"'{CERTIFICATE}' is not what was written")
    stated = json.loads(body)
    if "reason" in stated:
        return NotCompilable(stated["reason"])
    other = _other(stated, stored)
    if other:
        return NotCompilable(f"the stored program was made with another {other}")
    bodies = {name: mapped(join(stored.uri, name)) for name in stated["files"]}
    changed = [name for name, sha256 in stated["files"].items() if hashlib.sha256(bodies[name]).hexdigest() != sha256]
    if changed:
        return NotCompilable(f"'{changed[0]}' is not what was written")
    arrays = {name: _array(content) for name, content in bodies.items() if name.endswith(".npy")}
    return from_files(bytes(bodies[f"{FOLDER}/{PROGRAM}"]), {_plain(name): array for name, array in arrays.items()})


def _other(stated: Mapping[str, Any], stored: StoredProgram) -> str:
    """What is different here from where a program was made; empty when nothing is."""
    here = _here()
    found = [name for name in _PACKAGES if stated["versions"][name] != here["versions"][name]]
    found += ["processor"] if stated["cpu"] != here["cpu"] else []
    found += ["model"] if stated["model"] != stored.model else []
    found += ["format"] if stated["format"] != _FORMAT else []
    return ", ".join(found)


def _plain(name: str) -> str:
    return name.removeprefix(f"{FOLDER}/").removesuffix(".npy")


def _array(body: memoryview) -> np.ndarray:
    """The array of an ``.npy`` file, where it lies."""
    header = io.BytesIO(body[:4096])
    np.lib.format.read_magic(header)
    shape, by_column, dtype = np.lib.format.read_array_header_1_0(header)
    if by_column and len(shape) > 1:
        raise ValueError("an array stored by columns")
    return np.frombuffer(body, dtype, offset=header.tell()).reshape(shape)
