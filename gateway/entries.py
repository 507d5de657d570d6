"""Pages of single entries, by a keyset that neither skips nor repeats while rows arrive."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gateway import cursor
from gateway.analytics import Analytics, evidence_of
from gateway.limits import check_first
from gateway.model import Direction, Entry, EntryPage, TransactionKind, Window, WindowChoice
from gateway.query_plan import EntriesPlan, EntryKey


@dataclass(frozen=True, slots=True)
class EntriesQuestion:
    """Which of an account's entries, and how many after which."""

    account_id: str
    choice: WindowChoice
    zone: ZoneInfo
    direction: Direction | None
    counterparty_id: str | None
    kind: TransactionKind | None
    first: int
    after: str | None


async def page(analytics: Analytics, question: EntriesQuestion) -> EntryPage:
    """One page, newest first; a cursor goes on in the window that the first page had."""
    if question.counterparty_id is not None:
        analytics.caller.may_name(question.counterparty_id)
    first = check_first(question.first, analytics.limits.max_first)
    name = cursor.fingerprint(
        question.account_id,
        question.choice,
        question.zone.key,
        question.direction,
        question.counterparty_id,
        question.kind,
    )
    asked = analytics.window(question.choice, question.zone)
    after = None
    if question.after is not None:
        place = cursor.decode(question.after, name, analytics.limits.max_window_days)
        after, asked = place.key, Window(place.interval, question.zone)
    plan = EntriesPlan(
        analytics.scope(question.account_id),
        question.direction,
        question.counterparty_id,
        asked.interval,
        after,
        first + 1,
        question.kind,
    )
    result = await analytics.store.fetch(plan)
    entries = result.rows[:first]
    return EntryPage(
        window=asked,
        evidence=evidence_of(result),
        entries=entries,
        cursors=tuple(
            cursor.encode(cursor.Cursor(name, asked.interval, key(each))) for each in entries
        ),
        has_next=len(result.rows) > first,
        has_previous=after is not None,
    )


def key(entry: Entry) -> EntryKey:
    """Where an entry stands in the order of pages."""
    return EntryKey(entry.event_time_ms, entry.transaction_id, entry.direction, entry.kind)
