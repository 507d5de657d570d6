"""A ranking by what an earlier one left behind is the ranking, whatever has arrived since."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from gateway.analytics.model import Direction, Interval, RankBy
from gateway.analytics.query_plan import GroupRow, TopPlan
from gateway.store.pinot.cohorts import Cohort
from gateway.store.pinot.remembered import Base, RememberedRankings
from gateway.store.pinot.response import BrokerAnswer, Cells
from gateway.store.pinot.top import fetch_top, in_order
from tests.scopes import of

AMOUNT, COUNT = RankBy.TRANSACTION_AMOUNT, RankBy.TRANSACTION_COUNT
COHORTS = 5_500
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Row:
    time_ms: int
    counterparty: int
    amount: Decimal


@dataclass
class Pinot:
    """Answers the statements of a ranking out of rows; tells apart what was asked."""

    rows: list[Row] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)

    async def ask(self, statement: str, options: dict[str, str | int]) -> BrokerAnswer:
        found = self._within(statement)
        limit = int(statement.rpartition(" ")[2])
        if statement.startswith("SELECT COUNT(*)"):
            self.asked["count"] += 1
            return _answer([[len(found)]], len(found))
        if "GROUP BY counterparty_cohort" in statement:
            self.asked["cohorts"] += 1
            groups: defaultdict[int, list[Decimal]] = defaultdict(list)
            for row in found:
                groups[row.counterparty % COHORTS].append(row.amount)
            cells: list[Cells] = [
                [cohort, len(each), sum(max(float(amount), 0.0) for amount in each)]
                for cohort, each in groups.items()
            ]
            keys = (2, 1) if "ORDER BY SUM" in statement else (1, 2)
            cells.sort(key=lambda row: tuple(-row[key] for key in keys))
            return _answer(cells[:limit], len(found))
        self.asked["members" if " IN (" in statement else "everyone"] += 1
        if " IN (" in statement:
            chosen = set(map(int, statement.partition(" IN (")[2].partition(")")[0].split(",")))
            found = [row for row in found if row.counterparty % COHORTS in chosen]
        order_by = AMOUNT if "ORDER BY SUM" in statement else COUNT
        ranked = [
            [row.account_id, row.transaction_count, str(row.transaction_amount)]
            for row in reference(found, order_by)
        ]
        return _answer(ranked[:limit], len(found))

    def _within(self, statement: str) -> list[Row]:
        start, end = (
            int(statement.partition(f"_ms {sign} ")[2].split(" ")[0]) for sign in (">=", "<")
        )
        return [row for row in self.rows if start <= row.time_ms < end]


def _answer(rows: list[Cells], docs: int) -> BrokerAnswer:
    return BrokerAnswer(tuple(rows), docs, docs, 1, groups_cut=False)


def reference(rows: list[Row], order_by: RankBy) -> tuple[GroupRow, ...]:
    amounts: defaultdict[int, list[Decimal]] = defaultdict(list)
    for row in rows:
        amounts[row.counterparty].append(row.amount)
    groups = (GroupRow(f"{n:07d}", len(a), sum(a, Decimal())) for n, a in amounts.items())
    return in_order(tuple(groups), plan(Interval(0, 1), order_by))


def made(chance: random.Random, time_ms: int) -> Row:
    return Row(time_ms, chance.randrange(6_000), Decimal(chance.randrange(1, 10**8)) / 100)


def plan(interval: Interval, order_by: RankBy = AMOUNT, account_id: str = "a") -> TopPlan:
    return TopPlan(of(account_id), Direction.RECEIVED, interval, order_by, 11)


@pytest.mark.anyio
@pytest.mark.parametrize("order_by", RankBy)
@pytest.mark.parametrize("seed", range(3))
async def test_a_sliding_window_over_growing_rows_is_always_ranked_right(
    seed: int, order_by: RankBy
) -> None:
    chance, now_ms = random.Random(seed), 100 * DAY_MS
    pinot, memory = Pinot(), RememberedRankings().after(0)
    pinot.rows = [made(chance, now_ms - chance.randrange(DAY_MS)) for _ in range(7_000)]
    for _ in range(30):
        now_ms += chance.randrange(1, 60_000)
        for _ in range(chance.randrange(40)):
            pinot.rows.append(made(chance, now_ms - chance.randrange(1_500)))
        for _ in range(chance.randrange(10)):
            original = chance.choice(pinot.rows)
            pinot.rows.append(replace(original, time_ms=now_ms - 1, amount=-original.amount))
        if chance.random() < 0.2:
            # A late row, into what was counted before.
            pinot.rows.append(made(chance, now_ms - chance.randrange(DAY_MS)))
        days = chance.choice([1, 1, 1, 2])
        window = Interval(now_ms - days * DAY_MS, now_ms)
        found = await fetch_top(plan(window, order_by), pinot.ask, 5_000_000, memory, now_ms)
        rows = [row for row in pinot.rows if window.start_ms <= row.time_ms < window.end_ms]
        assert found.rows == reference(rows, order_by)[:11]
        assert found.inexact is None
    # Most rankings were made by what others had left behind.
    assert pinot.asked["everyone"] <= 2
    assert pinot.asked["members"] == 30
    assert pinot.asked["count"] >= 30


@pytest.mark.anyio
async def test_a_large_account_is_counted_once_when_it_is_ranked_anew() -> None:
    chance, now_ms = random.Random(1), 100 * DAY_MS
    pinot = Pinot([made(chance, now_ms - 1 - chance.randrange(DAY_MS)) for _ in range(6_000)])
    question = plan(Interval(now_ms - DAY_MS, now_ms))
    await fetch_top(question, pinot.ask, 5_000_000, RememberedRankings().after(0), now_ms)
    assert pinot.asked == {"count": 1, "cohorts": 1, "members": 1}


@pytest.mark.anyio
async def test_the_first_of_a_ranking_falls_when_they_are_reversed_later() -> None:
    chance, now_ms = random.Random(2), 100 * DAY_MS
    pinot, memory = Pinot(), RememberedRankings().after(0)
    pinot.rows = [made(chance, now_ms - 9_000 - chance.randrange(DAY_MS)) for _ in range(7_000)]
    start_ms = now_ms - 2 * DAY_MS
    await fetch_top(plan(Interval(start_ms, now_ms)), pinot.ask, 5_000_000, memory, now_ms)
    # All that the first hundred paid is taken back: the next ones are not among the remembered.
    fallen = {int(row.account_id) for row in reference(pinot.rows, AMOUNT)[:100]}
    pinot.rows += [
        replace(row, time_ms=now_ms + 5, amount=-row.amount)
        for row in pinot.rows
        if row.counterparty in fallen
    ]
    window = plan(Interval(start_ms, now_ms + 10))
    found = await fetch_top(window, pinot.ask, 5_000_000, memory, now_ms + 10)
    assert found.rows == reference(pinot.rows, AMOUNT)[:11]
    assert fallen.isdisjoint(int(row.account_id) for row in found.rows)


@pytest.mark.anyio
async def test_a_late_row_in_what_was_counted_makes_the_ranking_anew() -> None:
    chance, now_ms = random.Random(1), 100 * DAY_MS
    pinot, memory = Pinot(), RememberedRankings().after(0)
    pinot.rows = [made(chance, now_ms - 1 - chance.randrange(DAY_MS)) for _ in range(6_000)]
    question = plan(Interval(now_ms - DAY_MS, now_ms))
    await fetch_top(question, pinot.ask, 5_000_000, memory, now_ms)
    # Nobody had looked at this account, and one late row brings it to the top.
    pinot.rows.append(Row(now_ms - 40_000_000, 5_999, Decimal(10) ** 9))
    found = await fetch_top(question, pinot.ask, 5_000_000, memory, now_ms)
    assert found.rows[0].account_id == "0005999"


@pytest.mark.anyio
@pytest.mark.parametrize("order_by", RankBy)
async def test_what_was_remembered_before_an_erasure_ranks_nothing_after_it(
    order_by: RankBy,
) -> None:
    chance, now_ms = random.Random(4), 100 * DAY_MS
    rankings = RememberedRankings()
    pinot = Pinot([made(chance, now_ms - 1 - chance.randrange(DAY_MS)) for _ in range(6_000)])
    question = plan(Interval(now_ms - DAY_MS, now_ms), order_by)
    await fetch_top(question, pinot.ask, 5_000_000, rankings.after(0), now_ms)
    first = int(reference(pinot.rows, order_by)[0].account_id)
    pinot.rows = [
        replace(row, counterparty=9_000) if row.counterparty == first else row for row in pinot.rows
    ]
    for _ in range(2):
        found = await fetch_top(question, pinot.ask, 5_000_000, rankings.after(2), now_ms)
        assert found.rows[0].account_id == "0009000"
        assert found.rows == reference(pinot.rows, order_by)[:11]
    assert rankings.after(2).base_for(question) is not None


@pytest.mark.anyio
async def test_more_new_cohorts_than_are_worth_it_make_the_ranking_anew() -> None:
    chance, now_ms = random.Random(1), 100 * DAY_MS
    pinot, memory = Pinot(), RememberedRankings().after(0)
    pinot.rows = [made(chance, now_ms - 1 - chance.randrange(DAY_MS)) for _ in range(6_000)]
    await fetch_top(plan(Interval(0, now_ms)), pinot.ask, 5_000_000, memory, now_ms)
    pinot.rows += [made(chance, now_ms + 10) for _ in range(3_000)]
    before = pinot.asked["cohorts"]
    window = Interval(0, now_ms + 11)
    found = await fetch_top(plan(window), pinot.ask, 5_000_000, memory, now_ms + 11)
    assert found.rows == reference(pinot.rows, AMOUNT)[:11]
    assert pinot.asked["cohorts"] > before + 1


def base(start_ms: int, end_ms: int = 100, cohorts: Iterable[int] = ()) -> Base:
    return Base(Interval(start_ms, end_ms), 1, frozenset(cohorts), Cohort(0, 1, 1.0), 1)


def test_the_base_that_fits_best_serves() -> None:
    memory = RememberedRankings().after(0)
    for start_ms in (0, 10, 50):
        memory.remember(plan(Interval(0, 1)), base(start_ms))
    assert memory.base_for(plan(Interval(20, 200))) == base(10)
    assert memory.base_for(plan(Interval(100, 200))) is None
    assert memory.base_for(plan(Interval(-1, 200))) is None
    assert memory.base_for(plan(Interval(20, 200), COUNT)) is None


def test_of_one_account_the_latest_four_are_kept() -> None:
    memory = RememberedRankings().after(0)
    for start_ms in range(9):
        memory.remember(plan(Interval(0, 1)), base(start_ms))
    assert memory.base_for(plan(Interval(4, 200))) is None
    assert memory.base_for(plan(Interval(5, 200))) == base(5)


def test_what_is_remembered_is_bounded_in_bytes_and_a_flood_does_not_push_out_who_is_asked_about() -> (
    None
):
    rankings = RememberedRankings(max_bytes=200_000)
    memory = rankings.after(0)
    window = Interval(4, 200)
    memory.remember(plan(window, account_id="again and again"), base(3))
    assert memory.base_for(plan(window, account_id="again and again")) == base(3)
    for number in range(1_000):
        memory.remember(plan(window, account_id=f"once {number}"), base(3, cohorts=range(64)))
    assert rankings.kept_bytes <= 200_000
    assert memory.base_for(plan(window, account_id="once 900")) is None
    assert memory.base_for(plan(window, account_id="once 999")) is not None
    assert memory.base_for(plan(window, account_id="again and again")) == base(3)


def test_an_account_is_small_until_a_ranking_of_many_rows() -> None:
    memory, question = RememberedRankings().after(0), plan(Interval(4, 200))
    assert not memory.was_small(question)
    memory.remember_small(question)
    assert memory.was_small(question)
    assert not memory.was_small(plan(Interval(4, 200), COUNT))
    memory.remember(question, None)  # nothing was settled
    assert not memory.was_small(question)
    memory.remember_small(question)
    memory.remember(question, base(3))
    assert not memory.was_small(question)
    # Neither a window of few rows nor one that nothing settles takes away what serves others.
    memory.remember_small(question)
    memory.remember(question, None)
    assert memory.base_for(question) == base(3)


@pytest.mark.anyio
async def test_a_small_account_is_counted_once() -> None:
    chance, now_ms = random.Random(1), 100 * DAY_MS
    pinot, memory = (
        Pinot([made(chance, now_ms - 1) for _ in range(100)]),
        RememberedRankings().after(0),
    )
    for _ in range(3):
        await fetch_top(plan(Interval(0, now_ms)), pinot.ask, 5_000_000, memory, now_ms)
    assert pinot.asked == {"count": 1, "everyone": 3}
