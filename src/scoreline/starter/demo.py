"""The config of the demo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scoreline.demo import Format


def demo_config(folder: str, form: Format = "csv") -> dict[str, Any]:
    """The config of the demo whose data lie in ``<folder>/data``; everything it makes goes below the folder too."""
    amounts = ["valor", "populacao", "indice_renda"]
    numbers = ["valor", "idade", "limite_total", "limite_disp", "populacao", "indice_renda"]
    texts = ["sexo", "cidade", "regiao", "cidade_estabelecimento"]
    return {
        "version": 1,
        "name": "demo",
        "source": _demo_source(folder, form),
        "contract": {
            "columns": {
                "id": {"type": "string", "nullable": False},
                "idade": {"type": "int64", **({} if form == "csv" else {"nullable": False}), "min": 0, "max": 120},
                "sexo": {"type": "string", "allowed": ["F", "M"]},
                "valor": {"type": "float64", "min": 0},
            }
        },
        "clean": _demo_steps(folder, form),
        "features": [
            {"kind": "impute", "columns": amounts, "strategy": "median"},
            {"kind": "standard_scale", "columns": numbers},
            {"kind": "passthrough", "columns": ["mes", "dia_da_semana"]},
            {"kind": "one_hot", "columns": texts, "min_frequency": 10, "unknown": "ignore"},
        ],
        "target": "grupo_estabelecimento",
        "train": {
            "sample": {"rows": 50_000, "strategy": "random"},
            "split": {"kind": "random", "test_fraction": 0.2},
            "model": {"kind": "random_forest", "params": {"n_estimators": 30, "min_samples_leaf": 2}},
            "seed": 42,
            "threads": 2,
        },
        "evaluate": {
            "metrics": ["accuracy", "f1_macro"],
            "slices": ["sexo"],
            "gate": [{"metric": "accuracy", "min": 0.5}],
        },
        "predict": {
            "sink": {"kind": "parquet", "uri": f"{folder}/predictions"},
            "on_bad_row": "quarantine",
            "error_budget": {"rate": 0.01},
        },
        "artifacts": f"{folder}/artifacts",
    }


def _demo_source(folder: str, form: Format) -> dict[str, Any]:
    uri = f"{folder}/data/transactions/*.{form}"
    spelled = {"delimiter": ";", "decimal": ",", "thousands": ".", "encoding": "auto"} if form == "csv" else {}
    return {"kind": form, "uri": uri, **spelled}


def _demo_steps(folder: str, form: Format) -> list[dict[str, Any]]:
    text_steps: list[dict[str, Any]] = [
        {"kind": "strip_names"},
        {"kind": "trim_strings"},
        {"kind": "parse_dates", "columns": ["data"], "format": "%d.%m.%Y"},
    ]
    cities = f"{folder}/data/reference/cities.parquet"
    return [
        *(text_steps if form == "csv" else []),
        {"kind": "join", "with": cities, "on": ["cidade"], "validate": "m:1", "min_hit_rate": 0.98},
        {"kind": "derive", "columns": {"mes": "month(data)", "dia_da_semana": "weekday(data)"}},
        {"kind": "drop_duplicates", "on": "train"},
    ]
