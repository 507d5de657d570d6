"""The events and the questions of the stores' comparison, and what the right answers are."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.load.gateway import zipf

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
DAYS = 30
EXPONENT = 1.05
TOP = 10

Row = tuple[str, int, int]
"""Counterparty, count, amount in cents."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """One payment; the amount in cents, so that every store has whole numbers to compare."""

    payer: str
    payee: str
    transaction_id: str
    cents: int
    time_ms: int

    @property
    def amount(self) -> str:
        """The amount as the event has it."""
        return f"{self.cents // 100}.{self.cents % 100:02d}"

    def event(self) -> bytes:
        """The event as the `transactions` topic takes it."""
        fields = {
            "from_account_id": self.payer,
            "to_account_id": self.payee,
            "transaction_id": self.transaction_id,
            "amount": self.amount,
        }
        return json.dumps(fields).encode()


@dataclass(frozen=True, slots=True)
class Question:
    """What an account received in `[start_ms, end_ms)`: its top 10 payers, or count and sum alone.

    `whole_days`: the window begins and ends at midnight UTC.
    """

    account: str
    start_ms: int
    end_ms: int
    top: bool
    whole_days: bool


def make_transfers(count: int, seed: int, end_ms: int, prefix: str = "account") -> list[Transfer]:
    """Transfers of the 30 days before `end_ms`, between Zipf-distributed accounts."""
    chance = random.Random(seed)
    names = zipf.ranks(chance, zipf.ACCOUNTS, EXPONENT, 2 * count)
    made: list[Transfer] = []
    for number in range(count):
        digits = f"{chance.getrandbits(128):032x}"
        made.append(
            Transfer(
                f"{prefix}-{names[2 * number]:06d}",
                f"{prefix}-{names[2 * number + 1]:06d}",
                f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}",
                int(chance.paretovariate(1.1) * 500),
                end_ms - 1 - chance.randrange(DAYS * DAY_MS),
            )
        )
    return made


def make_questions(
    transfers: Sequence[Transfer], count: int, seed: int, end_ms: int
) -> list[Question]:
    """Questions about accounts that received something; busy ones are asked about more often."""
    chance = random.Random(seed)
    last_midnight = end_ms // DAY_MS * DAY_MS
    made: list[Question] = []
    for number in range(count):
        account, whole_days = chance.choice(transfers).payee, number % 2 == 0
        days = chance.choice((1, 7, 29))
        if whole_days:
            start_ms, stop_ms = last_midnight - days * DAY_MS, last_midnight
        else:
            stop_ms = end_ms - chance.randrange(HOUR_MS)
            start_ms = stop_ms - days * DAY_MS + chance.randrange(HOUR_MS)
        made.append(Question(account, start_ms, stop_ms, number % 4 < 2, whole_days))
    return made


class Reference:
    """The right answers, in plain Python."""

    def __init__(self, transfers: Sequence[Transfer]) -> None:
        self._received: dict[str, list[Transfer]] = defaultdict(list)
        for each in transfers:
            self._received[each.payee].append(each)

    def answer(self, question: Question) -> list[Row]:
        """The rows of a question: ranked, or one row without a counterparty."""
        groups: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
        for each in self._within(question):
            count, cents = groups[each.payer if question.top else ""]
            groups[each.payer if question.top else ""] = (count + 1, cents + each.cents)
        return ranked((key, *measures) for key, measures in groups.items())

    def _within(self, question: Question) -> Iterator[Transfer]:
        for each in self._received[question.account]:
            if question.start_ms <= each.time_ms < question.end_ms:
                yield each


def ranked(rows: Iterator[Row]) -> list[Row]:
    """The first ten: by amount, then count, then id."""
    return sorted(rows, key=lambda row: (-row[2], -row[1], row[0]))[:TOP]


def cents_of(amount: object) -> int:
    """Whole cents of an amount that a store gives as text or as an exact number."""
    whole, _, fraction = str(amount).partition(".")
    digits = fraction.rstrip("0")
    assert len(digits) <= 2, f"{amount!r} has parts of a cent"
    return int(whole) * 100 + int(digits.ljust(2, "0"))
