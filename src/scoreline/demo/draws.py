"""Draws demo rows as small integer codes. Row n of a seed is the same whichever file it lies in."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scoreline.demo.world import CITIES, DAYS, GROUPS, KNOWN_CITIES, LIMITS, PLACES, REGIONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Bits = NDArray[np.uint64]

TICKS = 4096
TERMS = 3

_WORLD_SEED = 0
_AGES = 5
_CALENDARS = 8
_GROUP_PULL = 1.2
_PLACE_PULL = 2.6
_AT_HOME = 0.35
_STREAMS = ("row", "row_again", "special", "source", "customer", "customer_again", "pull", "population", "income")


class Customers(NamedTuple):
    """One value a customer; `city` and `limit` have one for each of the `TERMS` that a customer passes through."""

    number: Ints
    opened: Ints
    age: Ints
    male: Ints
    wealth: Ints
    city: Ints
    limit: Ints


class World(NamedTuple):
    """What rows are drawn from; arrays of codes.

    Attributes
    ----------
    seed, customers : the seed of the rows, and who buys
    profile : of a customer, the first row of `group` that concerns it
    calendar : of a day, how many rows of `group` further to look
    group : (profile + calendar, tick) to merchant group
    place : (merchant group, tick) to place of the merchant
    """

    seed: int
    customers: Customers
    profile: Ints
    calendar: Ints
    group: NDArray[np.uint8]
    place: NDArray[np.uint8]


class Draw(NamedTuple):
    """Rows as codes: `term` is customer * TERMS + term, `amount` is group * TICKS + tick."""

    term: Ints
    day: Ints
    group: Ints
    amount: Ints
    place: Ints
    available: Ints


def random_bits(seed: int, stream: str, numbers: Ints) -> Bits:
    """64 random bits for each number: the counter-based generator SplitMix64 (Steele, Lea and Flood, 2014)."""
    key = np.random.SeedSequence([seed, _STREAMS.index(stream)]).generate_state(1, np.uint64)
    bits = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + key
    bits ^= bits >> np.uint64(30)
    bits *= np.uint64(0xBF58476D1CE4E5B9)
    bits ^= bits >> np.uint64(27)
    bits *= np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)
    return bits


def pick(bits: Bits, sizes: Ints | int) -> Ints:
    """Numbers below `sizes`, which are at most 2**31, from the upper 32 bits."""
    return _bits(bits, 32, 32) * sizes >> 32


def make_world(seed: int, rows: int) -> World:
    """The lookup tables for `rows` rows: 28 customers up to 56,000 rows, then one for every 2,000 rows."""
    customers = _customers(seed, max(28, rows // 2_000))
    regions = np.array([REGIONS.index(city.region) for city in CITIES])
    bands = np.minimum((customers.age - 18) // 9, _AGES - 1)
    profile = (regions[customers.city[:, -1]] * _AGES + bands) * 2 + customers.male
    calendar = np.array([(day.month - 1) // 3 * 2 + (day.weekday() >= 5) for day in DAYS])
    return World(seed, customers, profile * _CALENDARS, calendar, _group_table(), _place_table())


def draw(world: World, numbers: Ints) -> Draw:
    """The rows with the given numbers; about 0.1 microseconds a row."""
    first = random_bits(world.seed, "row", numbers)
    second = random_bits(world.seed, "row_again", numbers)
    customers = world.customers
    customer = _favour_small(_bits(first, 32, 32), len(customers.number))
    day = _bits(first, 16, 16) * len(DAYS) >> 16
    term = customer * TERMS + day * TERMS // len(DAYS)
    group = world.group[world.profile[customer] + world.calendar[day], _bits(second, 0, 12)].astype(np.int64)
    at_home = _bits(second, 24, 8) < round(_AT_HOME * 256)
    place = np.where(at_home, customers.city.ravel()[term], world.place[group, _bits(second, 12, 12)])
    amount = group * TICKS + (3 * _bits(first, 0, 12) + customers.wealth[customer]) // 4
    available = customers.limit.ravel()[term] * _bits(second, 32, 16) * 5 >> 18
    return Draw(term, day, group, amount, place, available)


def amounts() -> Ints:
    """Cents for each code of an amount, by log-normal quantiles; many prices are round or end in 90 cents."""
    normal = NormalDist()
    quantiles = np.array([normal.inv_cdf((tick + 0.5) / TICKS) for tick in range(TICKS)])
    cents = np.concatenate([100 * group.median * np.exp(group.sigma * quantiles) for group in GROUPS])
    whole = np.rint(cents / 100).astype(np.int64) * 100
    exact = np.rint(cents).astype(np.int64)
    style = np.arange(len(exact)) % 4
    prices: Ints = np.choose(style, [whole, whole - 10, exact, exact])
    return np.maximum(prices, 50)


def _bits(bits: Bits, shift: int, width: int) -> Ints:
    return (bits >> np.uint64(shift)).astype(np.int64) & ((1 << width) - 1)


def _favour_small(uniform: Ints, size: int) -> Ints:
    squared = (uniform >> 1) ** 2 >> 30
    return squared * size >> 32


def _customers(seed: int, count: int) -> Customers:
    numbers = np.arange(count, dtype=np.int64)
    first = random_bits(seed, "customer", numbers)
    second = random_bits(seed, "customer_again", numbers)
    wealth = _bits(first, 0, 12)
    home = np.where(_bits(first, 12, 2) == 0, 0, _favour_small(_bits(first, 32, 32), len(KNOWN_CITIES)))
    city = np.repeat(home[:, None], TERMS, axis=1)
    city[27::28, 0] = len(KNOWN_CITIES) + numbers[27::28] // 28 % (len(CITIES) - len(KNOWN_CITIES))
    limit = np.array(LIMITS)[(3 * wealth + _bits(first, 14, 12)) // 4 * len(LIMITS) // TICKS]
    return Customers(
        number=10_000_000_000 + pick(second, 10**9) * 989 + numbers % 989,
        opened=(2008 + _bits(second, 0, 8) * 11 // 256) * 100 + 1 + _bits(second, 8, 8) * 12 // 256,
        age=19 + (_bits(second, 16, 8) + _bits(second, 24, 8)) * 44 // 512,
        male=_bits(first, 26, 1),
        wealth=wealth,
        city=city,
        limit=limit[:, None] * (10 + _bits(first, 27, 2)[:, None] * np.arange(TERMS)) // 10,
    )


def _group_table() -> NDArray[np.uint8]:
    weights = np.array([group.weight for group in GROUPS])
    sizes = {"region": len(REGIONS), "age": _AGES, "sex": 2, "calendar": _CALENDARS}
    total = sum(sizes.values())
    pull = _GROUP_PULL * _uniform(0, total * len(GROUPS)).reshape(total, len(GROUPS))
    region, age, sex, calendar = np.split(pull, np.cumsum(list(sizes.values()))[:-1])
    score = region[:, None, None, None] + age[:, None, None] + sex[:, None] + calendar
    return _ticks_to_codes(_balanced(np.exp(score.reshape(-1, len(GROUPS))), weights / weights.sum()))


def _balanced(odds: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    shares = odds
    for _ in range(20):
        shares = shares / shares.sum(axis=1, keepdims=True) * (wanted / shares.mean(axis=0))
    return shares


def _place_table() -> NDArray[np.uint8]:
    weights = np.array([place.weight for place in PLACES])
    shape = (len(GROUPS), len(PLACES))
    pull = _PLACE_PULL * _uniform(10_000, shape[0] * shape[1]).reshape(shape)
    return _ticks_to_codes(weights * np.exp(pull))


def _uniform(start: int, count: int) -> NDArray[np.float64]:
    bits = random_bits(_WORLD_SEED, "pull", np.arange(start, start + count, dtype=np.int64))
    return _bits(bits, 32, 32) / 2**31 - 1


def _ticks_to_codes(weights: NDArray[np.float64]) -> NDArray[np.uint8]:
    shares = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    ends = np.rint(shares * TICKS).astype(np.int64)
    ticks = np.arange(TICKS)
    return np.stack([np.searchsorted(row, ticks, side="right") for row in ends]).astype(np.uint8)
