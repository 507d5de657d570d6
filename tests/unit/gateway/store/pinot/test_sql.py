"""Each shape of plan has its SQL pinned in `pinned_sql/`; REWRITE_PINS=1 writes the files anew."""

from __future__ import annotations

import os
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.analytics.model import Direction, Interval, RankBy, TransactionKind, TransactionSort
from gateway.analytics.pipeline_plan import AuditPlan, EntryCountPlan, ProgressPlan, RejectedPlan
from gateway.analytics.query_plan import (
    DistinctPlan,
    EntriesPlan,
    EntryKey,
    MatchesPlan,
    QueryPlan,
    SlotsPlan,
    TopPlan,
    TotalsPlan,
)
from gateway.analytics.spread_plan import AmountsPlan, StepsPlan
from gateway.store.pinot import clauses, sql
from gateway.store.rows.asked import RowsPlan
from tests.scopes import NETWORK, of

PINS = Path(__file__).parent / "pinned_sql"
HOUR_MS = 3_600_000
ALIGNED = Interval(1_760_000_400_000, 1_760_000_400_000 + 24 * HOUR_MS)
RAGGED = Interval(1_760_000_400_001, 1_760_086_800_002)
BOTH, RECEIVED, SENT = frozenset(Direction), Direction.RECEIVED, Direction.SENT
AMOUNT, COUNT = RankBy.TRANSACTION_AMOUNT, RankBy.TRANSACTION_COUNT
KEY = EntryKey(
    1_760_000_500_000,
    "0b5ca6cd-6f0f-4bc4-9f79-0d5e5d5f2f6a",
    SENT,
    TransactionKind.REVERSAL,
    Decimal("-7.5"),
)

PLANS: dict[str, QueryPlan[Any]] = {
    "totals_aligned": TotalsPlan(of("alice"), frozenset({RECEIVED}), ALIGNED),
    "totals_ragged_both": TotalsPlan(of("alice"), BOTH, RAGGED),
    "totals_batch": TotalsPlan(of("alice", "bob", "o'brien"), BOTH, ALIGNED),
    "totals_by_kind": TotalsPlan(of("alice"), BOTH, ALIGNED, by_kind=True),
    "totals_network": TotalsPlan(NETWORK, BOTH, ALIGNED),
    "totals_network_by_kind": TotalsPlan(NETWORK, frozenset({SENT}), ALIGNED, by_kind=True),
    "totals_with_one": TotalsPlan(of("alice"), BOTH, ALIGNED, True, "o'brien"),
    "distinct": DistinctPlan(of("alice"), SENT, RAGGED),
    "distinct_network": DistinctPlan(NETWORK, SENT, ALIGNED),
    "top_by_amount": TopPlan(of("alice"), RECEIVED, RAGGED, AMOUNT, 11),
    "top_by_count_among": TopPlan(of("alice"), SENT, ALIGNED, COUNT, 2, frozenset({"b", "c"})),
    "top_network": TopPlan(NETWORK, SENT, ALIGNED, AMOUNT, 11),
    "slots_hours": SlotsPlan(of("alice"), RECEIVED, ALIGNED, HOUR_MS),
    "slots_days_ragged": SlotsPlan(of("alice"), RECEIVED, RAGGED, 24 * HOUR_MS),
    "slots_quarter_hours_network": SlotsPlan(NETWORK, RECEIVED, RAGGED, 900_000),
    "slots_days_of_kathmandu": SlotsPlan(
        of("alice"), RECEIVED, RAGGED, 24 * HOUR_MS, (1_760_033_700_000,)
    ),
    "slots_days_of_berlin": SlotsPlan(
        NETWORK, RECEIVED, ALIGNED, 24 * HOUR_MS, (1_760_047_200_000,)
    ),
    "slots_with_one": SlotsPlan(of("alice"), RECEIVED, ALIGNED, HOUR_MS, counterparty_id="o'brien"),
    "totals_of_a_set_outside": TotalsPlan(of("alice", "bob"), BOTH, RAGGED, True, None, True),
    "distinct_of_a_set_outside": DistinctPlan(of("alice", "bob"), SENT, RAGGED, True),
    "top_of_a_set": TopPlan(of("alice", "bob"), RECEIVED, RAGGED, AMOUNT, 11),
    "top_of_a_set_outside": TopPlan(
        of("alice", "bob"), RECEIVED, RAGGED, AMOUNT, 11, outside=True, ascending=True
    ),
    "top_of_reversals_outside": TopPlan(
        *(of("alice"), RECEIVED, RAGGED, COUNT, 2, frozenset({"b", "c"}), True),
        kind=TransactionKind.REVERSAL,
    ),
    "slots_of_a_set_outside": SlotsPlan(
        of("alice", "bob"), None, ALIGNED, HOUR_MS, outside=True, by_kind=True
    ),
    "slots_among": SlotsPlan(
        of("alice"), SENT, RAGGED, 24 * HOUR_MS, among=frozenset({"b", "o'brien"})
    ),
    "amounts": AmountsPlan(of("alice"), SENT, RAGGED, 10_000),
    "steps": StepsPlan(of("alice", "bob"), RECEIVED, ALIGNED, outside=True),
    "entries": EntriesPlan(of("alice"), None, None, RAGGED, None, 21),
    "entries_after": EntriesPlan(of("alice"), SENT, "bob", ALIGNED, KEY, 21),
    "entries_reversals": EntriesPlan(
        of("alice"), None, None, RAGGED, None, 21, TransactionKind.REVERSAL
    ),
    "entries_by_amount": EntriesPlan(
        *(of("alice"), None, None, RAGGED, KEY, 21),
        order=TransactionSort.AMOUNT_ASCENDING,
        min_amount=Decimal("-999999999999999999.99999999"),
        max_amount=Decimal("1E+2"),
    ),
    "entries_of_an_id": EntriesPlan(
        *(of("alice"), None, None, RAGGED, None, 4), transaction_id=KEY.transaction_id
    ),
    "entries_reversing": EntriesPlan(
        *(of("alice"), None, None, RAGGED, None, 4), reverses=frozenset({"b", "c"})
    ),
    "matches": MatchesPlan(
        of("alice"),
        EntriesPlan(
            of("alice"), SENT, "bob", ALIGNED, None, 1, order=TransactionSort.TIME_ASCENDING
        ),
    ),
    "entry_count": EntryCountPlan(NETWORK),
    "rejected": RejectedPlan(NETWORK, None),
    "audit": AuditPlan(NETWORK),
    "rejected_in_window": RejectedPlan(NETWORK, RAGGED),
}


