"""Rankings of a broker that trims its groups: exact, or said not to be."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from gateway.analytics.model import RankBy, TransactionKind
from gateway.analytics.query_plan import (
    GroupRow,
    Place,
    TopPlan,
)
from tests.scopes import of
from tests.unit.gateway.fakes import FakeBroker, broker_answer
from tests.unit.gateway.store.pinot.opened import COHORT_TYPES, RECEIVED, TOP_TYPES, WHOLE, opened


def top(limit: int) -> TopPlan:
    return TopPlan(of("alice"), RECEIVED, WHOLE, RankBy.TRANSACTION_AMOUNT, limit)


@pytest.mark.anyio
async def test_cut_groups_are_said_to_be_inexact() -> None:
    answer = broker_answer([["b", 1, "1"]], TOP_TYPES, numGroupsLimitReached=True)
    store = await opened(FakeBroker(lambda _: answer))
    result = await store.fetch(top(3), 5)
    assert result.rows == (GroupRow("b", 1, Decimal(1)),)
    assert result.inexact is not None


@pytest.mark.anyio
async def test_a_tie_at_the_cut_is_broken_by_code_points() -> None:
    # UTF-16 puts the emoji first; by code points the full-width letter is.
    everything = [["😀", 1, "1"], ["\uff21", 1, "1.0"], ["z", 1, "0.5"]]
    broker = FakeBroker(
        lambda statement: broker_answer(everything[: int(statement.rpartition(" ")[2])], TOP_TYPES)
    )
    store = await opened(broker)
    assert [row.account_id for row in (await store.fetch(top(1), 5)).rows] == ["\uff21"]
    assert [row.account_id for row in (await store.fetch(top(2), 5)).rows] == ["\uff21", "😀"]
    assert [statement.rpartition(" ")[2] for statement in broker.statements] == [
        "1",
        "10",
        "2",
        "20",
    ]


@pytest.mark.anyio
async def test_a_tie_without_such_ids_takes_one_statement() -> None:
    broker = FakeBroker(lambda _: broker_answer([["a", 1, "1"]], TOP_TYPES))
    store = await opened(broker)
    await store.fetch(top(1), 5)
    assert len(broker.statements) == 1


@pytest.mark.anyio
async def test_several_servers_are_asked_again_without_trimming_if_groups_are_many() -> None:
    def answer(statement: str) -> dict[str, Any]:
        if "DISTINCTCOUNT" in statement:
            return broker_answer([[9_000]], ["INT"])
        servers = {"numServersQueried": 2, "numServersResponded": 2}
        if "ORDER BY SUM(amount_estimate)" in statement:
            return broker_answer([[7, 1, 1.0]], COHORT_TYPES, numDocsScanned=10_000, **servers)
        return broker_answer([["b", 1, "1"]], TOP_TYPES, numDocsScanned=10_000, **servers)

    broker = FakeBroker(answer)
    store = await opened(broker)
    result = await store.fetch(top(3), 5)
    assert result.inexact is None
    assert "minServerGroupTrimSize=-1" in broker.options[-1]
    assert "IN (" not in "".join(broker.statements)  # their cohorts prove nothing together


@pytest.mark.anyio
async def test_more_groups_than_the_trim_threshold_are_not_called_exact() -> None:
    def answer(statement: str) -> dict[str, Any]:
        if "DISTINCTCOUNT" in statement:
            return broker_answer([[20_000]], ["INT"])
        if "ORDER BY SUM(amount_estimate)" in statement:
            return broker_answer([[7, 1, 1.0]], COHORT_TYPES, numDocsScanned=30_000)
        return broker_answer([["b", 1, "1"]], TOP_TYPES, numDocsScanned=30_000)

    store = await opened(FakeBroker(answer), pinot_group_trim_threshold=20_000)
    assert (await store.fetch(top(3), 5)).inexact is not None


def large_account(statement: str) -> dict[str, Any]:
    """An account of 57 cohorts, where the first three are what three transfers say."""
    if "ORDER BY SUM(amount_estimate)" in statement:
        cohorts = [[number, 1, 1_000.0 - number] for number in range(57)]
        return broker_answer(cohorts, COHORT_TYPES, numDocsScanned=30_000)
    rows = [["b", 1, "1000"], ["c", 1, "999"], ["d", 1, "998"]]
    return broker_answer(rows, TOP_TYPES, numDocsScanned=30_000)


@pytest.mark.anyio
async def test_an_account_of_many_rows_is_ranked_by_its_first_cohorts() -> None:
    broker = FakeBroker(large_account, row_count=30_000)
    store = await opened(broker)
    result = await store.fetch(top(3), 5)
    assert [row.account_id for row in result.rows] == ["b", "c", "d"]
    assert result.inexact is None
    cohorts, members = broker.statements
    assert "GROUP BY counterparty_cohort" in cohorts
    assert "counterparty_cohort IN (0, 1, 2, " in members


@pytest.mark.anyio
async def test_an_account_that_has_grown_large_is_ranked_by_cohorts_all_the_same() -> None:
    # Few rows when they were counted, many when they were ranked.
    broker = FakeBroker(large_account, row_count=10)
    store = await opened(broker)
    result = await store.fetch(top(3), 5)
    assert [row.account_id for row in result.rows] == ["b", "c", "d"]
    trimmed, _, members = broker.statements
    assert "minSegmentGroupTrimSize=5000" in broker.options[0]
    assert "LIMIT 3" in trimmed
    assert "counterparty_cohort IN (0, 1, 2, " in members


@pytest.mark.anyio
async def test_the_second_ranking_of_a_large_account_ranks_the_remembered_cohorts_only() -> None:
    broker = FakeBroker(large_account, row_count=30_000)
    store = await opened(broker)
    first = await store.fetch(top(3), 5)
    broker.statements.clear()
    assert (await store.fetch(top(3), 5)).rows == first.rows
    assert not any("GROUP BY counterparty_id" in s and "IN (" not in s for s in broker.statements)
    assert not any("LIMIT 57" in statement for statement in broker.statements)


def ten(statement: str) -> dict[str, Any]:
    """Ten groups, the n-th of n, in the statement's order and up to its limit."""
    numbers = range(1, 11) if "(amount) ASC" in statement else range(10, 0, -1)
    rows = [[f"g{number:02d}", 1, str(number)] for number in numbers]
    return broker_answer(rows[: int(statement.rpartition(" ")[2])], TOP_TYPES)


