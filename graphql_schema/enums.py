"""The enums, each value described."""

from __future__ import annotations

from enum import Enum

import strawberry

value = strawberry.enum_value


@strawberry.enum(
    description="Which side of a transfer the account stands on; a transfer to oneself is on both."
)
class Direction(Enum):
    """Side of a transfer."""

    RECEIVED = value(
        "RECEIVED",
        description="Money that came to the account; the counterparties are the senders.",
    )
    SENT = value(
        "SENT", description="Money that left the account; the counterparties are the receivers."
    )


@strawberry.enum(
    description="Whether a transaction moves money or takes back what another one moved."
)
class TransactionKind(Enum):
    """Kind of a transaction."""

    TRANSFER = value("TRANSFER", description="Money from one account to another.")
    REVERSAL = value(
        "REVERSAL",
        description="Takes back one earlier transfer, whole and once; on the same sides of the same "
        "accounts, with the amount negative.",
    )


@strawberry.enum(
    description="The order of single transactions; what is equal goes on by time, id, direction and kind, the same way."
)
class TransactionSort(Enum):
    """Order of a list."""

    TIME_DESCENDING = value("TIME_DESCENDING", description="Newest first.")
    TIME_ASCENDING = value("TIME_ASCENDING", description="Oldest first.")
    AMOUNT_DESCENDING = value(
        "AMOUNT_DESCENDING",
        description="Largest amount first; reversals, which are negative, last.",
    )
    AMOUNT_ASCENDING = value(
        "AMOUNT_ASCENDING", description="Smallest amount first: reversals of the largest transfers."
    )


@strawberry.enum(description="The measure a ranking goes by; the other measure breaks ties.")
class RankBy(Enum):
    """Measure of a ranking."""

    TRANSACTION_AMOUNT = value("TRANSACTION_AMOUNT", description="Most money first.")
    TRANSACTION_COUNT = value("TRANSACTION_COUNT", description="Most transactions first.")


@strawberry.enum(description="How a histogram's buckets are cut.")
class HistogramScale(Enum):
    """Edges of a histogram."""

    LINEAR = value("LINEAR", description="Buckets of equal length.")
    LOGARITHMIC = value(
        "LOGARITHMIC",
        description="Each bucket's end is the same multiple of its start: for amounts of very different size.",
    )


@strawberry.enum(description="A day of the week.")
class Weekday(Enum):
    """Day of the week."""

    MONDAY = value("MONDAY", description="The first day of the week by ISO 8601.")
    TUESDAY = value("TUESDAY", description="The day after Monday.")
    WEDNESDAY = value("WEDNESDAY", description="The day after Tuesday.")
    THURSDAY = value("THURSDAY", description="The day after Wednesday.")
    FRIDAY = value("FRIDAY", description="The day after Thursday.")
    SATURDAY = value("SATURDAY", description="The day after Friday.")
    SUNDAY = value("SUNDAY", description="The day after Saturday.")


@strawberry.enum(description="What becomes of transfers between two accounts of one set.")
class InternalTransfers(Enum):
    """Transfers inside a set."""

    EXCLUDED = value(
        "EXCLUDED",
        description="They are left out: what came to the set from outside, and what left it.",
    )
    INCLUDED = value(
        "INCLUDED",
        description="They count as all others do: once as received and once as sent.",
    )


@strawberry.enum(description="Which end of an order comes first.")
class SortOrder(Enum):
    """Direction of an order."""

    DESCENDING = value("DESCENDING", description="Largest first.")
    ASCENDING = value("ASCENDING", description="Smallest first.")


@strawberry.enum(
    description="Units of a window: of `last` as described, of `lastFull` and `lastWithRunning` as the calendar has "
    "them."
)
class TimeUnit(Enum):
    """Unit of a duration."""

    MINUTE = value("MINUTE", description="60 seconds.")
    HOUR = value("HOUR", description="60 minutes.")
    DAY = value("DAY", description="24 hours, also where the clock changes.")
    WEEK = value("WEEK", description="7 times 24 hours.")
    MONTH = value(
        "MONTH",
        description="Back to the same wall clock time in `timeZone` so many months before; a day that "
        "month does not have is its last.",
    )
    QUARTER = value("QUARTER", description="3 months, as MONTH goes back.")
    YEAR = value(
        "YEAR", description="Back to the same wall clock time in `timeZone` so many years before."
    )


@strawberry.enum(
    description="Whole periods of the time zone's calendar; a running period lasts to its end."
)
class CalendarPeriod(Enum):
    """Calendar period relative to now."""

    TODAY = value("TODAY", description="From midnight to the next midnight.")
    YESTERDAY = value("YESTERDAY", description="The day before today.")
    THIS_WEEK = value(
        "THIS_WEEK", description="From Monday to the next Monday, or as `calendar` says."
    )
    LAST_WEEK = value("LAST_WEEK", description="The week before this week.")
    THIS_MONTH = value("THIS_MONTH", description="From the 1st to the next 1st.")
    LAST_MONTH = value("LAST_MONTH", description="The month before this month.")
    THIS_QUARTER = value(
        "THIS_QUARTER",
        description="Three months from the 1st of January, April, July or October, or as `calendar` says.",
    )
    LAST_QUARTER = value("LAST_QUARTER", description="The quarter before this quarter.")
    THIS_YEAR = value(
        "THIS_YEAR", description="From the 1st of January to the next, or as `calendar` says."
    )
    LAST_YEAR = value("LAST_YEAR", description="The year before this year.")


