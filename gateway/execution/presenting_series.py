"""From the model's series to GraphQL types; pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast
from zoneinfo import ZoneInfo

from strawberry import ID

from gateway.access.masking import Show
from gateway.analytics import answers as a
from gateway.analytics.calendars import instant
from gateway.execution.presenting import answer_fields, reversals_of, window_of
from graphql_schema import enums
from graphql_schema import series as series_types
from graphql_schema.answers import ReversalTotals
from graphql_schema.scalars import Long

_EPOCH = datetime.fromtimestamp(0, UTC)


def series_of(series: a.Series, final_after_days: int) -> series_types.TimeSeries:
    """A series on its zone's clock."""
    zone = series.window.zone
    return series_types.TimeSeries(
        **answer_fields(series.window, series.evidence, final_after_days),
        granularity=enums.Granularity(series.granularity.value),
        points=_points(series.points, zone),
        comparison=None
        if series.comparison is None
        else series_types.SeriesComparison(
            window=window_of(series.comparison.window, series.evidence, final_after_days),
            points=_points(series.comparison.points, zone),
        ),
    )


def top_series_of(found: a.TopSeries, shown: Show, final_after_days: int) -> series_types.TopSeries:
    """Series of several accounts on their zone's clock."""
    instants = _instants(found.other_points, found.window.zone)
    return series_types.TopSeries(
        **answer_fields(found.window, found.evidence, final_after_days),
        granularity=enums.Granularity(found.granularity.value),
        series=[
            series_types.CounterpartySeries(
                rank=each.row.rank,
                account_id=ID(shown(each.row.account_id)),
                transaction_count=Long(each.row.measures.transaction_count),
                transaction_amount=each.row.measures.transaction_amount,
                points=_points_at(instants, each.points),
            )
            for each in found.series
        ],
        others=series_types.OthersSeries(
            transaction_count=Long(found.others.transaction_count),
            transaction_amount=found.others.transaction_amount,
            points=_points_at(instants, found.other_points),
        ),
    )


def flow_series_of(found: a.FlowSeries, final_after_days: int) -> series_types.FlowSeries:
    """Both sides on their zone's clock."""
    zone = found.window.zone
    instants = _instants([each.received for each in found.points], zone)
    return series_types.FlowSeries(
        **answer_fields(found.window, found.evidence, final_after_days),
        granularity=enums.Granularity(found.granularity.value),
        points=[
            series_types.FlowPoint(
                start=start,
                end=end,
                partial=each.received.bucket.partial,
                received=_side(each.received),
                sent=_side(each.sent),
                net_amount=each.net_amount,
            )
            for (start, end), each in zip(instants, found.points, strict=True)
        ],
    )


def _side(point: a.SeriesPoint) -> series_types.PointSide:
    return series_types.PointSide(
        transaction_count=Long(point.measures.transaction_count),
        transaction_amount=point.measures.transaction_amount,
        reversals=_reversals(point),
    )


def _reversals(point: a.SeriesPoint) -> ReversalTotals:
    """A point's reversals; nobody reads them where they were not told apart, and then there are none to show."""
    if point.reversals is None:
        return cast("ReversalTotals", None)
    return reversals_of(point.reversals)


def _points(points: Sequence[a.SeriesPoint], zone: ZoneInfo) -> list[series_types.TimePoint]:
    return _points_at(_instants(points, zone), points)


def _instants(points: Sequence[a.SeriesPoint], zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """Where each point's bucket starts and ends."""
    found: list[tuple[datetime, datetime]] = []
    end_ms, end = -1, _EPOCH
    for point in points:
        bucket = point.bucket
        # Most buckets start where the one before ended.
        start = end if bucket.start_ms == end_ms else instant(bucket.start_ms, zone)
        end_ms, end = bucket.end_ms, instant(bucket.end_ms, zone)
        found.append((start, end))
    return found


def _points_at(
    instants: Sequence[tuple[datetime, datetime]], points: Sequence[a.SeriesPoint]
) -> list[series_types.TimePoint]:
    return [
        series_types.TimePoint(
            start=start,
            end=end,
            partial=point.bucket.partial,
            transaction_count=Long(point.measures.transaction_count),
            transaction_amount=point.measures.transaction_amount,
            reversals=_reversals(point),
        )
        for (start, end), point in zip(instants, points, strict=True)
    ]
