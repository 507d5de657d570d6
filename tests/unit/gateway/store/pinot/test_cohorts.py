"""Rankings by cohorts are the exact rankings, whatever collides and however doubles round."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.analytics.model import Direction, Interval, RankBy
from gateway.analytics.query_plan import GroupRow, TopPlan
from gateway.store.pinot.cohorts import MOST, Cohort, Settled, rank, settles
from gateway.store.pinot.response import BrokerAnswer, Cells
from gateway.store.pinot.top import in_order
from tests.scopes import of

AMOUNT, COUNT = RankBy.TRANSACTION_AMOUNT, RankBy.TRANSACTION_COUNT
Transfers = Mapping[str, list[Decimal]]


def plan(limit: int, order_by: RankBy = AMOUNT, account_id: str = "a") -> TopPlan:
    return TopPlan(of(account_id), Direction.RECEIVED, Interval(0, 1), order_by, limit)


def answer(rows: list[Cells], docs: int, servers: int = 1) -> BrokerAnswer:
    return BrokerAnswer(tuple(rows), docs, docs, servers, groups_cut=False)


class Broker:
    """Pinot's part: groups cohorts in doubles, no reversal among them, and members in decimals."""

    def __init__(self, transfers: Transfers, cohorts: int, order_by: RankBy) -> None:
        self.transfers, self.order_by, self.servers = transfers, order_by, 1
        self.docs = sum(map(len, transfers.values()))
        self.cohort_of = {name: number % cohorts for number, name in enumerate(transfers)}
        self.widths: list[int] = []

    async def ask(self, limit: int) -> BrokerAnswer:
        self.widths.append(limit)
        groups: defaultdict[int, list[Decimal]] = defaultdict(list)
        for name, amounts in self.transfers.items():
            groups[self.cohort_of[name]] += amounts
        rows: list[Cells] = [
            [number, len(amounts), sum(max(float(a), 0.0) for a in amounts)]
            for number, amounts in groups.items()
        ]
        first, second = (2, 1) if self.order_by is AMOUNT else (1, 2)
        rows.sort(key=lambda row: (-row[first], -row[second]))
        return answer(rows[:limit], self.docs, self.servers)

    async def members(self, chosen: tuple[int, ...]) -> tuple[tuple[GroupRow, ...], BrokerAnswer]:
        rows = ranked(
            {name: each for name, each in self.transfers.items() if self.cohort_of[name] in chosen},
            self.order_by,
        )
        return rows[: self.limit], answer([], self.docs)

    async def rank(self, limit: int) -> Settled | None:
        self.limit = limit
        return await rank(plan(limit, self.order_by), self.ask, self.members)


def ranked(transfers: Transfers, order_by: RankBy) -> tuple[GroupRow, ...]:
    rows = (GroupRow(name, len(each), sum(each, Decimal())) for name, each in transfers.items())
    return in_order(tuple(rows), plan(1, order_by))


paid = st.decimals(min_value=Decimal("0.00000001"), max_value=10**18, places=8)
amounts = st.lists(
    # Reversals by themselves too: their transfers may lie before the window. Few sums, so that
    # counterparties tie, at zero and below it.
    st.one_of(paid, paid.map(lambda amount: -amount), st.sampled_from([-1, 1]).map(Decimal)),
    min_size=1,
    max_size=4,
)


@pytest.mark.anyio
@given(
    each=st.lists(amounts, min_size=70, max_size=130),
    cohorts=st.sampled_from([7, 64, 90, 1_000]),
    order_by=st.sampled_from([AMOUNT, COUNT]),
    limit=st.integers(1, 11),
)
async def test_what_cohorts_settle_is_the_ranking(
    each: list[list[Decimal]], cohorts: int, order_by: RankBy, limit: int
) -> None:
    transfers = {f"acct-{number}": some for number, some in enumerate(each)}
    settled = await Broker(transfers, cohorts, order_by).rank(limit)
    assert settled is not None
    assert settled.rows == ranked(transfers, order_by)[:limit]


def some_reversed(seed: int) -> dict[str, list[Decimal]]:
    """What 3,000 counterparties paid, a few of them much; a third of it was taken back."""
    chance = random.Random(seed)
    transfers: dict[str, list[Decimal]] = {}
    for number in range(3_000):
        paid = Decimal(int(chance.paretovariate(0.8) * 10**8)) / 10**8
        kept = [[paid], [paid, paid], [paid, -paid], [-paid], [paid, paid, -paid], [paid]]
        transfers[f"acct-{number}"] = chance.choice(kept)
    return transfers


