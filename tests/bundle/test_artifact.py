"""Artifacts are loaded only when their hash, their format and the config allow it."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import dill
import joblib
import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from skops import io as skops_io

from scoreline.bundle.artifact import ArtifactConfig, load_artifact
from scoreline.errors import ModelError

X, Y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array(["a", "a", "b", "b"])
WRITERS = {
    ".skops": skops_io.dump,
    ".joblib": joblib.dump,
    ".pkl": lambda model, path: Path(path).write_bytes(pickle.dumps(model)),
    ".dill": lambda model, path: Path(path).write_bytes(dill.dumps(model)),
}


def saved(folder: Path, suffix: str) -> tuple[str, str]:
    path = folder / f"model{suffix}"
    WRITERS[suffix](LogisticRegression().fit(X, Y), path)
    return str(path), hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("suffix", WRITERS)
def test_every_format_is_loaded_when_it_is_trusted_and_pinned(tmp_path: Path, suffix: str) -> None:
    uri, sha256 = saved(tmp_path, suffix)
    model, digest = load_artifact(ArtifactConfig(uri=uri, sha256=sha256, trust=True))
    assert (model.predict(X).tolist(), digest) == (Y.tolist(), sha256)


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("xz", 1), ("bz2", 1)])
def test_a_pickle_may_be_what_joblib_wrote(tmp_path: Path, compress: object) -> None:
    path = tmp_path / "model.pkl"
    joblib.dump(RandomForestClassifier(3, random_state=0).fit(X, Y), path, compress=compress)
    given = ArtifactConfig(uri=str(path), sha256=hashlib.sha256(path.read_bytes()).hexdigest(), trust=True)
    assert load_artifact(given)[0].predict(X).tolist() == Y.tolist()


def test_skops_needs_no_trust(tmp_path: Path) -> None:
    uri, _ = saved(tmp_path, ".skops")
    assert load_artifact(ArtifactConfig(uri=uri))[0].predict(X).tolist() == Y.tolist()


@pytest.mark.parametrize("suffix", [".joblib", ".pkl", ".dill"])
@pytest.mark.parametrize("options", [{}, {"trust": True}, {"sha256": "right"}])
def test_a_pickle_needs_trust_and_a_hash(tmp_path: Path, suffix: str, options: dict[str, object]) -> None:
    uri, sha256 = saved(tmp_path, suffix)
    given = {**options, **({"sha256": sha256} if "sha256" in options else {})}
    with pytest.raises(ModelError, match="can run any code") as refused:
        load_artifact(ArtifactConfig(uri=uri, **given))
    assert sha256 in refused.value.problems[0].advice


def test_a_wrong_hash_is_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    path = tmp_path / "evil.pkl"
    path.write_bytes(b"cos\nsystem\n(S'touch " + str(marker).encode() + b"'\ntR.")
    with pytest.raises(ModelError, match="not the 0000"):
        load_artifact(ArtifactConfig(uri=str(path), sha256="0" * 64, trust=True))
    assert not marker.exists()


def test_types_off_the_list_are_named(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    skops_io.dump(Path("x"), path)
    with pytest.raises(ModelError, match="allow-list: pathlib"):
        load_artifact(ArtifactConfig(uri=str(path)))


@pytest.mark.parametrize("suffix", [".skops", ".joblib", ".pkl"])
def test_a_truncated_file_is_named(tmp_path: Path, suffix: str) -> None:
    uri, _ = saved(tmp_path, suffix)
    body = Path(uri).read_bytes()[:-100]
    Path(uri).write_bytes(body)
    with pytest.raises(ModelError) as refused:
        load_artifact(ArtifactConfig(uri=uri, sha256=hashlib.sha256(body).hexdigest(), trust=True))
    assert refused.value.problems[0].where == uri


def test_an_object_of_another_scikit_learn_is_refused_with_both_versions(tmp_path: Path) -> None:
    path = tmp_path / "old.pkl"
    model = LogisticRegression().fit(X, Y)
    state = model.__getstate__() | {"_sklearn_version": "1.0.0"}
    path.write_bytes(pickle.dumps(_Restored(state)))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(ModelError, match=r"saved by scikit-learn 1\.0\.0, and 1\."):
        load_artifact(ArtifactConfig(uri=str(path), sha256=sha256, trust=True))


class _Restored:
    """Pickles as a LogisticRegression with a state of its own."""

    def __init__(self, state: dict[str, object]) -> None:
        self.state = state

    def __reduce__(self) -> tuple[object, ...]:
        return LogisticRegression, (), self.state


def test_an_unknown_suffix_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no format"):
        load_artifact(ArtifactConfig(uri=str(tmp_path / "model.h5")))


def test_missing_code_asks_for_the_module(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(b"cnowhere_to_be_found\nthing\n.")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(ModelError, match="nowhere_to_be_found") as refused:
        load_artifact(ArtifactConfig(uri=str(path), sha256=sha256, trust=True))
    assert "--module" in refused.value.problems[0].advice
