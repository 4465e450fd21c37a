#!/usr/bin/env python3
"""Write the JSON Schema of configs into the package: .venv/bin/python scripts/write_config_schema.py."""

from pathlib import Path

from scoreline.config.schema import schema_text

TARGET = Path(__file__).parents[1] / "src" / "scoreline" / "scoreline.schema.json"

if __name__ == "__main__":
    TARGET.write_text(schema_text(), encoding="utf-8")
    print(TARGET)
