"""What lies in a store after a fault, read without the code under test, and whether it keeps the promises."""

from __future__ import annotations

import hashlib
import io
import json
import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from tests.faults.scene import MODELS, Key, Reference, Scene


@dataclass(frozen=True)
class Place:
    """Where a data set is published: a local path, or a key prefix in a bucket with a client that reads it."""

    uri: str
    client: Any = None

    @property
    def name(self) -> str:
        """The kind of the storage."""
        return "local" if self.client is None else "s3"

    def files(self, below: str = "") -> dict[str, bytes]:
        """Content of every file in a folder of the store, hidden ones included, by path below the store."""
        return {path: self._read(path) for path in self.paths(below)}

    def paths(self, below: str = "") -> list[str]:
        """The path of every file in a folder of the store, without the hard links that versions are made of."""
        if self.client is not None:
            return self._keys(below)
        store = Path(f"{self.uri}.store")
        found = (path.relative_to(store).as_posix() for path in (store / below).rglob("*") if path.is_file())
        return [path for path in found if not path.startswith("versions/")]

    def _keys(self, below: str) -> list[str]:
        bucket, prefix = self._bucket_and_prefix()
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix + below)
        return [item["Key"][len(prefix) :] for page in pages for item in page.get("Contents", ())]

    def _read(self, path: str) -> bytes:
        if self.client is None:
            return Path(f"{self.uri}.store", path).read_bytes()
        bucket, prefix = self._bucket_and_prefix()
        body: bytes = self.client.get_object(Bucket=bucket, Key=prefix + path)["Body"].read()
        return body

    def _bucket_and_prefix(self) -> tuple[str, str]:
        bucket, _, prefix = f"{self.uri}.store/".removeprefix("s3://").partition("/")
        return bucket, prefix


def broken_promise(error: AssertionError) -> str:
    """Which assertion failed, where, and what it says."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno} {frame.line} {str(error)[:500]}".strip()


def names_that_readers_see(place: Place) -> frozenset[str]:
    """The names of the files that the symlink, or on S3 the newest commit, leads to; none when there is no version."""
    if place.client is None:
        folder = Path(place.uri)
        return frozenset(path.name for path in folder.iterdir()) if folder.exists() else frozenset()
    folders = [f"runs/{key}/data/" for key in committed(place.files("commits/"))[-1:]]
    return frozenset(path[len(folder) :] for folder in folders for path in place.paths(folder))


def assert_kept(scene: Scene, place: Place, history: Sequence[str]) -> None:
    """The store holds these models' runs as its versions, each whole, and readers are led to the last of them."""
    files = place.files()
    runs = [scene.calm[model] for model in history]
    assert committed(files) == [run.key for run in runs]
    for path in (path for path in files if path.startswith("commits/")):
        told = run_of(json.loads(files[path]))
        assert told["manifest_sha256"] == sha256(files[f"manifests/{told['run']}.ndjson"])
    for run in {run.key: run for run in runs}.values():
        assert_run_is_whole(files, run)
    for model in set(history):
        assert_every_row_once(scene, files, model)
    assert_readers_are_led(place, files, runs)
    assert_nothing_strange(scene, files)


def committed(files: Mapping[str, bytes]) -> list[str]:
    """The run of each version, in order; versions must be numbered from one without gaps."""
    names = sorted(path for path in files if path.startswith("commits/"))
    assert names == [f"commits/{number + 1:020d}.json" for number in range(len(names))], names
    return [str(run_of(json.loads(files[name]))["run"]) for name in names]


def run_of(commit: Mapping[str, Any]) -> Mapping[str, Any]:
    """The only run of a commit."""
    (run,) = commit.get("runs", [commit])
    found: Mapping[str, Any] = run
    return found


def below(files: Mapping[str, bytes], folder: str) -> dict[str, str]:
    """sha256 of the files in a folder of the store, by name."""
    return {path[len(folder) :]: sha256(body) for path, body in files.items() if path.startswith(folder)}


def sha256(body: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(body).hexdigest()


def assert_run_is_whole(files: Mapping[str, bytes], run: Reference) -> None:
    """Every file of the run is there, is byte for byte that of the undisturbed run, and there is no other."""
    assert below(files, f"runs/{run.key}/data/") == run.data
    assert below(files, f"quarantine/{run.key}/") == run.quarantine
    assert below(files, f"receipts/{run.key}/") == run.receipts
    assert sha256(files[f"manifests/{run.key}.ndjson"]) == run.manifest


def assert_run_is_a_part(files: Mapping[str, bytes], run: Reference) -> None:
    """Whatever of the run is there is byte for byte that of the undisturbed run."""
    assert below(files, f"runs/{run.key}/data/").items() <= run.data.items()
    assert below(files, f"quarantine/{run.key}/").items() <= run.quarantine.items()
    assert below(files, f"receipts/{run.key}/").items() <= run.receipts.items()


def assert_every_row_once(scene: Scene, files: Mapping[str, bytes], model: str) -> None:
    """Each input row is in the predictions or in quarantine, once; and the answers are this model's."""
    key = scene.calm[model].key
    predicted = [row for path in sorted(files) if path.startswith(f"runs/{key}/data/") for row in _rows(files[path])]
    refused = [row for path in sorted(files) if path.startswith(f"quarantine/{key}/") for row in _rows(files[path])]
    found: Counter[Key] = Counter((row["source_file"], row["source_row"]) for row in predicted)
    found.update((row["_source_file"], row["_source_row"]) for row in refused)
    assert found == Counter(scene.keys)
    assert {row["prediction"] for row in predicted} == set(MODELS[model])


def _rows(body: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(io.BytesIO(body), page_checksum_verification=True).to_pylist()
    return found


def assert_readers_are_led(place: Place, files: Mapping[str, bytes], runs: Sequence[Reference]) -> None:
    """The pointers name the newest version, and what is behind the symlink is that version's files and no other."""
    assert json.loads(files["latest.json"])["version"] == len(runs)
    if place.client is not None:
        return
    link = Path(place.uri)
    assert link.resolve() == Path(f"{place.uri}.store/versions/{len(runs)}").resolve()
    found = {path.name: sha256(path.read_bytes()) for path in link.iterdir()}
    assert found == runs[-1].data
    for name in runs[-1].data:
        assert (link / name).samefile(Path(f"{place.uri}.store/runs/{runs[-1].key}/data/{name}"))


def assert_nothing_strange(scene: Scene, files: Mapping[str, bytes]) -> None:
    """No file is in the store that no undisturbed run would have left; hidden scratch files apart."""
    for run in scene.calm.values():
        assert_run_is_a_part(files, run)
    visible = [path for path in files if not path.rpartition("/")[2].startswith(".")]
    known = {run.key for run in scene.calm.values()}
    strange = [path for path in visible if path.split("/")[0] not in FOLDERS and path != "latest.json"]
    foreign = [path for path in visible if path.split("/")[0] in FOLDERS_OF_RUNS and _key_in(path) not in known]
    assert not strange + foreign, strange + foreign


FOLDERS_OF_RUNS = ("runs", "quarantine", "receipts", "manifests", "plans")
FOLDERS = (*FOLDERS_OF_RUNS, "commits")


def _key_in(path: str) -> str:
    return path.split("/")[1].partition(".")[0]
