"""What is predicted: data, a pipeline fitted by plain scikit-learn, and the job that Scoreline and its peers get."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from benchmarks.fitted_elsewhere import NUMBERS, TARGET, TEXTS, encoder
from benchmarks.peers import environments
from scoreline.demo import write_demo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from sklearn.pipeline import Pipeline

KEY = "row"
"""The number of a row, which demo data get here: by it outputs are compared."""
SMALL, LARGE = 200_000, 2_000_000
TRAINING_ROWS = 30_000
FILE_ROWS = 250_000
ROW_GROUP = 131_072
LINEITEM_ROWS = 6_001_215
"""Rows of lineitem at scale 1."""
MODELS: dict[str, Callable[[], Any]] = {
    "logistic": lambda: LogisticRegression(max_iter=100),
    "forest": lambda: RandomForestClassifier(100, min_samples_leaf=2, n_jobs=-1, random_state=0),
    "hgb": lambda: HistGradientBoostingClassifier(max_iter=50, early_stopping=False, random_state=0),
    "knn": KNeighborsClassifier,
}


@dataclass(frozen=True)
class Data:
    """Rows of one kind.

    Attributes
    ----------
    numbers, texts, target : features and label
    key : columns that name a row
    keep : what an output holds beside the answers
    """

    numbers: tuple[str, ...]
    texts: tuple[str, ...]
    target: str
    key: tuple[str, ...]
    keep: tuple[str, ...]

    @property
    def features(self) -> tuple[str, ...]:
        """What the pipeline takes."""
        return (*self.numbers, *self.texts)


DEMO = Data(
    tuple(NUMBERS),
    tuple(TEXTS),
    TARGET,
    (KEY,),
    (
        *("id", "safra_abertura", "cidade", "estado", "idade", "sexo", "limite_total", "limite_disp", "data", "valor"),
        *(TARGET, "cidade_estabelecimento", "pais_estabelecimento", KEY),
    ),
)
LINEITEM = Data(
    ("l_quantity", "l_extendedprice", "l_discount", "l_tax"),
    ("l_linestatus", "l_shipinstruct", "l_shipmode"),
    "l_returnflag",
    ("l_orderkey", "l_linenumber"),
    ("l_orderkey", "l_linenumber"),
)


@dataclass(frozen=True)
class Workload:
    """One line of the table.

    Attributes
    ----------
    model : what is fitted
    shape : which rows, in which files
    binary : whether the label is the commonest one or any other
    proba : whether probabilities of all labels are wanted
    sizes : how many rows, unless others are asked for
    """

    model: str
    shape: Literal["demo", "files", "lineitem"] = "demo"
    binary: bool = False
    proba: bool = False
    sizes: tuple[int, ...] = (SMALL,)

    @property
    def data(self) -> Data:
        """The kind of its rows."""
        return LINEITEM if self.shape == "lineitem" else DEMO


WORKLOADS = {
    "logistic": Workload("logistic", sizes=(SMALL, LARGE, 10 * LARGE)),
    "forest": Workload("forest", sizes=(SMALL, LARGE, 5 * LARGE)),
    "hgb": Workload("hgb", sizes=(SMALL, LARGE // 2)),
    "logistic_binary": Workload("logistic", binary=True, sizes=(LARGE,)),
    "forest_binary": Workload("forest", binary=True, sizes=(LARGE,)),
    "hgb_binary": Workload("hgb", binary=True, sizes=(LARGE,)),
    "lineitem_logistic": Workload("logistic", "lineitem", sizes=(3 * LARGE,)),
    "lineitem_forest": Workload("forest", "lineitem", sizes=(LARGE,)),
    "lineitem_hgb": Workload("hgb", "lineitem", sizes=(LARGE,)),
    "files": Workload("logistic", "files", sizes=(LARGE // 2,)),
    "tiny": Workload("logistic", sizes=(1_000,)),
    "proba": Workload("logistic", proba=True, sizes=(LARGE,)),
    "knn": Workload("knn"),
}


@dataclass(frozen=True)
class Prepared:
    """A workload with so many rows, on disk."""

    of: Workload
    source: Path
    model: Path
    labels: tuple[str, ...]

    def job(self, output: Path, workers: int) -> str:
        """What a peer is told."""
        data = self.of.data
        return json.dumps(
            {
                "source": str(self.source),
                "model": str(self.model),
                "output": str(output),
                "keep": data.keep,
                "features": data.features,
                "labels": self.labels,
                "workers": workers,
                "proba": self.of.proba,
            }
        )

    def config(self, folder: Path) -> Path:
        """The same for Scoreline, which is left to choose its own cluster."""
        keep: Mapping[str, Any] = {"keep": list(self.of.data.keep)}
        job = {
            "version": 1,
            "name": "bench",
            "artifacts": str(folder / "artifacts"),
            "source": {"kind": "parquet", "uri": str(self.source)},
            "model": {"uri": str(self.model), "sha256": _sha256(self.model), "trust": True},
            "predict": {
                "sink": {"kind": "parquet", "uri": str(folder / "ours")},
                "row_id": False,
                "proba": self.of.proba,
                **keep,
            },
        }
        path = folder / "job.json"
        path.write_text(json.dumps(job, indent=1))
        return path


def prepare(name: str, rows: int, folder: Path) -> Prepared:
    """Make data and model where they are not there yet."""
    of = WORKLOADS[name]
    small = _made(folder, "lineitem" if of.shape == "lineitem" else "demo", SMALL)
    model = folder / "models" / f"{of.model}-{of.shape == 'lineitem'}-{of.binary}.joblib"
    if not model.exists():
        model.parent.mkdir(parents=True, exist_ok=True)
        joblib.dump(_fitted(of, small), model)
    labels = tuple(map(str, joblib.load(model).classes_))
    return Prepared(of, _made(folder, of.shape, rows), model, labels)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _fitted(of: Workload, small: Path) -> Pipeline:
    """The pipeline, fitted on the first rows of the smallest data, so that it is the same for all sizes."""
    data = of.data
    frame = pd.concat(map(pd.read_parquet, sorted(small.glob("*.parquet"))))
    frame = frame.dropna(subset=[data.target]).head(2_000 if of.model == "knn" else TRAINING_ROWS)
    target = frame[data.target]
    if of.binary:
        commonest = str(target.mode()[0])
        target = target.where(target == commonest, "OTHER")
    pipeline = make_pipeline(encoder(data.numbers, data.texts), MODELS[of.model]())
    pipeline.fit(frame[list(data.features)], target)
    if "n_jobs" in pipeline[-1].get_params():
        pipeline[-1].set_params(n_jobs=1)
    return pipeline


def _made(folder: Path, shape: str, rows: int) -> Path:
    """The folder of Parquet files, written under another name first, so that half of it never counts."""
    made = folder / f"{shape}-{rows}"
    if not made.exists():
        scratch = folder / f"{shape}-{rows}.part"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        {"demo": _write_demo, "files": _write_files, "lineitem": _write_lineitem}[shape](scratch, rows)
        scratch.rename(made)
    return made


def _write_demo(folder: Path, rows: int) -> None:
    """Demo Parquet with the number of each row."""
    write_demo(folder / "demo", rows, "parquet")
    first = 0
    for path in sorted((folder / "demo/transactions").glob("*.parquet")):
        table = pq.read_table(path)
        table = table.append_column(KEY, pa.array(np.arange(first, first + len(table))))
        pq.write_table(table, folder / path.name, row_group_size=ROW_GROUP, compression="zstd")
        first += len(table)
    shutil.rmtree(folder / "demo")


def _write_files(folder: Path, rows: int, a_file: int = 1_000) -> None:
    """The same rows in small files."""
    _write_demo(folder / "large", rows)
    for path in sorted((folder / "large").glob("*.parquet")):
        table = pq.read_table(path)
        for start in range(0, len(table), a_file):
            part = table.slice(start, a_file)
            pq.write_table(part, folder / f"{path.stem}-{start:07}.parquet", compression="zstd")
    shutil.rmtree(folder / "large")


def _write_lineitem(folder: Path, rows: int) -> None:
    """TPC-H lineitem at the scale that has about so many rows.

    Text as plain Arrow strings, which all can read; decimals as floats, since no model takes decimals, and Arrow and
    Python do not round all of them to the same float.
    """
    parts = max(2, -(-rows // FILE_ROWS))
    program = environments.python("tpchgen").with_name("tpchgen-cli")
    scale = ["-s", str(rows / LINEITEM_ROWS), "--tables=lineitem", f"--parts={parts}"]
    subprocess.run([program, "parquet", *scale, f"--output-dir={folder}"], check=True, capture_output=True)
    for path in (folder / "lineitem").glob("*.parquet"):
        table = pq.read_table(path)
        table = table.cast(pa.schema([(field.name, _plain(field.type)) for field in table.schema]))
        pq.write_table(table, folder / path.name, row_group_size=ROW_GROUP, compression="zstd")
    shutil.rmtree(folder / "lineitem")


def _plain(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_decimal(kind):
        return pa.float64()
    return pa.string() if pa.types.is_string_view(kind) else kind
