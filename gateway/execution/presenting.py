"""From the model to GraphQL types and back for inputs; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, TypedDict
from zoneinfo import ZoneInfo

from strawberry import ID

from gateway.access.masking import Show
from gateway.analytics import model as m
from gateway.analytics import pipeline_model as p
from gateway.analytics.calendars import instant
from gateway.analytics.limits import check_zone
from gateway.analytics.window import is_final
from gateway.errors import BadUserInputError
from graphql_schema import answers, enums, inputs, system, transactions
from graphql_schema.scalars import Long, TimeZone

LIVE_S, DELAYED_S = 30, 60


class EntrySource(NamedTuple):
    """What a transaction is: one of a page, whose reversals are asked for together."""

    page: m.EntryPage
    entry: m.Entry


class AnswerFields(TypedDict):
    """The fields of the interface `Answer`."""

    window: answers.Window
    as_of: datetime
    exact: bool


def choice_of(given: inputs.WindowInput) -> m.WindowChoice:
    """The caller's window; GraphQL has checked that it is said in one way."""
    if given.last:
        return m.LastWindow(given.last.count, m.TimeUnit(given.last.unit.value))
    if given.calendar:
        return m.CalendarPeriod(given.calendar.value)
    if given.between:
        return m.BetweenWindow(given.between.start, given.between.end)
    if given.last_full:
        return m.WholeUnits(given.last_full.count, m.TimeUnit(given.last_full.unit.value))
    if given.last_with_running:
        unit = m.TimeUnit(given.last_with_running.unit.value)
        return m.WholeUnits(given.last_with_running.count, unit, with_running=True)
    raise BadUserInputError("window", "give exactly one of its fields")


def calendar_of(time_zone: TimeZone, given: inputs.CalendarInput | None) -> m.Calendar:
    """The calendar that windows and buckets are read in."""
    zone = check_zone(time_zone)
    if given is None:
        return m.Calendar(zone)
    if not 1 <= given.year_start_month <= 12:
        raise BadUserInputError(
            "calendar.yearStartMonth", f"must be 1 to 12, not {given.year_start_month}"
        )
    return m.Calendar(zone, m.WeekStart(given.week_start.value), given.year_start_month)


def compared_of(
    to: enums.Comparison | None, window: inputs.WindowInput | None
) -> m.Compared | None:
    """What to compare with, if anything."""
    if to is not None and window is not None:
        raise BadUserInputError("compareWindow", "give either compareTo or compareWindow, not both")
    if window is not None:
        return choice_of(window)
    return None if to is None else m.Comparison(to.value)


def window_of(window: m.Window, evidence: m.Evidence, final_after_days: int) -> answers.Window:
    """A window on its zone's clock."""
    interval, zone = window.interval, window.zone
    return answers.Window(
        start=instant(interval.start_ms, zone),
        end=instant(interval.end_ms, zone),
        time_zone=TimeZone(zone.key),
        final=is_final(interval, evidence.as_of_ms, final_after_days),
    )


def answer_fields(window: m.Window, evidence: m.Evidence, final_after_days: int) -> AnswerFields:
    """What every answer says about itself."""
    return {
        "window": window_of(window, evidence, final_after_days),
        "as_of": utc(evidence.as_of_ms),
        "exact": evidence.exact,
    }


class RankingFields(AnswerFields):
    """The fields that rankings of all kinds have of themselves."""

    comparison_window: answers.Window | None


def ranking_fields(ranked: m.Ranking, final_after_days: int) -> RankingFields:
    """What every ranking says about itself."""
    before = ranked.compared
    return {
        **answer_fields(ranked.window, ranked.evidence, final_after_days),
        "comparison_window": None
        if before is None
        else window_of(before, ranked.evidence, final_after_days),
    }


def totals_of(totals: m.Totals, final_after_days: int) -> answers.Totals:
    """Totals."""
    comparison = None
    if totals.comparison is not None:
        before = window_of(totals.comparison.window, totals.evidence, final_after_days)
        comparison = _totals_comparison(totals.comparison, before)
    return answers.Totals(
        **answer_fields(totals.window, totals.evidence, final_after_days),
        source=totals.side,
        transaction_count=Long(totals.measures.transaction_count),
        transaction_amount=totals.measures.transaction_amount,
        average_amount=totals.average_amount,
        comparison=comparison,
    )


def reversals_of(measures: m.Measures) -> answers.ReversalTotals:
    """Measures of reversals."""
    return answers.ReversalTotals(
        transaction_count=Long(measures.transaction_count),
        transaction_amount=measures.transaction_amount,
    )


def row_of(ranked: m.Ranked, source: object, shown: Show) -> answers.CounterpartyTotal:
    """A row of a ranking."""
    return answers.CounterpartyTotal(
        source=source,
        rank=ranked.rank,
        account_id=ID(shown(ranked.account_id)),
        transaction_count=Long(ranked.measures.transaction_count),
        transaction_amount=ranked.measures.transaction_amount,
        comparison=None if ranked.comparison is None else _rank_comparison(ranked.comparison),
    )


def remainder_of(measures: m.Measures, source: object) -> answers.Remainder:
    """Measures of a ranking's others, or of all."""
    return answers.Remainder(
        source=source,
        transaction_count=Long(measures.transaction_count),
        transaction_amount=measures.transaction_amount,
    )


def series_of(series: m.Series, final_after_days: int) -> answers.TimeSeries:
    """A series on its zone's clock."""
    zone = series.window.zone
    return answers.TimeSeries(
        **answer_fields(series.window, series.evidence, final_after_days),
        granularity=enums.Granularity(series.granularity.value),
        points=_points(series.points, zone),
    )


