"""The contract that comes of what a config declares, what a bundle knows, and which columns the files have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scoreline.contract import Contract, misfits, parse_type, rules_of
from scoreline.errors import DataError
from scoreline.sources._columns import contract_names, missing_columns, undeclared_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from scoreline.contract import ContractConfig


@dataclass(frozen=True)
class Asked:
    """What is asked of the columns: by the config's contract section, and by the contract of a bundle."""

    declared: ContractConfig
    known: Contract | None = None

    @property
    def required(self) -> tuple[str, ...]:
        """Columns that must be there: those that the config names."""
        return tuple(dict.fromkeys((*self.declared.columns, *self.declared.key_columns)))

    @property
    def names(self) -> tuple[str, ...]:
        """Columns that either names."""
        return tuple(dict.fromkeys((*self.required, *(self.known.schema.names if self.known else ()))))

    @property
    def types(self) -> dict[str, pa.DataType]:
        """Types by name; those of the bundle count before those of the config."""
        own = {name: parse_type(column.type) for name, column in self.declared.columns.items() if column.type}
        return own | ({field.name: field.type for field in self.known.schema} if self.known else {})

    def columns(self, found: Mapping[str, Sequence[str]], where: str) -> tuple[str, ...]:
        """The columns of the contract in input order; `found` are the names in each file, by path.

        Raises DataError for columns missing in all files or in some, and for extra ones where they are refused.
        """
        every = tuple(dict.fromkeys(name for names in found.values() for name in names))
        kept = [name for name in every if self.declared.extra_columns != "drop" or name in self.names]
        problems = list(missing_columns(found, dict.fromkeys((*self.required, *kept))))
        if self.declared.extra_columns == "refuse":
            problems.extend(undeclared_columns(every, self.names, where))
        if problems:
            raise DataError(*problems)
        return tuple(kept)

    def contract(self, schema: pa.Schema) -> Contract:
        """The contract for columns of settled types: rules of the bundle count before those of the config.

        Raises DataError for rules that do not fit the types.
        """
        rules = rules_of(self.declared) | dict(self.known.rules if self.known else {})
        key = self.known.key if self.known else self.declared.key_columns
        contract = Contract(schema, {name: rule for name, rule in rules.items() if name in schema.names}, key)
        problems = tuple(misfits(contract))
        if problems:
            raise DataError(*problems)
        return contract


def named(headers: Mapping[str, Sequence[str]], asked: Asked) -> dict[str, tuple[str, ...]]:
    """The columns of each file under the names that the contract gives them."""
    return {path: contract_names(names, asked.names) for path, names in headers.items()}