def after(rank: int, number: int, limit: int, *, ascending: bool = False) -> TopPlan:
    place = Place(rank, f"g{number:02d}", 1, Decimal(number))
    return replace(top(limit), after=place, ascending=ascending)


def ids(rows: tuple[GroupRow, ...]) -> list[str]:
    return [row.account_id for row in rows]


@pytest.mark.anyio
async def test_a_page_goes_on_behind_the_place_of_the_last_one() -> None:
    broker = FakeBroker(ten)
    store = await opened(broker)
    assert ids((await store.fetch(after(3, 8, 2), 5)).rows) == ["g07", "g06"]
    assert ids((await store.fetch(after(3, 3, 2, ascending=True), 5)).rows) == ["g04", "g05"]
    assert [each.rpartition(" ")[2] for each in broker.statements] == ["5", "5"]
    assert ids((await store.fetch(after(9, 2, 4), 5)).rows) == ["g01"]
    assert (await store.fetch(after(10, 1, 4), 5)).rows == ()


@pytest.mark.anyio
async def test_a_page_is_whole_however_many_have_come_before_its_place_since() -> None:
    broker = FakeBroker(ten)
    store = await opened(broker)
    # When it was told it was the first; now six stand before it.
    assert ids((await store.fetch(after(1, 4, 2), 5)).rows) == ["g03", "g02"]
    assert [each.rpartition(" ")[2] for each in broker.statements] == ["3", "30"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "changed",
    [
        {"ascending": True},
        {"outside": True},
        {"kind": TransactionKind.REVERSAL},
        {"scope": of("alice", "bob")},
    ],
    ids=lambda changed: next(iter(changed)),
)
async def test_what_cohorts_do_not_bound_is_ranked_in_full(changed: dict[str, Any]) -> None:
    broker = FakeBroker(ten, row_count=30_000)
    store = await opened(broker)
    rows = (await store.fetch(replace(top(3), **changed), 5)).rows
    assert ids(rows) == (["g01", "g02", "g03"] if "ascending" in changed else ["g10", "g09", "g08"])
    (statement,) = [each for each in broker.statements if "GROUP BY" in each]
    assert "cohort" not in statement