def net_flow_of(flow: m.NetFlow, final_after_days: int) -> answers.NetFlow:
    """A net flow."""
    return answers.NetFlow(
        **answer_fields(flow.window, flow.evidence, final_after_days),
        received=_flow(flow.received, flow.side(m.Direction.RECEIVED)),
        sent=_flow(flow.sent, flow.side(m.Direction.SENT)),
        net_amount=flow.net_amount,
    )


def page_of(
    page: m.EntryPage, shown: Show, final_after_days: int
) -> transactions.TransactionConnection:
    """A page of entries as Relay has it."""
    nodes = transactions_of(page, page.entries, shown)
    edges = [
        transactions.TransactionEdge(cursor=cursor, node=node)
        for cursor, node in zip(page.cursors, nodes, strict=True)
    ]
    return transactions.TransactionConnection(
        **answer_fields(page.window, page.evidence, final_after_days),
        source=page,
        edges=edges,
        page_info=transactions.PageInfo(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=page.cursors[0] if page.cursors else None,
            end_cursor=page.cursors[-1] if page.cursors else None,
        ),
    )


def transactions_of(
    page: m.EntryPage, entries: Iterable[m.Entry], shown: Show
) -> list[transactions.Transaction]:
    """Entries of a page, or of what reversed them."""
    zone = page.window.zone
    return [_transaction(entry, zone, shown, EntrySource(page, entry)) for entry in entries]


def pipeline_of(status: p.PipelineStatus) -> system.Pipeline:
    """The pipeline's state, named by how far it is behind."""
    state = enums.PipelineState.STALLED
    if status.freshness_s <= DELAYED_S:
        state = enums.PipelineState.DELAYED
    if status.freshness_s <= LIVE_S:
        state = enums.PipelineState.LIVE
    return system.Pipeline(
        as_of=utc(status.as_of_ms),
        freshness_seconds=status.freshness_s,
        state=state,
        data_source=enums.DataSource.SAMPLE if status.sample_data else enums.DataSource.PIPELINE,
    )


def audit_of(status: p.AuditStatus) -> system.PipelineAudit:
    """The audit's state; instants are null before the first comparison."""
    report = status.report
    compared = report is not None and report.through_ms > 0
    return system.PipelineAudit(
        state=enums.AuditState[status.state.name],
        consistent_through=utc(report.consistent_through_ms) if report and compared else None,
        compared_through=utc(report.through_ms) if report and compared else None,
        checked_intervals=Long(report.checked_intervals if report else 0),
        inconsistent_intervals=Long(report.open_intervals if report else 0),
        conflicting_duplicates=Long(report.conflicts if report else 0),
        open_mismatches=[mismatch_of(each) for each in report.mismatches] if report else [],
    )


def mismatch_of(mismatch: p.AuditMismatch) -> system.AuditMismatch:
    """One way in which one interval differs."""
    return system.AuditMismatch(
        start=utc(mismatch.interval.start_ms),
        end=utc(mismatch.interval.end_ms),
        tier=enums.AuditTier[mismatch.tier],
        kind=enums.AuditMismatchKind[mismatch.kind],
        count=Long(mismatch.count),
        transaction_ids=[ID(each) for each in mismatch.transaction_ids],
    )


def utc(epoch_ms: int) -> datetime:
    """An epoch millisecond in UTC."""
    return instant(epoch_ms, ZoneInfo("UTC")).astimezone(UTC)


def _totals_comparison(
    change: m.MeasuresChange, before: answers.Window
) -> answers.TotalsComparison:
    return answers.TotalsComparison(
        window=before,
        transaction_count=Long(change.previous.transaction_count),
        transaction_amount=change.previous.transaction_amount,
        transaction_count_change=Long(change.count_change),
        transaction_amount_change=change.amount_change,
        transaction_count_change_ratio=change.count_change_ratio,
        transaction_amount_change_ratio=change.amount_change_ratio,
    )


def _rank_comparison(change: m.RankChange) -> answers.CounterpartyComparison:
    return answers.CounterpartyComparison(
        previous_rank=change.previous_rank,
        previous_transaction_count=Long(change.previous.transaction_count),
        previous_transaction_amount=change.previous.transaction_amount,
        rank_change=change.rank_change,
        is_new=change.is_new,
    )


def _points(points: Sequence[m.SeriesPoint], zone: ZoneInfo) -> list[answers.TimePoint]:
    found: list[answers.TimePoint] = []
    end_ms, end = -1, utc(0)
    for point in points:
        bucket, measures = point.bucket, point.measures
        # Most buckets start where the one before ended.
        start = end if bucket.start_ms == end_ms else instant(bucket.start_ms, zone)
        end_ms, end = bucket.end_ms, instant(bucket.end_ms, zone)
        found.append(
            answers.TimePoint(
                start=start,
                end=end,
                partial=bucket.partial,
                transaction_count=Long(measures.transaction_count),
                transaction_amount=measures.transaction_amount,
            )
        )
    return found


def _flow(measures: m.Measures, side: m.Side) -> answers.Flow:
    return answers.Flow(
        source=side,
        transaction_count=Long(measures.transaction_count),
        transaction_amount=measures.transaction_amount,
    )


def _transaction(
    entry: m.Entry, zone: ZoneInfo, shown: Show, source: EntrySource
) -> transactions.Transaction:
    return transactions.Transaction(
        source=source,
        transaction_id=ID(entry.transaction_id),
        kind=enums.TransactionKind(entry.kind.value),
        reverses=None if entry.reverses is None else ID(entry.reverses),
        direction=enums.Direction(entry.direction.value),
        counterparty_id=ID(shown(entry.counterparty_id)),
        amount=entry.amount,
        time=instant(entry.event_time_ms, zone),
    )
