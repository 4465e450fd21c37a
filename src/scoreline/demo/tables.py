"""Demo rows as Arrow tables, as they would be after cleaning: trimmed text, real numbers and dates."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from scoreline.demo.draws import TERMS, amounts, pick, random_bits
from scoreline.demo.specials import MISSING_AMOUNT
from scoreline.demo.world import CITIES, COLUMNS, DAYS, GROUPS, KNOWN_CITIES, NOWHERE, PLACES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from scoreline.demo.draws import Draw, Ints, World

BREAKS = ("negative_amount", "null_age", "unknown_sex")

_TEXT = pa.dictionary(pa.int32(), pa.string())
_TYPES = {
    **dict.fromkeys(("safra_abertura", "idade", "limite_total", "limite_disp"), pa.int64()),
    "data": pa.date32(),
    "valor": pa.float64(),
}
_SEED = 0
_SEXES = ("F", "M", "X")


class Words(NamedTuple):
    """Distinct texts, and for each code that rows are drawn in, which of the texts it stands for."""

    texts: pa.StringArray
    text_of: NDArray[np.int32]


class ArrowTables:
    """Turns drawn rows into tables of `schema`: text as dictionaries, `int64`, `float64` and `date32`."""

    schema = pa.schema({name: _TYPES.get(name, _TEXT) for name in COLUMNS})

    def __init__(self, world: World) -> None:
        self._customers = world.customers
        self._cents = amounts()
        self._days = pa.array(DAYS, pa.date32())
        self._id = _words(map(str, world.customers.number.tolist()))
        self._city = _words(city.name for city in CITIES)
        self._state = _words(city.state for city in CITIES)
        self._sex = _words(_SEXES)
        self._group = _words(group.name for group in GROUPS)
        self._place = _words(place.city for place in PLACES)
        self._country = _words(place.country for place in PLACES)

    def table(self, rows: Draw, special: Mapping[str, Ints]) -> pa.Table:
        """One row a row; `special` holds the positions of special rows by kind."""
        who, customer = self._customers, rows.term // TERMS
        city = who.city.ravel()[rows.term]
        nowhere = rows.place == NOWHERE
        sex = who.male[customer]
        sex[special["unknown_sex"]] = _SEXES.index("X")
        arrays = [
            _column(self._id, customer),
            pa.array(who.opened[customer]),
            _column(self._city, city),
            _column(self._state, city),
            pa.array(who.age[customer], mask=_at(special["null_age"], len(city))),
            _column(self._sex, sex),
            pa.array(who.limit.ravel()[rows.term]),
            pa.array(rows.available),
            self._days.take(pa.array(rows.day)),
            self._amounts(rows, special),
            _column(self._group, rows.group),
            _column(self._place, rows.place, nowhere),
            _column(self._country, rows.place, nowhere),
        ]
        return pa.table(arrays, schema=self.schema)

    def _amounts(self, rows: Draw, special: Mapping[str, Ints]) -> pa.DoubleArray:
        cents = self._cents[rows.amount]
        cents[special["negative_amount"]] *= -1
        return pa.array(cents / 100, mask=_at(special[MISSING_AMOUNT], len(cents)))


def cities() -> pa.Table:
    """The table to join: one row a known city, `cidade` being unique."""
    rank = np.arange(len(KNOWN_CITIES), dtype=np.int64)
    population = 20_000 + 12_000_000 // (1 + rank) + pick(random_bits(_SEED, "population", rank), 90_000)
    return pa.table(
        {
            "cidade": [city.name for city in KNOWN_CITIES],
            "regiao": [city.region for city in KNOWN_CITIES],
            "populacao": population,
            "indice_renda": (600 + pick(random_bits(_SEED, "income", rank), 900)) / 1000,
        }
    )


def _words(texts: Iterable[str]) -> Words:
    every = list(texts)
    distinct = {text: code for code, text in enumerate(dict.fromkeys(every))}
    return Words(pa.array(distinct), np.array([distinct[text] for text in every], dtype=np.int32))


def _column(words: Words, codes: Ints, nulls: NDArray[np.bool_] | None = None) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(words.text_of[codes], mask=nulls), words.texts)


def _at(positions: Ints, count: int) -> NDArray[np.bool_]:
    mask = np.zeros(count, dtype=bool)
    mask[positions] = True
    return mask
