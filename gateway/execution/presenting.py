"""From the model to GraphQL types and back for inputs; pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple, TypedDict
from zoneinfo import ZoneInfo

from strawberry import ID

from gateway.access.masking import Show
from gateway.analytics import answers as a
from gateway.analytics import model as m
from gateway.analytics.calendars import instant
from gateway.analytics.money import subtract
from gateway.analytics.window import is_final
from graphql_schema import answers, enums, rankings, transactions
from graphql_schema.scalars import Long, TimeZone


class EntrySource(NamedTuple):
    """What a transaction is: one of a page, whose reversals are asked for together."""

    page: a.EntryPage
    entry: m.Entry


class AnswerFields(TypedDict):
    """The fields of the interface `Answer`."""

    window: answers.Window
    as_of: datetime
    exact: bool


def window_of(window: m.Window, evidence: a.Evidence, final_after_days: int) -> answers.Window:
    """A window on its zone's clock."""
    interval, zone = window.interval, window.zone
    return answers.Window(
        start=instant(interval.start_ms, zone),
        end=instant(interval.end_ms, zone),
        time_zone=TimeZone(zone.key),
        final=is_final(interval, evidence.as_of_ms, final_after_days),
    )


def answer_fields(window: m.Window, evidence: a.Evidence, final_after_days: int) -> AnswerFields:
    """What every answer says about itself."""
    return {
        "window": window_of(window, evidence, final_after_days),
        "as_of": utc(evidence.as_of_ms),
        "exact": evidence.exact,
    }


class RankingFields(AnswerFields):
    """The fields that rankings of all kinds have of themselves."""

    comparison_window: answers.Window | None
    page_info: answers.PageInfo


def ranking_fields(ranked: a.Ranking, final_after_days: int) -> RankingFields:
    """What every ranking says about itself."""
    before = ranked.compared
    return {
        **answer_fields(ranked.window, ranked.evidence, final_after_days),
        "comparison_window": None
        if before is None
        else window_of(before, ranked.evidence, final_after_days),
        "page_info": _page_info(ranked),
    }


def totals_of(totals: a.Totals, final_after_days: int) -> answers.Totals:
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


def reversals_of(measures: a.Measures) -> answers.ReversalTotals:
    """Measures of reversals."""
    return answers.ReversalTotals(
        transaction_count=Long(measures.transaction_count),
        transaction_amount=measures.transaction_amount,
    )


def row_of(ranked: a.Ranked, source: object, shown: Show) -> rankings.CounterpartyTotal:
    """A row of a ranking."""
    return rankings.CounterpartyTotal(
        source=source,
        rank=ranked.rank,
        account_id=ID(shown(ranked.account_id)),
        transaction_count=Long(ranked.measures.transaction_count),
        transaction_amount=ranked.measures.transaction_amount,
        comparison=None if ranked.comparison is None else _rank_comparison(ranked.comparison),
    )


def remainder_of(measures: a.Measures, source: object) -> rankings.Remainder:
    """Measures of a ranking's others, or of all."""
    return rankings.Remainder(
        source=source,
        transaction_count=Long(measures.transaction_count),
        transaction_amount=measures.transaction_amount,
    )


def net_flow_of(flow: a.NetFlow, final_after_days: int) -> answers.NetFlow:
    """A net flow."""
    then, comparison = flow.comparison, None
    if then is not None:
        comparison = answers.NetFlowComparison(
            window=window_of(then.window, flow.evidence, final_after_days),
            received=_flow(then.received, then.side(m.Direction.RECEIVED)),
            sent=_flow(then.sent, then.side(m.Direction.SENT)),
            net_amount=then.net_amount,
            net_amount_change=subtract(flow.net_amount, then.net_amount),
        )
    return answers.NetFlow(
        **answer_fields(flow.window, flow.evidence, final_after_days),
        received=_flow(flow.received, flow.side(m.Direction.RECEIVED)),
        sent=_flow(flow.sent, flow.side(m.Direction.SENT)),
        net_amount=flow.net_amount,
        comparison=comparison,
    )


def page_of(
    page: a.EntryPage, shown: Show, final_after_days: int
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
        page_info=_page_info(page),
    )


def transactions_of(
    page: a.EntryPage, entries: Iterable[m.Entry], shown: Show
) -> list[transactions.Transaction]:
    """Entries of a page, or of what reversed them."""
    zone = page.window.zone
    return [_transaction(entry, zone, shown, EntrySource(page, entry)) for entry in entries]


def utc(epoch_ms: int) -> datetime:
    """An epoch millisecond in UTC."""
    return instant(epoch_ms, ZoneInfo("UTC")).astimezone(UTC)


def _page_info(page: a.EntryPage | a.Ranking) -> answers.PageInfo:
    return answers.PageInfo(
        has_next_page=page.has_next,
        has_previous_page=page.has_previous,
        start_cursor=page.cursors[0] if page.cursors else None,
        end_cursor=page.cursors[-1] if page.cursors else None,
    )


def _totals_comparison(
    change: a.MeasuresChange, before: answers.Window
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


def _rank_comparison(change: a.RankChange) -> rankings.CounterpartyComparison:
    return rankings.CounterpartyComparison(
        previous_rank=change.previous_rank,
        previous_transaction_count=Long(change.previous.transaction_count),
        previous_transaction_amount=change.previous.transaction_amount,
        rank_change=change.rank_change,
        is_new=change.is_new,
    )


def _flow(measures: a.Measures, side: a.Side) -> answers.Flow:
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
