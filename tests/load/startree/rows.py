"""Months of one kafka partition's rows, out of a seed: columns of numbers, and the JSON that Pinot's command reads.

An account's rows lie together, as the server leaves them in a finished segment. Amounts are whole hundred-millionths
until they are text, so that no sum of them is ever rounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

DAY_MS = 86_400_000
MONTH_MS = 30 * DAY_MS
BEGIN_MS = 1_760_000_000_000 // DAY_MS * DAY_MS
PLACES = 8
SHARES = {"heavy": 0.2, "middle": 0.01, "small": 0.001}
"""Of all rows, the accounts that are asked about; the usual one is one of those that share what is left."""
USUAL = (10, 300)
"""Rows a month of the others, the fewest and the most."""
COUNTERPARTIES = 500_000
REVERSED = 0.01
DIRECTIONS = ("RECEIVED", "SENT")
_SEED = 20_261_201

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Crowd:
    """The accounts: how many rows each has a month on average, by its number."""

    rows_a_month: NDArray[np.float64]
    asked: dict[str, int]

    def account_id(self, name: str) -> str:
        return account_id(self.asked[name])


@dataclass(frozen=True, slots=True)
class Rows:
    """One segment's, a column each: `direction` is a place in `DIRECTIONS`, a reversal's `units` are negative."""

    account: Numbers
    counterparty: Numbers
    direction: Numbers
    units: Numbers
    time_ms: Numbers

    def where(self, chosen: NDArray[np.bool_]) -> Rows:
        return Rows(*(column[chosen] for column in self.columns()))

    def columns(self) -> tuple[Numbers, ...]:
        return self.account, self.counterparty, self.direction, self.units, self.time_ms


def crowd(rows_a_month: int) -> Crowd:
    """Accounts that have so many rows a month together; the numbers of those that are asked about lie apart."""
    least, most = USUAL
    left = rows_a_month * (1 - sum(SHARES.values()))
    usual = max(2, round(left / ((least + most) / 2)))
    shares = np.linspace(least, most, usual)
    shares *= left / shares.sum()
    big = [rows_a_month * share for share in SHARES.values()]
    at = [usual // 4, usual // 2, usual - 1]
    asked = {
        name: place + number for number, (name, place) in enumerate(zip(SHARES, at, strict=True))
    }
    return Crowd(np.insert(shares, at, big), {**asked, "usual": usual // 2})


def month(of: Crowd, number: int, rows: int) -> Rows:
    """`rows` of a month's rows, evenly out of it, the accounts by their shares."""
    chance = np.random.default_rng([_SEED, number])
    share = of.rows_a_month * (rows / of.rows_a_month.sum())
    counts = np.floor(share + chance.random(len(share))).astype(np.int64)
    counts[of.asked["heavy"]] += rows - counts.sum()
    account = np.repeat(np.arange(len(counts)), counts)
    time_ms = BEGIN_MS + number * MONTH_MS + chance.integers(0, MONTH_MS, rows)
    # Most amounts have two places, a quarter all eight.
    amounts = np.minimum(np.exp(chance.normal(3.5, 1.5, rows)), 1e6)
    units = np.maximum(1, (amounts * 10**PLACES).astype(np.int64))
    whole = chance.random(rows) < 0.75
    cent = 10 ** (PLACES - 2)
    units[whole] = np.maximum(cent, units[whole] // cent * cent)
    units[chance.random(rows) < REVERSED] *= -1
    return Rows(
        account,
        chance.integers(0, COUNTERPARTIES, rows),
        (chance.random(rows) < 0.4).astype(np.int64),
        units,
        time_ms[np.lexsort((time_ms, account))],
    )


def lines(rows: Rows, number: int) -> Iterator[str]:
    """The rows as JSON, one a line, as the job writes them to Kafka and Pinot keeps them."""
    ids = np.random.default_rng([_SEED, number, 1]).bytes(16 * len(rows.account)).hex()
    before = f"{0:032x}"
    columns = (column.tolist() for column in rows.columns())
    for place, (account, counterparty, direction, units, time_ms) in enumerate(
        zip(*columns, strict=True)
    ):
        id_ = ids[place * 32 : place * 32 + 32]
        kind = f'"REVERSAL","reverses":"{_uuid(before)}"' if units < 0 else '"TRANSFER"'
        yield (
            f'{{"account_id":"{account_id(account)}","counterparty_id":"{counterparty_id(counterparty)}",'
            f'"direction":"{DIRECTIONS[direction]}","transaction_id":"{_uuid(id_)}","kind":{kind},'
            f'"amount":"{text(units)}","event_time_ms":{time_ms},"kafka_partition":0,"kafka_offset":{place}}}\n'
        )
        before = id_


def text(units: int) -> str:
    """An amount with as many places as it needs, two at least."""
    sign, (whole, rest) = "-" * (units < 0), divmod(abs(units), 10**PLACES)
    places = f"{rest:0{PLACES}d}"
    return f"{sign}{whole}.{places[:2]}{places[2:].rstrip('0')}"


def amount(units: int) -> Decimal:
    """The exact amount of any number of hundred-millionths."""
    return Decimal(text(units))


def account_id(number: int) -> str:
    return f"acct-{number:06d}"


def account_number(id_: str) -> int:
    return int(id_.rpartition("-")[2])


def counterparty_id(number: int) -> str:
    return f"other{number:06d}"


def _uuid(hexadecimal: str) -> str:
    it = hexadecimal
    return f"{it[:8]}-{it[8:12]}-{it[12:16]}-{it[16:20]}-{it[20:]}"
