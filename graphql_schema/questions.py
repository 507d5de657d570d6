"""What fields were asked by, as values: arguments that go together, `None` where one was not given."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from graphql_schema.enums import (
    Comparison,
    Direction,
    Fill,
    Granularity,
    RankBy,
    SortOrder,
    TransactionKind,
    TransactionSort,
)
from graphql_schema.inputs import CalendarInput, WindowInput
from graphql_schema.scalars import TimeZone


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose transactions are asked about: those of checked ids as one, or (`None`) the network's.

    `outside` leaves out those between two of the accounts.
    """

    account_ids: tuple[str, ...] | None
    outside: bool = False


NETWORK = Whose(None)


@dataclass(frozen=True, slots=True)
class When:
    """A window, and the calendar that it is read in."""

    window: WindowInput
    time_zone: TimeZone
    calendar: CalendarInput | None


@dataclass(frozen=True, slots=True)
class With:
    """What an answer is to be compared with; one of both, or neither."""

    compare_to: Comparison | None
    compare_window: WindowInput | None


NOTHING = With(None, None)


@dataclass(frozen=True, slots=True)
class TotalsArguments:
    """What totals were asked for by."""

    when: When
    direction: Direction
    compared: With
    counterparty_id: str | None = None


@dataclass(frozen=True, slots=True)
class RankingArguments:
    """What a ranking was asked for by."""

    when: When
    direction: Direction
    first: int
    order_by: RankBy
    compared: With
    order: SortOrder
    after: str | None


@dataclass(frozen=True, slots=True)
class SeriesArguments:
    """What a series was asked for by; without a direction, of both."""

    when: When
    granularity: Granularity
    direction: Direction | None
    fill: Fill
    compared: With
    counterparty_id: str | None = None


@dataclass(frozen=True, slots=True)
class TopSeriesArguments:
    """What several series at once were asked for by."""

    when: When
    granularity: Granularity
    direction: Direction
    first: int
    order_by: RankBy


@dataclass(frozen=True, slots=True)
class FlowArguments:
    """What a net flow was asked for by."""

    when: When
    compared: With
    counterparty_id: str | None = None


@dataclass(frozen=True, slots=True)
class PatternArguments:
    """What the hours of a week were asked for by."""

    when: When
    direction: Direction
    counterparty_id: str | None = None


@dataclass(frozen=True, slots=True)
class ListArguments:
    """What a page of a list of transactions was asked for by."""

    when: When
    direction: Direction | None
    counterparty_id: str | None
    kind: TransactionKind | None
    min_amount: Decimal | None
    max_amount: Decimal | None
    sort_by: TransactionSort
    first: int | None
    after: str | None
    last: int | None
    before: str | None
