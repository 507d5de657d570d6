"""What is asked of a store, as frozen values without any SQL; each plan names its kind of row.

A plan over accounts takes them out of a `Scope`, the proof that its caller may read them.
Orders are part of a plan's meaning, so that every store gives the same rows:
account ids compare by Unicode code point, transaction ids, directions and kinds as text.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from typing import Generic, TypeVar

from gateway.access.caller import Scope
from gateway.analytics.model import (
    Direction,
    Entry,
    Interval,
    RankBy,
    TransactionKind,
    TransactionSort,
)

Row_co = TypeVar("Row_co", covariant=True)


class QueryPlan(Generic[Row_co]):
    """A question to a store whose answer is a tuple of `Row_co`."""

    __slots__ = ()


class AccountPlan(QueryPlan[Row_co]):
    """A question about some accounts as one, or about the whole network.

    `outside` leaves out what has one of the accounts on the other side, too.
    """

    __slots__ = ()
    scope: Scope

    @property
    def account_ids(self) -> frozenset[str] | None:
        """The accounts; `None` for the network."""
        return self.scope.account_ids

    @property
    def account_id(self) -> str | None:
        """The account of a question about one; `None` for the network."""
        return self.scope.account_id


@dataclass(frozen=True, slots=True)
class TotalsRow:
    """Measures of one account (`None`: of all) in one direction, of one kind if told apart."""

    account_id: str | None
    direction: Direction
    transaction_count: int
    transaction_amount: Decimal
    kind: TransactionKind | None = None


@dataclass(frozen=True, slots=True)
class TotalsPlan(QueryPlan[TotalsRow]):
    """Measures by account and direction; rows without transactions may be absent, in any order.

    Without accounts it asks for the whole network, one row a direction. `by_kind` gives transfers
    and reversals a row each; without it, reversals lower the amounts of transfers. `counterparty_id`
    keeps only what has this account on the other side, `outside` what has none of the accounts there.
    """

    scope: Scope
    directions: frozenset[Direction]
    interval: Interval
    by_kind: bool = False
    counterparty_id: str | None = None
    outside: bool = False

    @property
    def account_ids(self) -> frozenset[str] | None:
        """The accounts; `None` for the network."""
        return self.scope.account_ids


@dataclass(frozen=True, slots=True)
class DistinctRow:
    """How many different accounts are on the other side."""

    account_count: int


@dataclass(frozen=True, slots=True)
class DistinctPlan(AccountPlan[DistinctRow]):
    """Exactly one row: distinct counterparties of accounts (of the network: distinct accounts)."""

    scope: Scope
    direction: Direction
    interval: Interval
    outside: bool = False


@dataclass(frozen=True, slots=True)
class GroupRow:
    """Measures with one counterparty (in a plan over all accounts: of one account)."""

    account_id: str
    transaction_count: int
    transaction_amount: Decimal


@dataclass(frozen=True, slots=True)
class Place:
    """Where a group stands in the order of a `TopPlan`: by its measures and its id.

    `rank`: how many groups stood up to it, itself included, when it was told; only a hint by now.
    """

    rank: int
    account_id: str
    transaction_count: int
    transaction_amount: Decimal


@dataclass(frozen=True, slots=True)
class TopPlan(AccountPlan[GroupRow]):
    """The first `limit` groups past `after`: measure descending, other measure descending, id ascending.

    Groups are the counterparties of the accounts; of the network, all accounts. `among` keeps only
    these groups, `kind` only such transactions. `ascending` turns both measures round, not the ids.
    """

    scope: Scope
    direction: Direction
    interval: Interval
    order_by: RankBy
    limit: int
    among: frozenset[str] | None = None
    outside: bool = False
    ascending: bool = False
    after: Place | None = None
    kind: TransactionKind | None = None


@dataclass(frozen=True, slots=True)
class SlotRow:
    """Measures of the slot that begins at an epoch millisecond, and of what is told apart in it."""

    start_ms: int
    transaction_count: int
    transaction_amount: Decimal
    direction: Direction | None = None
    kind: TransactionKind | None = None
    counterparty_id: str | None = None


@dataclass(frozen=True, slots=True)
class SlotsPlan(AccountPlan[SlotRow]):
    """Measures by slot, ascending; slots without transactions are absent.

    A slot is `slot_ms` long. Slots are counted from the epoch's start, or anew from each of the
    `origins`, which ascend; what is before the first of them is on its grid. `counterparty_id` keeps
    only what has this account on the other side. Told apart within a slot, in any order, are both
    directions if `direction` is `None`, transfers and reversals if `by_kind`, and, of these alone,
    the counterparties `among`.
    """

    scope: Scope
    direction: Direction | None
    interval: Interval
    slot_ms: int
    origins: tuple[int, ...] = ()
    counterparty_id: str | None = None
    outside: bool = False
    by_kind: bool = False
    among: frozenset[str] | None = None

    @property
    def most_in_a_slot(self) -> int:
        """How many rows one slot can have."""
        directions = 1 if self.direction else len(Direction)
        kinds = len(TransactionKind) if self.by_kind else 1
        return directions * kinds * (1 if self.among is None else max(1, len(self.among)))

    @property
    def into_slot_ms(self) -> int:
        """How far the epoch's start is into a slot of the first origin's grid."""
        return -self.origins[0] % self.slot_ms if self.origins else 0

    @property
    def pieces(self) -> tuple[SlotsPlan, ...]:
        """The same as plans of one origin at most: from each to the next, where the interval is.

        Their slots are all different, and ascend.
        """
        if len(self.origins) < 2:
            return (self,)
        start_ms, end_ms = self.interval.start_ms, self.interval.end_ms
        inner = [min(max(each, start_ms), end_ms) for each in self.origins[1:]]
        found = tuple(
            replace(self, interval=Interval(left_ms, right_ms), origins=(origin,))
            for origin, (left_ms, right_ms) in zip(
                self.origins, pairwise([start_ms, *inner, end_ms]), strict=True
            )
            if left_ms < right_ms
        )
        return found or (replace(self, origins=self.origins[:1]),)


@dataclass(frozen=True, slots=True)
class EntryKey:
    """Where an entry stands in the order of `EntriesPlan`, and no other one of its account.

    A reversal may have the id of a transfer, other than the one that it takes back.
    """

    event_time_ms: int
    transaction_id: str
    direction: Direction
    kind: TransactionKind
    amount: Decimal


@dataclass(frozen=True, slots=True)
class EntriesPlan(QueryPlan[Entry]):
    """Single entries past `after`, by time, transaction id, direction and kind, all one way.

    By amount, that comes before all of these. Amounts are as they are told, a reversal's negative;
    both bounds are included. `reverses` keeps the reversals of these transactions.
    """

    scope: Scope
    direction: Direction | None
    counterparty_id: str | None
    interval: Interval
    after: EntryKey | None
    limit: int
    kind: TransactionKind | None = None
    order: TransactionSort = TransactionSort.TIME_DESCENDING
    min_amount: Decimal | None = None
    max_amount: Decimal | None = None
    transaction_id: str | None = None
    reverses: frozenset[str] | None = None

    @property
    def account_id(self) -> str:
        """The account."""
        account_id = self.scope.account_id
        if account_id is None:
            raise TypeError("single entries are an account's, not the network's")
        return account_id


@dataclass(frozen=True, slots=True)
class CountRow:
    """A number of rows."""

    count: int


@dataclass(frozen=True, slots=True)
class MatchesPlan(QueryPlan[CountRow]):
    """Exactly one row: how many entries there are of those that `listed` lists a page of."""

    scope: Scope
    listed: EntriesPlan

    @property
    def account_id(self) -> str:
        """The account."""
        return self.listed.account_id

    @property
    def interval(self) -> Interval:
        """When."""
        return self.listed.interval
