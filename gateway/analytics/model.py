"""The domain's values: frozen, standard library only, no GraphQL and no SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from zoneinfo import ZoneInfo


class Direction(Enum):
    """Which side of a transfer an account stood on."""

    RECEIVED = "RECEIVED"
    SENT = "SENT"


class TransactionKind(Enum):
    """Whether a transaction moves money, or takes an earlier one back."""

    TRANSFER = "TRANSFER"
    REVERSAL = "REVERSAL"


class TransactionSort(Enum):
    """The order of single entries."""

    TIME_DESCENDING = "TIME_DESCENDING"
    TIME_ASCENDING = "TIME_ASCENDING"
    AMOUNT_DESCENDING = "AMOUNT_DESCENDING"
    AMOUNT_ASCENDING = "AMOUNT_ASCENDING"

    @property
    def by_amount(self) -> bool:
        """Whether amounts come before times."""
        return self.name.startswith("AMOUNT")

    @property
    def descends(self) -> bool:
        """Whether the largest comes first, in every part of the order."""
        return self.name.endswith("DESCENDING")

    @property
    def reverse(self) -> TransactionSort:
        """The same order from the other end."""
        by = "AMOUNT" if self.by_amount else "TIME"
        return TransactionSort(f"{by}_{'ASCENDING' if self.descends else 'DESCENDING'}")


class RankBy(Enum):
    """The measure a ranking goes by; the other one breaks ties."""

    TRANSACTION_AMOUNT = "TRANSACTION_AMOUNT"
    TRANSACTION_COUNT = "TRANSACTION_COUNT"


class TimeUnit(Enum):
    """Units of a window that ends now."""

    MINUTE = "MINUTE"
    HOUR = "HOUR"
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    QUARTER = "QUARTER"
    YEAR = "YEAR"


class CalendarPeriod(Enum):
    """Whole periods of a time zone's calendar, relative to now."""

    TODAY = "TODAY"
    YESTERDAY = "YESTERDAY"
    THIS_WEEK = "THIS_WEEK"
    LAST_WEEK = "LAST_WEEK"
    THIS_MONTH = "THIS_MONTH"
    LAST_MONTH = "LAST_MONTH"
    THIS_QUARTER = "THIS_QUARTER"
    LAST_QUARTER = "LAST_QUARTER"
    THIS_YEAR = "THIS_YEAR"
    LAST_YEAR = "LAST_YEAR"


class Granularity(Enum):
    """Sizes of a series' buckets."""

    MINUTE = "MINUTE"
    FIVE_MINUTES = "FIVE_MINUTES"
    FIFTEEN_MINUTES = "FIFTEEN_MINUTES"
    HOUR = "HOUR"
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    QUARTER = "QUARTER"
    YEAR = "YEAR"


class Comparison(Enum):
    """Which earlier window an answer is compared with."""

    PREVIOUS_PERIOD = "PREVIOUS_PERIOD"
    PREVIOUS_YEAR = "PREVIOUS_YEAR"
    PREVIOUS_PERIOD_TO_DATE = "PREVIOUS_PERIOD_TO_DATE"
    PREVIOUS_YEAR_TO_DATE = "PREVIOUS_YEAR_TO_DATE"


class WeekStart(Enum):
    """The day that weeks begin on."""

    MONDAY = "MONDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"


class Fill(Enum):
    """What a series does with buckets in which nothing happened."""

    ZERO = "ZERO"
    NONE = "NONE"


@dataclass(frozen=True, slots=True)
class LastWindow:
    """A window that ends now and starts `count` units before."""

    count: int
    unit: TimeUnit


@dataclass(frozen=True, slots=True)
class BetweenWindow:
    """A window between two instants, both with an offset; `end` is not included."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class WholeUnits:
    """The `count` calendar units before the running one; or the running one, to its end, and those before it."""

    count: int
    unit: TimeUnit
    with_running: bool = False


WindowChoice = LastWindow | CalendarPeriod | BetweenWindow | WholeUnits
Compared = Comparison | WindowChoice
"""What an answer is compared with: an earlier window by rule, or any window of the caller's own."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Half-open range of epoch milliseconds."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """A time zone's calendar, with the day that its weeks begin on and the month (1 to 12) of its years."""

    zone: ZoneInfo
    week_start: WeekStart = WeekStart.MONDAY
    year_start_month: int = 1


@dataclass(frozen=True, slots=True)
class Window:
    """An interval, and the calendar that it is read in."""

    interval: Interval
    calendar: Calendar

    @property
    def zone(self) -> ZoneInfo:
        """The calendar's time zone."""
        return self.calendar.zone


