"""The words of Pinot's SQL: literals, and conditions on columns.

Windows that begin and end on a UTC hour filter on `event_hour_ms`, which the star-tree has.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from enum import Enum
from urllib.parse import quote

from gateway.analytics.calendars import HOUR_MS
from gateway.analytics.model import Interval


def literal(text: str) -> str:
    """A string as Pinot's SQL writes it, whatever the version.

    Older versions unescape twice, which makes one quote of two in a row (RequestUtils of 0.11;
    since then a setting). Such text goes percent-encoded into a function that the broker evaluates
    before it looks at the filter.
    """
    if "''" in text:
        return f"decodeUrl('{quote(text, safe='')}')"
    return "'" + text.replace("'", "''") + "'"


class Part(Enum):
    """Which part of an interval a statement is about."""

    WHOLE = "all of it"
    HOURS = "the whole hours inside it, which the star-tree answers"
    BEFORE = "what stands before these hours"
    AFTER = "what stands after them"


def within(interval: Interval, part: Part = Part.WHOLE) -> str:
    """The rows of a part of an interval, by the hour where that is the same."""
    hours = hours_in(interval)
    if part is Part.HOURS or hours == interval:
        return in_range("event_hour_ms", hours)
    if part is Part.WHOLE:
        return in_range("event_time_ms", interval)
    if part is Part.BEFORE:
        return in_range("event_time_ms", Interval(interval.start_ms, hours.start_ms))
    return in_range("event_time_ms", Interval(hours.end_ms, interval.end_ms))


def hours_in(interval: Interval) -> Interval:
    """The whole UTC hours inside an interval; may be empty or reversed."""
    return Interval(
        -(-interval.start_ms // HOUR_MS) * HOUR_MS, interval.end_ms // HOUR_MS * HOUR_MS
    )


def in_range(column: str, interval: Interval) -> str:
    """A column of milliseconds inside a half-open interval."""
    return f"{column} >= {interval.start_ms} AND {column} < {interval.end_ms}"


def equal(column: str, value: str) -> str:
    """A column of text that is this one."""
    return f"{column} = {literal(value)}"


def among(column: str, values: Iterable[str]) -> str:
    """A column of text that is one of these, of which there is at least one."""
    literals = [literal(value) for value in values]
    return (
        f"{column} = {literals[0]}"
        if len(literals) == 1
        else f"{column} IN ({', '.join(literals)})"
    )


def none_of(column: str, values: Iterable[str]) -> str:
    """A column of text that is none of these, of which there is at least one."""
    literals = [literal(value) for value in values]
    if len(literals) == 1:
        return f"{column} <> {literals[0]}"
    return f"{column} NOT IN ({', '.join(literals)})"


def decimal_literal(amount: Decimal) -> str:
    """A decimal to compare with: as text, since a number that has a point is read as a double."""
    return f"'{amount:f}'"
