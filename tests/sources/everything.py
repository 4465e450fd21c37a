"""All rows of a source in one value, checked for what every source promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from scoreline.contract import ContractConfig
from scoreline.sources._casts import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scoreline.contract import Contract
    from scoreline.sources.base import Source, Survey


@dataclass(frozen=True)
class Everything:
    """What a source holds: rows in input order, their identity, and which of them are refused why."""

    survey: Survey
    table: pa.Table
    identity: list[tuple[str, int]]
    refused: dict[int, tuple[str, str | None]]
    original: list[dict[str, object]]

    def column(self, name: str) -> list[object]:
        values: list[object] = self.table[name].to_pylist()
        return values


def declare(extra_columns: str = "keep", **types: str) -> ContractConfig:
    columns = {name: {"type": wanted} for name, wanted in types.items()}
    return ContractConfig.model_validate({"columns": columns, "extra_columns": extra_columns})


def everything(
    source: Source,
    declared: ContractConfig | None = None,
    known: Contract | None = None,
    columns: Sequence[str] | None = None,
    batch_rows: int = 1000,
) -> Everything:
    survey = source.survey(declared or ContractConfig(), known)
    wanted = survey.contract.schema.names if columns is None else list(columns)
    schema = pa.schema([survey.contract.schema.field(name) for name in wanted])
    tables: list[pa.Table] = []
    kinds: dict[int, tuple[pa.Schema, pa.Schema]] = {}
    found = Everything(survey, pa.table({}), [], {}, [])
    for unit in survey.units:
        before = len(found.identity)
        for part in survey.source.read(unit, survey.contract, wanted, batch_rows):
            assert 0 < len(part.rows) <= batch_rows
            assert len(part.rows) == len(part.files) == part.table.num_rows == part.original.num_rows
            assert [plain(field.type) for field in part.table.schema] == [field.type for field in schema]
            # Parts are put together to blocks, which takes columns of one type.
            assert (part.table.schema, part.original.schema) == kinds.setdefault(
                unit.number, (part.table.schema, part.original.schema)
            )
            start = len(found.identity)
            for refusal in part.refusals:
                assert np.all(np.diff(refusal.rows) > 0)
                reason = (str(refusal.reason), refusal.column)
                found.refused.update(dict.fromkeys((start + refusal.rows).tolist(), reason))
            found.identity.extend(zip(part.files.to_pylist(), part.rows.tolist(), strict=True))
            found.original.extend(part.original.to_pylist())
            tables.append(part.table.cast(schema))
        assert len(found.identity) - before == unit.rows
    table = pa.concat_tables(tables) if tables else schema.empty_table()
    return Everything(survey, table, found.identity, found.refused, found.original)
