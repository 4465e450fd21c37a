"""Columns that folder names carry, as Hive and Spark write them: ``year=2026/month=01/part-0.parquet``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable

_NULL = "__HIVE_DEFAULT_PARTITION__"
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")

Partition = tuple[tuple[str, str | None], ...]


def partition_of(path: str) -> Partition:
    """The columns that the folders of a relative path carry, outermost first; None for Hive's null.

    >>> partition_of("year=2026/city=S%C3%A3o%20Paulo/zone=__HIVE_DEFAULT_PARTITION__/part-0.parquet")
    (('year', '2026'), ('city', 'São Paulo'), ('zone', None))
    """
    pairs = (folder.partition("=") for folder in path.split("/")[:-1])
    return tuple((unquote(name), None if value == _NULL else unquote(value)) for name, sign, value in pairs if sign)


def partition_type(values: Iterable[str | None]) -> pa.DataType:
    """int64 when every value is a whole number, else string.

    >>> partition_type(["01", None, "12"]), partition_type(["01", "x"])
    (DataType(int64), DataType(string))
    """
    texts = [value for value in values if value is not None]
    return pa.int64() if texts and all(map(_INTEGER.fullmatch, texts)) else pa.string()