@dataclass(frozen=True, slots=True)
class Bucket:
    """One point's range of a series, in epoch milliseconds; `partial` where clipped or not over."""

    start_ms: int
    end_ms: int
    partial: bool


@dataclass(frozen=True, slots=True)
class Measures:
    """How many transactions, reversals among them, and how much money, less what they took back."""

    transaction_count: int
    transaction_amount: Decimal


@dataclass(frozen=True, slots=True)
class Evidence:
    """How old an answer is, and whether it is proven complete (`inexact` says why it is not)."""

    as_of_ms: int
    inexact: str | None = None

    @property
    def exact(self) -> bool:
        """Whether nothing was cut off."""
        return self.inexact is None


@dataclass(frozen=True, slots=True)
class MeasuresChange:
    """The same measures over an earlier window; ratios are null where that is not positive."""

    window: Window
    previous: Measures
    count_change: int
    amount_change: Decimal
    count_change_ratio: Decimal | None
    amount_change_ratio: Decimal | None


@dataclass(frozen=True, slots=True)
class Side:
    """One direction of an account's (`account_id` of `None`: the network's) transactions.

    `reversals` among them, and what they took back, as a positive amount; `None`: not told apart.
    `counterparties`: how many there are, where that is known without asking.
    """

    account_id: str | None
    direction: Direction
    interval: Interval
    reversals: Measures | None
    counterparties: int | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """One account's (`account_id` of `None`: the network's) totals in one direction.

    `counterparty_id`: only with this account on the other side.
    """

    account_id: str | None
    direction: Direction
    window: Window
    evidence: Evidence
    measures: Measures
    average_amount: Decimal | None
    comparison: MeasuresChange | None
    reversals: Measures | None
    counterparty_id: str | None = None

    @property
    def side(self) -> Side:
        """Which transactions these are the totals of."""
        known = None
        if self.counterparty_id is not None:
            known = min(1, self.measures.transaction_count)
        interval = self.window.interval
        return Side(self.account_id, self.direction, interval, self.reversals, known)


@dataclass(frozen=True, slots=True)
class RankChange:
    """Where a ranked account stood in an earlier window; no rank where it is beyond the limit."""

    previous_rank: int | None
    previous: Measures
    rank_change: int | None
    is_new: bool


@dataclass(frozen=True, slots=True)
class Ranked:
    """One row of a ranking; ranks are 1, 2, 3 and so on, without ties."""

    rank: int
    account_id: str
    measures: Measures
    comparison: RankChange | None


@dataclass(frozen=True, slots=True)
class Ranking:
    """The first accounts by a measure; `whole` if there are no others than these rows.

    `account_id` is whose counterparties are ranked; `None` if all accounts are. `compared` is the
    window that the rows' comparisons are with.
    `snapshot` tells whether a later answer saw the same data.
    """

    account_id: str | None
    direction: Direction
    window: Window
    compared: Window | None
    evidence: Evidence
    rows: tuple[Ranked, ...]
    whole: bool
    snapshot: int


@dataclass(frozen=True, slots=True)
class SeriesPoint:
    """The measures of one bucket."""

    bucket: Bucket
    measures: Measures


@dataclass(frozen=True, slots=True)
class Series:
    """Measures over time, one point a bucket, oldest first."""

    window: Window
    evidence: Evidence
    granularity: Granularity
    points: tuple[SeriesPoint, ...]


@dataclass(frozen=True, slots=True)
class NetFlow:
    """What came in, what went out, and the difference."""

    account_id: str
    window: Window
    evidence: Evidence
    received: Measures
    sent: Measures
    net_amount: Decimal
    received_reversals: Measures | None
    sent_reversals: Measures | None

    def side(self, direction: Direction) -> Side:
        """Which transactions one of the two is about."""
        received = direction is Direction.RECEIVED
        reversals = self.received_reversals if received else self.sent_reversals
        return Side(self.account_id, direction, self.window.interval, reversals)


@dataclass(frozen=True, slots=True)
class Entry:
    """One account's side of one transfer, or of its reversal: the same side, a negative amount.

    `reverses` is the transfer that a reversal takes back.
    """

    account_id: str
    counterparty_id: str
    direction: Direction
    transaction_id: str
    amount: Decimal
    event_time_ms: int
    kind: TransactionKind = TransactionKind.TRANSFER
    reverses: str | None = None


@dataclass(frozen=True, slots=True)
class EntryPage:
    """One page of an account's entries, with a cursor each; `has_next` if others follow.

    `listed` is the question that all pages of the list answer.
    """

    account_id: str
    listed: object
    window: Window
    evidence: Evidence
    entries: tuple[Entry, ...]
    cursors: tuple[str, ...]
    has_next: bool
    has_previous: bool
