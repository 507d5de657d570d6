"""What counts, as the raw topic and its outcomes say: about 60 bytes a transaction; pure."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from stream_jobs.audit.coverage import Settled
from stream_jobs.audit.expected import Expected
from stream_jobs.audit.outcomes import DUPLICATE, REFUSED, REJECTED, Source
from stream_jobs.events.money import SCALE, scaled


@dataclass(frozen=True, slots=True)
class Transfer:
    """What one event says; `amount` in units of 10^-8, negative of a reversal."""

    from_account_id: str
    to_account_id: str
    amount: int
    time_ms: int


Renamed = Mapping[tuple[int, int], tuple[str, str]]
"""By raw partition and offset the pseudonyms that stand for sender and receiver; empty: the id."""


class Counted:
    """Takes closings of an audit, and gives what was counted by account, erased ones by their pseudonyms."""

    def __init__(self, renamed: Renamed | None = None) -> None:
        self._renamed = renamed or {}
        # Of what was filled from an archive, until it counts: the pseudonyms that its entries tell themselves.
        self._told: dict[Source, tuple[str, str]] = {}
        self.duplicates = self.rejected = self.reversals = 0
        self._names: list[str] = []
        self._accounts: dict[str, int] = {}
        self._from = array("L")
        self._to = array("L")
        self._whole = array("q")
        self._decimals = array("l")
        self._time_ms = array("q")

    def take(self, settled: Settled) -> None:
        """What one closing decided."""
        for was, told in settled.erased:
            payee, payer = told.sides
            self._told[was.partition, was.offset] = (payer, payee)
        for each in (*settled.outcomes, *settled.late):
            if each.counted:
                self._add(each)
            self.duplicates += each.outcome == DUPLICATE
            self.rejected += each.outcome in (REJECTED, REFUSED)

    def __len__(self) -> int:
        return len(self._from)

    def all(self) -> Iterator[Transfer]:
        """Every transfer and reversal that counts."""
        return map(self._transfer, range(len(self)))

    def of_accounts(self, account_ids: Iterable[str]) -> list[Transfer]:
        """All that counts from or to one of the accounts."""
        wanted = {self._accounts[name] for name in account_ids if name in self._accounts}
        return [
            self._transfer(row)
            for row, (payer, payee) in enumerate(zip(self._from, self._to, strict=True))
            if payer in wanted or payee in wanted
        ]

    def busiest(self) -> list[str]:
        """All accounts by how many entries they have, most first."""
        entries = Counter(self._from)
        entries.update(self._to)
        return [self._names[number] for number, _ in entries.most_common()]

    def times_ms(self) -> list[int]:
        """The times of all that counts, ascending."""
        return sorted(self._time_ms)

    def _add(self, each: Expected) -> None:
        event = each.event
        assert event is not None  # it has counted
        self.reversals += event.reverses is not None
        ids = event.from_account_id, event.to_account_id
        ids = self._told.pop(each.source, ids)
        payer, payee = self._renamed.get(each.source, ("", ""))
        self._from.append(self._account(payer or ids[0]))
        self._to.append(self._account(payee or ids[1]))
        amount = scaled(event.amount)
        whole, decimals = divmod(amount if event.reverses is None else -amount, SCALE)
        self._whole.append(whole)
        self._decimals.append(decimals)
        self._time_ms.append(each.time_ms)

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
