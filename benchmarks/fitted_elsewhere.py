"""What a data scientist hands over: pipelines fitted by plain scikit-learn on one file of the demo data."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import joblib
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

if TYPE_CHECKING:
    from collections.abc import Sequence

NUMBERS = ["valor", "idade", "limite_total", "limite_disp", "safra_abertura"]
TEXTS = ["sexo", "cidade", "estado", "cidade_estabelecimento"]
TARGET = "grupo_estabelecimento"
MODELS = {
    "logistic": LogisticRegression(max_iter=200),
    "forest": RandomForestClassifier(100, max_depth=16, n_jobs=2, random_state=0),
}


def features() -> ColumnTransformer:
    """What turns demo data into a matrix."""
    return encoder(NUMBERS, TEXTS)


def encoder(number_columns: Sequence[str], text_columns: Sequence[str]) -> ColumnTransformer:
    """Impute and scale numbers, one-hot text."""
    numbers = Pipeline([("impute", SimpleImputer(strategy="median")), ("scale", StandardScaler())])
    texts = OneHotEncoder(handle_unknown="ignore", min_frequency=10, sparse_output=False)
    return ColumnTransformer([("numbers", numbers, list(number_columns)), ("texts", texts, list(text_columns))])


def fitted(parquet: Path, kind: str, rows: int = 50_000) -> Pipeline:
    """A pipeline fitted on the first rows of a file."""
    frame = pd.read_parquet(parquet, columns=[*NUMBERS, *TEXTS, TARGET]).head(rows).dropna(subset=[TARGET])
    pipeline = Pipeline([("features", features()), ("model", MODELS[kind])])
    return pipeline.fit(frame[[*NUMBERS, *TEXTS]], frame[TARGET])


def hand_over(parquet: Path, kind: str, folder: Path) -> None:
    """Keep the whole pipeline, and the same as a transformer and a model apart; print their hashes."""
    pipeline = fitted(parquet, kind)
    pipeline.set_params(**({"model__n_jobs": 1} if kind == "forest" else {}))
    for name, part in (("pipeline", pipeline), ("transformer", pipeline[0]), ("model", pipeline[1])):
        path = folder / f"{kind}-{name}.joblib"
        joblib.dump(part, path)
        print(path, hashlib.sha256(path.read_bytes()).hexdigest())


if __name__ == "__main__":
    hand_over(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
