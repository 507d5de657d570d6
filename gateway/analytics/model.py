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
class Whose:
    """Whose transactions a question is about: those of some accounts as one, or (`None`) everyone's.

    `outside` leaves out those between two of the accounts.
    """

    account_ids: frozenset[str] | None
    outside: bool = False


NETWORK = Whose(None)
