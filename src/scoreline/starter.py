"""Configs to start from: the demo's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scoreline.demo import Format

_WIDTH = 120


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
            "model": {"kind": "random_forest", "params": {"n_estimators": 100}},
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


def config_text(config: dict[str, Any]) -> str:
    """A config as JSON that people like to read: what fits on a line stands on one.

    >>> print(config_text({"version": 1, "clean": [{"kind": "strip_names"}]}), end="")
    {
      "version": 1,
      "clean": [{"kind": "strip_names"}]
    }
    """
    lines = [f"  {json.dumps(key)}: {_laid_out(value, 2, len(key) + 6)}" for key, value in config.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _laid_out(value: Any, indent: int, used: int) -> str:
    """A value that begins after `used` characters of its line; longer ones are broken and indented further."""
    inline = json.dumps(value, ensure_ascii=False)
    if indent + used + len(inline) <= _WIDTH or not isinstance(value, (dict, list)):
        return inline
    inner = indent + 2
    if isinstance(value, dict):
        parts = [
            f"{json.dumps(key, ensure_ascii=False)}: {_laid_out(v, inner, len(key) + 4)}" for key, v in value.items()
        ]
    else:
        parts = [_laid_out(each, inner, 0) for each in value]
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    space = " " * inner
    return f"{opening}\n{space}" + f",\n{space}".join(parts) + f"\n{' ' * indent}{closing}"
