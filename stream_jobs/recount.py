"""Counts the raw topic anew by the event rules and the first-occurrence rule; pure, exact, in columns."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from stream_jobs.event_rules import Rejection, judge
from stream_jobs.recount_reversals import Claim, Fates, Original, Reversals, Sides

HOUR_MS = 3_600_000
SCALE = 10**8  # amounts as integers in units of the eighth decimal


@dataclass(frozen=True, slots=True)
class Transfer:
    """What one event says; `amount` in units of 10^-8, negative of a reversal."""

    from_account_id: str
    to_account_id: str
    amount: int
    time_ms: int


def scaled(amount: str) -> int:
    """A plain decimal of any sign as an integer in units of 10^-8.

    Raises ValueError if it has more decimals that count.
    """
    if amount.startswith("-"):
        return -scaled(amount[1:])
    whole, _, decimals = amount.partition(".")
    decimals = decimals.rstrip("0")
    if len(decimals) > 8:
        raise ValueError(f"{amount} has more than 8 decimals")
    return int(whole) * SCALE + int(decimals.ljust(8, "0"))


def unscaled(amount: int) -> str:
    """The shortest plain decimal of an amount in units of 10^-8."""
    whole, decimals = divmod(abs(amount), SCALE)
    return "-" * (amount < 0) + f"{whole}.{decimals:08d}".rstrip("0").rstrip(".")


class Recount:
    """Takes records in the order of each kafka partition; about 200 bytes of memory a transfer.

    Between kafka partitions there is no order, so of an id that came in several of them any first
    occurrence may be the one that counted. Where they differ, `ambiguous` says so, and the first
    one read stands until `settle` says which it was. Of a transfer's duplicates the times are kept that are more than
    an hour apart, since reversals may come for as long as the job remembers it.
    """

    def __init__(self) -> None:
        self.records = 0
        self.rejected: Counter[str] = Counter()
        self.duplicates = 0
        self.reversals = Reversals()
        self._accounts: dict[str, int] = {}
        self._names: list[str] = []
        self._rows: dict[bytes, int] = {}
        self._from, self._to = array("I"), array("I")
        self._whole, self._decimals = array("Q"), array("I")
        self._time_ms, self._partition = array("q"), array("H")
        self._rivals: dict[bytes, dict[int, Transfer]] = {}
        self._again_ms: dict[bytes, list[int]] = {}

    def add(self, partition: int, time_ms: int, value: bytes | None) -> None:
        """One record of `transactions`."""
        self.records += 1
        event = judge(value, time_ms)
        if isinstance(event, Rejection):
            self.rejected[event.reason] += 1
            return
        key = bytes.fromhex(event.transaction_id.replace("-", ""))
        if event.reverses is not None:
            sides = Sides(event.from_account_id, event.to_account_id, scaled(event.amount))
            claim = Claim(bytes.fromhex(event.reverses.replace("-", "")), sides, time_ms)
            self.duplicates += not self.reversals.add(key, partition, claim)
            return
        transfer = Transfer(
            event.from_account_id, event.to_account_id, scaled(event.amount), time_ms
        )
        row = self._rows.get(key)
        if row is None:
            self._rows[key] = len(self._from)
            self._append(transfer, partition)
            return
        self.duplicates += 1
        self._came_again(key, self._time_ms[row], time_ms)
        if partition != self._partition[row]:
            self._rivals.setdefault(key, {}).setdefault(partition, transfer)

    @property
    def distinct(self) -> int:
        """Transfers, each id once."""
        return len(self._from)

    def ambiguous(self) -> dict[bytes, tuple[Transfer, ...]]:
        """By id the differing occurrences of which any may be the first."""
        candidates = {
            key: (self._transfer(self._rows[key]), *rivals.values())
            for key, rivals in self._rivals.items()
        }
        return {key: found for key, found in candidates.items() if len(set(found)) > 1}

    def settle(self, key: bytes, transfer: Transfer) -> None:
        """`transfer` is the occurrence that counted."""
        row = self._rows[key]
        self._from[row], self._to[row] = (
            self._account(transfer.from_account_id),
            self._account(transfer.to_account_id),
        )
        self._whole[row], self._decimals[row] = divmod(transfer.amount, SCALE)
        self._time_ms[row] = transfer.time_ms

    def fates(self) -> Fates:
        """What became of the reversals, by what is counted."""
        return self.reversals.fates(self._original)

    def transfers(self) -> Iterator[Transfer]:
        """Each id once."""
        return map(self._transfer, range(len(self._from)))

    def undone(self) -> Iterator[Transfer]:
        """The reversals that took effect."""
        for claim in self.fates().effective.values():
            payer, payee, amount = claim.sides
            yield Transfer(payer, payee, -amount, claim.time_ms)

    def of_accounts(self, account_ids: Iterable[str]) -> list[Transfer]:
        """All that counts from or to one of the accounts."""
        names = set(account_ids)
        wanted = {self._accounts[name] for name in names if name in self._accounts}
        found = [
            self._transfer(row)
            for row, (payer, payee) in enumerate(zip(self._from, self._to, strict=True))
            if payer in wanted or payee in wanted
        ]
        undone = [t for t in self.undone() if {t.from_account_id, t.to_account_id} & names]
        return found + undone

    def busiest(self) -> list[str]:
        """All accounts by how many entries they have, most first."""
        entries = Counter(self._from)
        entries.update(self._to)
        return [self._names[number] for number, _ in entries.most_common()]

    def times_ms(self) -> list[int]:
        """The times of all transfers, ascending."""
        return sorted(self._time_ms)

    def contested(self) -> set[bytes]:
        """Transfers of which the raw topic does not say which reversal took effect."""
        return self.reversals.contested(self._original)

    def _came_again(self, key: bytes, first_ms: int, time_ms: int) -> None:
        again_ms = self._again_ms.get(key, [])
        if all(abs(time_ms - each) > HOUR_MS for each in (first_ms, *again_ms)):
            self._again_ms[key] = [*again_ms, time_ms]

    def _original(self, key: bytes) -> Original | None:
        row = self._rows.get(key)
        if row is None:
            return None
        transfer = self._transfer(row)
        sides = Sides(transfer.from_account_id, transfer.to_account_id, transfer.amount)
        return Original(sides, (transfer.time_ms, *self._again_ms.get(key, ())))

    def _append(self, transfer: Transfer, partition: int) -> None:
        self._from.append(self._account(transfer.from_account_id))
        self._to.append(self._account(transfer.to_account_id))
        whole, decimals = divmod(transfer.amount, SCALE)
        self._whole.append(whole)
        self._decimals.append(decimals)
        self._time_ms.append(transfer.time_ms)
        self._partition.append(partition)

    def _account(self, name: str) -> int:
        number = self._accounts.setdefault(name, len(self._names))
        if number == len(self._names):
            self._names.append(name)
        return number

    def _transfer(self, row: int) -> Transfer:
        return Transfer(
            self._names[self._from[row]],
            self._names[self._to[row]],
            self._whole[row] * SCALE + self._decimals[row],
            self._time_ms[row],
        )
