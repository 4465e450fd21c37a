"""Demo rows as the bytes of a CSV file: Mac Roman, CRLF, padding, damaged ids and all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoreline.demo.draws import TERMS, TICKS, amounts
from scoreline.demo.specials import MISSING_AMOUNT
from scoreline.demo.world import CITIES, COLUMNS, DAYS, GROUPS, PLACES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from scoreline.demo.draws import Customers, Draw, Ints, World

ENCODING = "mac_roman"
HEADER = (";".join(" valor " if name == "valor" else name for name in COLUMNS) + "\r\n").encode(ENCODING)

_AMOUNT, _SEX, _DATE = (COLUMNS.index(name) for name in ("valor", "sexo", "data"))
_NO_AMOUNT = len(GROUPS) * TICKS


class CsvLines:
    """Turns drawn rows into lines, by joining five ready-made pieces of text a row."""

    def __init__(self, world: World) -> None:
        customer = [f"{text};" for text in _customer_texts(world.customers)]
        day = [f";{day.day}.{day:%m.%Y};" for day in DAYS]
        amount = [
            f"{amount_text(cents)};{GROUPS[code // TICKS].name};" for code, cents in enumerate(amounts().tolist())
        ]
        amount += [f" -   ;{group.name};" for group in GROUPS]
        place = [f"{place.city};{place.country}\r\n" for place in PLACES]
        self._customer, self._day, self._amount, self._place = map(_encoded, (customer, day, amount, place))

    def text(self, rows: Draw, special: Mapping[str, Ints]) -> memoryview:
        """The lines of the rows, without a header; `special` holds the positions of special rows by kind."""
        lines = _break_lines(self._lines(rows, special[MISSING_AMOUNT]), special)
        _, offsets, data = lines.buffers()
        ends = np.frombuffer(offsets, np.int32)[: len(lines) + 1]
        return memoryview(data)[ends[0] : ends[-1]]

    def _lines(self, rows: Draw, missing: Ints) -> pa.BinaryArray:
        amount = rows.amount.copy()
        amount[missing] = _NO_AMOUNT + rows.group[missing]
        return pc.binary_join_element_wise(
            self._customer.take(pa.array(rows.term)),
            pa.array(rows.available).cast(pa.string()).cast(pa.binary()),
            self._day.take(pa.array(rows.day)),
            self._amount.take(pa.array(amount)),
            self._place.take(pa.array(rows.place)),
            pa.scalar(b"", pa.binary()),
        )


def amount_text(cents: int) -> str:
    """An amount as a Brazilian spreadsheet shows it.

    >>> amount_text(178413), amount_text(120000), amount_text(5000), amount_text(5440)
    ('1.784,13', '1.200,00', '50', '54,4')
    """
    whole, rest = divmod(cents, 100)
    if whole >= 1_000:
        return f"{whole // 1000}.{whole % 1000:03},{rest:02}"
    return f"{whole},{rest:02}".rstrip("0").rstrip(",")


def id_text(number: int) -> str:
    """A customer number after a spreadsheet had it: twelve digits and more are beyond repair.

    >>> id_text(453123456789), id_text(64831300521)
    ('4,53E+11', '64831300521')
    """
    if number < 10**11:
        return str(number)
    return f"{number:.2E}".replace(".", ",")


def _too_few_fields(fields: list[bytes]) -> list[bytes]:
    return [*fields[:9], b"\r\n"]


def _too_many_fields(fields: list[bytes]) -> list[bytes]:
    return [*fields[:-1], b"LOJA 2", fields[-1]]


def _amount_not_a_number(fields: list[bytes]) -> list[bytes]:
    return _with(fields, _AMOUNT, b"#VALOR!")


def _impossible_date(fields: list[bytes]) -> list[bytes]:
    return _with(fields, _DATE, b"31.02.2020")


def _negative_amount(fields: list[bytes]) -> list[bytes]:
    return _with(fields, _AMOUNT, b"-" + fields[_AMOUNT])


def _unknown_sex(fields: list[bytes]) -> list[bytes]:
    return _with(fields, _SEX, b"X")


BREAKS: Mapping[str, Callable[[list[bytes]], list[bytes]]] = {
    "too_few_fields": _too_few_fields,
    "too_many_fields": _too_many_fields,
    "amount_not_a_number": _amount_not_a_number,
    "impossible_date": _impossible_date,
    "negative_amount": _negative_amount,
    "unknown_sex": _unknown_sex,
}


def _with(fields: list[bytes], position: int, value: bytes) -> list[bytes]:
    return [*fields[:position], value, *fields[position + 1 :]]


def _break_lines(lines: pa.BinaryArray, special: Mapping[str, Ints]) -> pa.BinaryArray:
    broken = {
        position: b";".join(change(lines[position].as_py().split(b";")))
        for kind, change in BREAKS.items()
        for position in special[kind].tolist()
    }
    mask = np.zeros(len(lines), dtype=bool)
    mask[list(broken)] = True
    return pc.replace_with_mask(lines, pa.array(mask), pa.array([broken[row] for row in sorted(broken)], pa.binary()))


def _customer_texts(customers: Customers) -> Iterator[str]:
    """The seven fields that depend on the customer alone, for each of its terms."""
    for code, (city, limit) in enumerate(zip(customers.city.flat, customers.limit.flat, strict=True)):
        one = code // TERMS
        home = CITIES[city]
        sex = "FM"[customers.male[one]]
        number, opened, age = id_text(int(customers.number[one])), customers.opened[one], customers.age[one]
        yield f"{number};{opened};{home.name:<22};{home.state:<3};{age};{sex};{limit}"


def _encoded(texts: list[str]) -> pa.BinaryArray:
    return pa.array([text.encode(ENCODING) for text in texts], pa.binary())