@strawberry.enum(
    description="Sizes of a series' buckets, which begin where the calendar of `timeZone` says; those of "
    "up to an hour also where its clock changes."
)
class Granularity(Enum):
    """Size of a bucket."""

    MINUTE = value("MINUTE", description="Whole minutes.")
    FIVE_MINUTES = value("FIVE_MINUTES", description="From :00, :05, :10 and so on.")
    FIFTEEN_MINUTES = value("FIFTEEN_MINUTES", description="From :00, :15, :30 and :45.")
    HOUR = value("HOUR", description="Whole hours of the wall clock.")
    DAY = value("DAY", description="Midnight to midnight: 23 or 25 hours where the clock changes.")
    WEEK = value("WEEK", description="Monday to Monday, or as `calendar` says.")
    MONTH = value("MONTH", description="From the 1st to the next 1st.")
    QUARTER = value(
        "QUARTER", description="From January, April, July and October, or as `calendar` says."
    )
    YEAR = value("YEAR", description="From the 1st of January to the next, or as `calendar` says.")


@strawberry.enum(description="Which earlier window an answer is compared with.")
class Comparison(Enum):
    """Earlier window."""

    PREVIOUS_PERIOD = value(
        "PREVIOUS_PERIOD",
        description="The window of equal length before; for a calendar period, the whole period before, "
        "also where this one is still running.",
    )
    PREVIOUS_YEAR = value(
        "PREVIOUS_YEAR", description="The same dates and wall clock times one year before."
    )
    PREVIOUS_PERIOD_TO_DATE = value(
        "PREVIOUS_PERIOD_TO_DATE",
        description="As PREVIOUS_PERIOD; but a window that is still running is compared with as much of the earlier "
        "one: up to the same wall clock time of the same day of it. A day that the earlier month does not have "
        "stands for all of that month.",
    )
    PREVIOUS_YEAR_TO_DATE = value(
        "PREVIOUS_YEAR_TO_DATE",
        description="As PREVIOUS_YEAR; but a window that is still running is compared up to the same date and wall "
        "clock time one year before.",
    )


@strawberry.enum(description="The day that weeks begin on.")
class WeekStart(Enum):
    """First day of a week."""

    MONDAY = value("MONDAY", description="As ISO 8601 has it.")
    SATURDAY = value("SATURDAY", description="As in much of the Arab world.")
    SUNDAY = value("SUNDAY", description="As in the Americas and much of Asia.")


@strawberry.enum(description="What a series does with buckets in which nothing happened.")
class Fill(Enum):
    """Treatment of empty buckets."""

    ZERO = value("ZERO", description="They are points with a count and an amount of zero.")
    NONE = value("NONE", description="They are left out.")


@strawberry.enum(description="How far the answers are behind the events.")
class PipelineState(Enum):
    """State of the pipeline."""

    LIVE = value("LIVE", description="Up to 30 seconds behind, the promise of the pipeline.")
    DELAYED = value("DELAYED", description="30 to 60 seconds behind.")
    STALLED = value("STALLED", description="Over 60 seconds behind: more than is promised.")


@strawberry.enum(description="Where the numbers come from.")
class DataSource(Enum):
    """Origin of the data."""

    PIPELINE = value("PIPELINE", description="The events of the payment pipeline.")
    SAMPLE = value("SAMPLE", description="Made-up data of the embedded store, for development.")


@strawberry.enum(description="Whether raw events, entries and the analytics store agree.")
class AuditState(Enum):
    """State of the audit."""

    CONSISTENT = value("CONSISTENT", description="All that was compared agrees.")
    INCONSISTENT = value("INCONSISTENT", description="Something differs; see `openMismatches`.")
    BEHIND = value(
        "BEHIND", description="Nothing is known to differ, but the last minute is not compared yet."
    )
    NOT_APPLICABLE = value(
        "NOT_APPLICABLE", description="Sample data: there is nothing to compare."
    )


@strawberry.enum(description="What was compared with what stands before it in the pipeline.")
class AuditTier(Enum):
    """A tier of the pipeline."""

    ENTRIES = value("ENTRIES", description="The entries, compared with the raw events.")
    PINOT = value("PINOT", description="The analytics store, compared with the entries.")


@strawberry.enum(description="In which way a tier differs from the one before it.")
class AuditMismatchKind(Enum):
    """A kind of mismatch."""

    LOST = value("LOST", description="Something is missing. Lost entries can be repaired.")
    LOST_SIDE = value(
        "LOST_SIDE", description="One of the two entries is missing; can be repaired."
    )
    DOUBLED = value("DOUBLED", description="Something is there more than once.")
    CHANGED = value("CHANGED", description="Something is there with other content.")
    UNKNOWN = value("UNKNOWN", description="Something is there that nothing before it stands for.")
    MISPLACED = value("MISPLACED", description="An entry is not in its account's partition.")
    MALFORMED = value("MALFORMED", description="A record is no entry.")
    UNBALANCED = value("UNBALANCED", description="Received and sent are not the same.")
    UNEXPLAINED = value("UNEXPLAINED", description="Counts or sums differ; ids cannot be told.")
