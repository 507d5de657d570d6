"""How long lists are where cost directives cannot say it: by a window's length, by a list of ids."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.documents.cost.pricing import Below, Estimate
from graphql_schema.enums import CalendarPeriod, Granularity, TimeUnit

_MINUTE_S = 60
_DAY_S = 86_400
_UNIT_S = {
    TimeUnit.MINUTE: _MINUTE_S,
    TimeUnit.HOUR: 3_600,
    TimeUnit.DAY: _DAY_S,
    TimeUnit.WEEK: 7 * _DAY_S,
    TimeUnit.MONTH: 31 * _DAY_S,
    TimeUnit.QUARTER: 92 * _DAY_S,
    TimeUnit.YEAR: 366 * _DAY_S,
}
_PERIOD_S = {
    CalendarPeriod.TODAY: 25 * 3_600,  # a day may have an hour more
    CalendarPeriod.YESTERDAY: 25 * 3_600,
    CalendarPeriod.THIS_WEEK: 8 * _DAY_S,
    CalendarPeriod.LAST_WEEK: 8 * _DAY_S,
    CalendarPeriod.THIS_MONTH: 32 * _DAY_S,
    CalendarPeriod.LAST_MONTH: 32 * _DAY_S,
    CalendarPeriod.THIS_QUARTER: 93 * _DAY_S,
    CalendarPeriod.LAST_QUARTER: 93 * _DAY_S,
    CalendarPeriod.THIS_YEAR: 367 * _DAY_S,
    CalendarPeriod.LAST_YEAR: 367 * _DAY_S,
}
_BUCKET_S = {
    Granularity.MINUTE: _MINUTE_S,
    Granularity.FIVE_MINUTES: 5 * _MINUTE_S,
    Granularity.FIFTEEN_MINUTES: 15 * _MINUTE_S,
    Granularity.HOUR: 3_600,
    Granularity.DAY: 23 * 3_600,  # the shortest there is
    Granularity.WEEK: 7 * _DAY_S - 3_600,
    Granularity.MONTH: 28 * _DAY_S - 3_600,
    Granularity.QUARTER: 90 * _DAY_S - 3_600,
    Granularity.YEAR: 365 * _DAY_S,
}


COMPARED_MORE = 3
HOURS_A_POINT = 10
"""Of a window that is summed up by the hours of the week: each may be a row of the store."""


def estimates(max_accounts: int, max_points: int) -> Mapping[tuple[str, str], Estimate]:
    """The estimates by coordinate, up to the limits; what is over them is refused unasked."""

    def series(arguments: Mapping[str, Any]) -> int:
        return _points(arguments, max_points)

    return {
        ("Query", "accounts"): lambda arguments: min(len(arguments["ids"]), max_accounts),
        ("AccountSet", "ids"): lambda _: max_accounts,
        ("Account", "timeSeries"): series,
        ("Distribution", "percentiles"): lambda arguments: len(arguments["of"]),
        ("Account", "flowSeries"): series,
        ("AccountSet", "timeSeries"): series,
        ("Network", "timeSeries"): series,
    }


def lengths_below(max_points: int) -> Mapping[tuple[str, str], Below]:
    """The lengths of lists that stand deeper, by the coordinate of the field that knows them."""

    def series(arguments: Mapping[str, Any]) -> Mapping[str, int]:
        return {"points": _points(arguments, max_points)}

    def compared(arguments: Mapping[str, Any]) -> Mapping[str, int]:
        return {"points": _compared_points(arguments, max_points)}

    return {
        ("Account", "topSeries"): series,
        ("Account", "timeSeries"): compared,
        ("AccountSet", "timeSeries"): compared,
        ("Network", "timeSeries"): compared,
    }


def made(max_points: int, max_series: int, max_hours: int) -> Mapping[tuple[str, str], Estimate]:
    """Points of what a field makes in any case: all buckets of a series, though none of them may be selected."""

    def series(arguments: Mapping[str, Any]) -> int:
        found = _points(arguments, max_points)
        if not (arguments.get("compareTo") or arguments.get("compareWindow")):
            return found
        return found + _compared_points(arguments, max_points)

    def stacked(arguments: Mapping[str, Any]) -> int:
        first: int = arguments["first"]
        layers = max(0, min(first, max_series)) + 1
        return layers * _points(arguments, max_points)

    def hours(arguments: Mapping[str, Any]) -> int:
        found = min(_window_s(arguments["window"]) / _UNIT_S[TimeUnit.HOUR], max_hours)
        return math.ceil(found / HOURS_A_POINT)

    return {
        ("Account", "topSeries"): stacked,
        ("Account", "timeSeries"): series,
        ("Account", "flowSeries"): series,
        ("AccountSet", "timeSeries"): series,
        ("Network", "timeSeries"): series,
        ("Account", "weeklyPattern"): hours,
    }


def points(arguments: Mapping[str, Any]) -> float:
    """The most buckets that a window can touch."""
    return _window_s(arguments["window"]) / _BUCKET_S[arguments["granularity"]] + 1


def _points(arguments: Mapping[str, Any], max_points: int) -> int:
    return math.ceil(min(points(arguments), max_points))


def _compared_points(arguments: Mapping[str, Any], max_points: int) -> int:
    # An earlier window is as long; in the calendar's months and days, a few buckets more.
    window = arguments.get("compareWindow") or arguments["window"]
    most = points({**arguments, "window": window}) + COMPARED_MORE
    return math.ceil(min(most, max_points))


def _window_s(window: Mapping[str, Any]) -> float:
    match window:
        case {"last": {"count": int(count), "unit": unit}}:
            return max(0, count) * _UNIT_S[unit]
        case {"lastFull": {"count": int(count), "unit": unit}}:
            return max(0, count) * _UNIT_S[unit] + _DAY_S  # some days have more than 24 hours
        case {"lastWithRunning": {"count": int(count), "unit": unit}}:
            return max(0, count) * _UNIT_S[unit] + _DAY_S
        case {"calendar": CalendarPeriod() as period}:
            return _PERIOD_S[period]
        case {"between": {"start": datetime() as start, "end": datetime() as end}}:
            return max(0.0, (end - start).total_seconds())
    return math.inf
