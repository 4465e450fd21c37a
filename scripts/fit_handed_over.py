#!/usr/bin/env python3
"""Fit a model with plain scikit-learn on the demo data, and hand it over for configs/predict_only.json.

Make the data first:   scoreline demo --format parquet --data-only
Then:                  .venv/bin/python scripts/fit_handed_over.py

Nothing here knows of scoreline. It writes a whole pipeline as skops and as joblib, and a transformer and a model in
files of their own, and prints what a config says of each.
"""

import hashlib
import json
import sys
from pathlib import Path

import joblib
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from skops import io as skops_io

NUMBERS = ["valor", "idade", "limite_total", "limite_disp", "safra_abertura"]
TEXTS = ["sexo", "estado", "cidade_estabelecimento"]
TARGET = "grupo_estabelecimento"
ROWS = 50_000


def training_rows(file: Path) -> pd.DataFrame:
    """Rows of one file, without those that the config's contract refuses, and cleaned as the config cleans."""
    frame = pd.read_parquet(file, columns=[*NUMBERS, *TEXTS, TARGET]).head(ROWS)
    good = frame["idade"].notna() & frame["sexo"].isin(["F", "M"]) & ~(frame["valor"] < 0) & frame[TARGET].notna()
    return frame[good].fillna({"valor": 0})


def features() -> ColumnTransformer:
    """Numbers scaled, text as indicators; a DataFrame comes out."""
    texts = OneHotEncoder(handle_unknown="ignore", min_frequency=10, sparse_output=False)
    columns = ColumnTransformer([("number", StandardScaler(), NUMBERS), ("text", texts, TEXTS)])
    return columns.set_output(transform="pandas")


def main(data: Path, folder: Path) -> None:
    """Fit on the first file of `data` and write everything to `folder`."""
    rows = training_rows(min(data.glob("*.parquet")))
    pipeline = make_pipeline(features(), LogisticRegression(max_iter=500)).fit(rows[[*NUMBERS, *TEXTS]], rows[TARGET])
    transformer = pipeline[0]
    made = transformer.transform(rows[[*NUMBERS, *TEXTS]])
    # This model knows only some of the columns that the transformer makes.
    model = LogisticRegression(max_iter=500).fit(made.drop(columns="number__safra_abertura"), rows[TARGET])
    folder.mkdir(parents=True, exist_ok=True)
    skops_io.dump(pipeline, folder / "pipeline.skops")
    joblib.dump(pipeline, folder / "pipeline.joblib")
    joblib.dump(transformer, folder / "transformer.joblib")
    joblib.dump(model, folder / "model.joblib")
    for path in (folder / name for name in ("pipeline.skops", "pipeline.joblib", "transformer.joblib", "model.joblib")):
        trust = {} if path.suffix == ".skops" else {"trust": True}
        print(json.dumps({"uri": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), **trust}))


if __name__ == "__main__":
    if len(sys.argv) not in (1, 3):
        sys.exit("usage: fit_handed_over.py [FOLDER_OF_PARQUET FOLDER_TO_WRITE]")
    main(*map(Path, sys.argv[1:] or ("demo/data/transactions", "demo/handed-over")))