@pytest.mark.parametrize("name", PLANS)
def test_the_sql_of_a_plan_is_pinned(name: str) -> None:
    path = PINS / f"{name}.sql"
    found = sql.statement(PLANS[name]) + "\n"
    if os.environ.get("REWRITE_PINS"):
        path.write_text(found)
    assert found == path.read_text()


BY_COHORTS = {
    "top_cohorts_by_amount": sql.top_cohorts(
        TopPlan(of("alice"), RECEIVED, RAGGED, AMOUNT, 11), 65
    ),
    "top_cohorts_by_count": sql.top_cohorts(TopPlan(of("alice"), SENT, ALIGNED, COUNT, 11), 65),
    "top_of_cohorts": sql.top(TopPlan(of("alice"), RECEIVED, RAGGED, AMOUNT, 11), (7, -3)),
}


START_MS = 1_752_192_000_000
ROWS = {
    "account_rows": sql.account_rows(RowsPlan(of("alice"), START_MS, None, 2_001), ["alice"]),
    "account_rows_since": sql.account_rows(
        RowsPlan(of("alice", "bob"), START_MS, 1_760_000_340_000, 2_001), {"o'brien", "alice"}
    ),
}
OTHERS = {**BY_COHORTS, **ROWS}


@pytest.mark.parametrize("name", OTHERS)
def test_the_sql_that_is_no_plan_s_alone_is_pinned(name: str) -> None:
    path = PINS / f"{name}.sql"
    if os.environ.get("REWRITE_PINS"):
        path.write_text(OTHERS[name] + "\n")
    assert OTHERS[name] + "\n" == path.read_text()


def test_there_is_no_pin_without_a_plan() -> None:
    assert {path.stem for path in PINS.iterdir()} == PLANS.keys() | OTHERS.keys()


def test_a_plan_without_sql_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError):
        sql.statement(ProgressPlan())


def test_two_quotes_in_a_row_survive_versions_that_unescape_twice() -> None:
    assert clauses.literal("o'brien") == "'o''brien'"
    assert clauses.literal("a''b %ü") == "decodeUrl('a%27%27b%20%25%C3%BC')"


@given(account_id=st.text(st.characters(codec="utf-8"), min_size=1, max_size=64))
def test_whatever_an_id_is_the_statement_keeps_its_form(account_id: str) -> None:
    statement = sql.statement(TopPlan(of(account_id), RECEIVED, ALIGNED, AMOUNT, 11))
    unquoted = re.sub(r"'(?:[^']|'')*'", "?", statement).replace("decodeUrl(?)", "?")
    plain = sql.statement(TopPlan(of("alice"), RECEIVED, ALIGNED, AMOUNT, 11))
    assert unquoted == re.sub(r"'(?:[^']|'')*'", "?", plain)
    assert statement.endswith("LIMIT 11")


ASKED = {
    **{name: sql.statement(plan) for name, plan in PLANS.items()},
    **OTHERS,
    "progress": sql.PROGRESS,
    "probe": sql.probe("account_entries FROM account_entries"),
}


@pytest.mark.parametrize("name", ASKED)
def test_another_pipelines_table_is_asked_and_nothing_else_is_changed(name: str) -> None:
    first = ASKED[name]
    second = sql.of_pipeline(first, "two")
    table = first.split(" FROM ", 1)[1].split()[0]
    assert second.split(" FROM ", 1)[1].split()[0] == f"{table}_two"
    assert second.replace(f"{table}_two", table, 1) == first
    assert sql.of_pipeline(first, "") == first


def test_an_account_that_is_called_like_a_table_keeps_its_name() -> None:
    account = "a FROM account_entries WHERE"
    plan = TopPlan(of(account), RECEIVED, ALIGNED, AMOUNT, 11)
    assert clauses.literal(account) in sql.of_pipeline(sql.statement(plan), "two")