@pytest.mark.anyio
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("order_by", [AMOUNT, COUNT])
@pytest.mark.parametrize("limit", [1, 11, 40])
async def test_the_first_few_of_many_cohorts_settle_it_in_spite_of_reversals(
    limit: int, order_by: RankBy, seed: int
) -> None:
    transfers = some_reversed(seed)
    broker = Broker(transfers, 2_900, order_by)
    settled = await broker.rank(limit)
    if settled is not None:
        assert settled.rows == ranked(transfers, order_by)[:limit]
    # By count very many tie, which may take the full ranking; by amount few are looked into.
    assert settled is not None or order_by is COUNT
    if order_by is AMOUNT:
        assert max(broker.widths) < 1_000


@pytest.mark.anyio
async def test_a_reversal_hides_nobody_of_the_same_cohort() -> None:
    transfers = {str(number): [Decimal(1000 - number)] for number in range(900)}
    # The two share a cohort, in which nothing is left of what the second one paid.
    transfers |= {"taken back": [Decimal(5_000), Decimal(-5_000)], "kept": [Decimal(2_000)]}
    transfers |= {"only a reversal": [Decimal(-7_000)]}
    broker = Broker(transfers, 900, AMOUNT)
    broker.cohort_of |= {"taken back": 901, "kept": 901, "only a reversal": 901}
    settled = await broker.rank(2)
    assert settled is not None
    assert [each.account_id for each in settled.rows] == ["kept", "0"]
    assert broker.widths == [56]


@pytest.mark.anyio
async def test_a_window_of_reversals_alone_is_left_to_the_full_ranking() -> None:
    transfers = {str(number): [Decimal(-1 - number)] for number in range(9_000)}
    assert await Broker(transfers, 9_000, AMOUNT).rank(3) is None


@pytest.mark.anyio
async def test_amounts_in_the_tail_take_one_look() -> None:
    transfers = {str(number): [Decimal(10) ** 9 / (number + 1)] for number in range(5_000)}
    broker = Broker(transfers, 4_500, AMOUNT)
    settled = await broker.rank(10)
    assert settled is not None
    assert settled.rows == ranked(transfers, AMOUNT)[:10]
    assert (broker.widths, settled.rows_in_window) == ([64], 5_000)


@pytest.mark.anyio
async def test_equal_amounts_of_very_many_are_left_to_the_full_ranking() -> None:
    broker = Broker({str(number): [Decimal(1)] for number in range(9_000)}, 9_000, AMOUNT)
    assert await broker.rank(10) is None
    assert broker.widths == [64, 505, 4_033]
    assert max(broker.widths) <= MOST + 1


@pytest.mark.anyio
async def test_several_servers_prove_nothing() -> None:
    broker = Broker({"a": [Decimal(1)]}, 1, AMOUNT)
    broker.servers = 2
    assert await broker.rank(1) is None


@pytest.mark.anyio
async def test_nobody_is_a_ranking_too() -> None:
    settled = await Broker({}, 1, AMOUNT).rank(10)
    assert settled is not None
    assert settled.rows == ()


def row(count: int, amount: str) -> GroupRow:
    return GroupRow("x", count, Decimal(amount))


@pytest.mark.parametrize(
    ("order_by", "last", "beyond", "expected"),
    [
        (AMOUNT, row(1, "10.01"), Cohort(0, 9, 10.0), True),
        (AMOUNT, row(1, "10"), Cohort(0, 9, 10.0), False),
        (AMOUNT, row(1, "9.99"), Cohort(0, 9, 10.0), False),
        (COUNT, row(3, "1"), Cohort(0, 2, 99.0), True),
        (COUNT, row(3, "1"), Cohort(0, 3, 99.0), False),
        (COUNT, row(3, "100"), Cohort(0, 3, 99.0), True),
        (COUNT, row(3, "100"), Cohort(0, 4, 99.0), False),
    ],
)
def test_the_last_place_must_be_out_of_reach(
    order_by: RankBy, last: GroupRow, beyond: Cohort, expected: bool
) -> None:
    assert settles(plan(1, order_by), (last,), beyond, 10) is expected
    assert settles(plan(2, order_by), (last,), beyond, 10) is False


@given(st.lists(st.decimals(min_value=Decimal("1e-8"), max_value=10**18, places=8), min_size=1))
def test_the_rounding_of_doubles_is_allowed_for(each: list[Decimal]) -> None:
    exact = sum(each, Decimal())
    estimate = 0.0
    for amount in each:
        estimate += float(amount)
    assert not settles(plan(1), (row(1, str(exact)),), Cohort(0, len(each), estimate), len(each))


def test_old_segments_without_an_estimate_settle_nothing() -> None:
    beyond = Cohort(0, 1, 1e100)
    assert not settles(plan(1), (row(1, "1" + "0" * 30),), beyond, 1)
    assert math.isfinite(1e100 * 10**12)
