"""What the tests sent, and what must be answered for it: plain Python, sharing no code with the project."""

from __future__ import annotations

import json
import random
import uuid
from collections import defaultdict
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

DIRECTIONS = ("RECEIVED", "SENT")


@dataclass(frozen=True, slots=True)
class Record:
    """One Kafka record: its bytes, its timestamp in epoch milliseconds, its key and headers."""

    value: bytes | None
    time_ms: int
    key: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Transfer:
    """A legal event."""

    transaction_id: str
    from_account_id: str
    to_account_id: str
    amount: str
    time_ms: int

    def record(self, *, shouted: bool = False, time_ms: int | None = None) -> Record:
        """The event as a record; `shouted` spells its id in capitals, which means the same id."""
        body = {
            "from_account_id": self.from_account_id,
            "to_account_id": self.to_account_id,
            "transaction_id": self.transaction_id.upper() if shouted else self.transaction_id,
            "amount": self.amount,
        }
        value = json.dumps(body, ensure_ascii=shouted).encode()
        return Record(value, self.time_ms if time_ms is None else time_ms)


@dataclass(frozen=True, slots=True)
class Reversal:
    """An event that undoes a transfer, whole."""

    transaction_id: str
    undone: Transfer
    time_ms: int

    def record(self, **changes: str) -> Record:
        """The event as a record, or one that differs from it."""
        body = {
            "from_account_id": self.undone.from_account_id,
            "to_account_id": self.undone.to_account_id,
            "transaction_id": self.transaction_id,
            "amount": self.undone.amount,
            "type": "reversal",
            "reverses": self.undone.transaction_id,
            **changes,
        }
        return Record(json.dumps(body).encode(), self.time_ms)

    @property
    def effect(self) -> Transfer:
        """What it adds to every sum."""
        sides = (self.undone.from_account_id, self.undone.to_account_id)
        return Transfer(self.transaction_id, *sides, f"-{self.undone.amount}", self.time_ms)


@dataclass
class Ledger:
    """Every legal transfer once, every reversal in effect as what it adds, and how many records were rejected."""

    transfers: dict[str, Transfer] = field(default_factory=dict)
    rejected: int = 0

    def add(self, transfers: list[Transfer]) -> None:
        for transfer in transfers:
            self.transfers.setdefault(transfer.transaction_id, transfer)

    def rename(self, account: str, name: str) -> None:
        """As if all that the account has sent and received so far had been another's."""
        for id_, each in self.transfers.items():
            payer = name if each.from_account_id == account else each.from_account_id
            payee = name if each.to_account_id == account else each.to_account_id
            self.transfers[id_] = replace(each, from_account_id=payer, to_account_id=payee)

    def accounts(self) -> list[str]:
        """All accounts, the busiest first."""
        counts: dict[str, int] = defaultdict(int)
        for transfer in self.transfers.values():
            counts[transfer.from_account_id] += 1
            counts[transfer.to_account_id] += 1
        return sorted(counts, key=lambda account: (-counts[account], account))

    def top(
        self, account: str, direction: str, order_by: str, first: int, window: tuple[int, int]
    ) -> dict[str, Any]:
        """The answer to `topCounterparties`, amounts as exact fractions."""
        groups: dict[str, tuple[int, Fraction]] = {}
        for transfer in self.transfers.values():
            own, other = transfer.to_account_id, transfer.from_account_id
            if direction == "SENT":
                own, other = other, own
            if own == account and window[0] <= transfer.time_ms < window[1]:
                count, amount = groups.get(other, (0, Fraction(0)))
                groups[other] = (count + 1, amount + Fraction(transfer.amount))
        chosen, second = (1, 0) if order_by == "TRANSACTION_AMOUNT" else (0, 1)
        ranked = sorted(
            groups.items(), key=lambda item: (-item[1][chosen], -item[1][second], item[0])
        )
        return {
            "rows": [(name, *measures) for name, measures in ranked[:first]],
            "others": _sum(ranked[first:]),
            "total": _sum(ranked),
        }


def _sum(groups: list[tuple[str, tuple[int, Fraction]]]) -> tuple[int, Fraction, int]:
    return (
        sum(count for _, (count, _) in groups),
        sum((amount for _, (_, amount) in groups), Fraction(0)),
        len(groups),
    )


def transfers(
    seed: int, count: int, accounts: list[str], first_ms: int, last_ms: int
) -> list[Transfer]:
    """Random legal transfers: skewed accounts, amounts of up to 18 + 8 digits."""
    chance = random.Random(seed)
    weights = [1 / (rank + 1) for rank in range(len(accounts))]
    senders = chance.choices(accounts, weights, k=count)
    receivers = chance.choices(accounts, weights, k=count)
    return [
        Transfer(
            str(uuid.UUID(int=chance.getrandbits(128))),
            sender,
            receiver,
            _amount(chance),
            chance.randrange(first_ms, last_ms),
        )
        for sender, receiver in zip(senders, receivers, strict=True)
    ]


def _amount(chance: random.Random) -> str:
    whole = chance.randrange(10 ** chance.randrange(1, 19))
    digits = chance.randrange(9)
    tail = "." + "".join(chance.choices("0123456789", k=digits)) if digits else ""
    amount = f"{whole}{tail}"
    return amount if Fraction(amount) > 0 else "0.00000001"
