"""How large transfers are: exact up to a bound, and beyond it no farther off than is said."""

from __future__ import annotations

import math
import random
from decimal import Decimal
from itertools import pairwise
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.analytics import distribution
from gateway.analytics.distribution import MAX_EXACT, RELATIVE_ERROR, Scale, edges_of, middle
from gateway.analytics.model import Entry
from tests.reference import step_of
from tests.store_cases import amounts, reversal, transfer
from tests.unit.gateway.api import Api
from tests.unit.gateway.fakes import NOW_MS

UUID = "00000000-0000-0000-0000-{:012d}"
HOUR_MS = 3_600_000
WINDOW = "window: {last: {count: 2, unit: DAY}}"
OF = [0, 0.5, 10, 50, 90, 99.9, 100]
FIELDS = """transferCount relativeError min max
  percentiles(of: [0, 0.5, 10, 50, 90, 99.9, 100]) { percentile amount }
  linear: histogram(buckets: 7) { start end transferCount }
  logarithmic: histogram(buckets: 7, scale: LOGARITHMIC) { start end transferCount }"""


def book(values: list[Decimal]) -> list[Entry]:
    """Transfers of these amounts to alice; each third is taken back, which changes nothing here."""
    found: list[Entry] = []
    for number, amount in enumerate(values):
        moved = transfer("alice", "bob", UUID.format(number), amount, NOW_MS - HOUR_MS)
        found += moved
        if number % 3 == 0:
            found += reversal(moved, UUID.format(100_000 + number), NOW_MS - HOUR_MS // 2)
    return found


async def ask(values: list[Decimal]) -> tuple[dict[str, Any], list[str]]:
    api = Api(book(values))
    found = (await api.account(f"distribution({WINDOW}) {{ {FIELDS} }}"))["distribution"]
    return found, [type(plan).__name__ for plan in api.store.plans]


def nearest_rank(ordered: list[Decimal], percentile: float) -> Decimal:
    """Counted, not computed: the first that so many of a hundred do not exceed."""
    needed = max(Decimal(1), Decimal(str(percentile)) * len(ordered) / 100)
    return next(each for each in ordered if sum(other <= each for other in ordered) >= needed)


def check_histogram(bars: list[dict[str, Any]], ordered: list[Decimal]) -> None:
    """Each bar counts what is in it, and they leave no gap."""
    assert Decimal(bars[0]["start"]) == ordered[0]
    assert Decimal(bars[-1]["end"]) == ordered[-1]
    assert all(left["end"] == right["start"] for left, right in pairwise(bars))
    for number, bar in enumerate(bars):
        start, end = Decimal(bar["start"]), Decimal(bar["end"])
        is_last = number == len(bars) - 1
        inside = [each for each in ordered if start <= each < end or (is_last and each == end)]
        assert bar["transferCount"] == len(inside)


@settings(max_examples=20, deadline=None)
@given(values=st.lists(amounts, max_size=40))
def test_of_few_transfers_everything_is_exact(values: list[Decimal]) -> None:
    found, plans = anyio.run(ask, values)
    ordered = sorted(values)
    assert found["transferCount"] == len(values)
    assert found["relativeError"] == "0"
    assert [each["percentile"] for each in found["percentiles"]] == OF
    if not values:
        assert found["min"] is found["max"] is None
        assert {each["amount"] for each in found["percentiles"]} == {None}
        assert found["linear"] == found["logarithmic"] == []
        assert plans == ["TotalsPlan"]
        return
    assert (Decimal(found["min"]), Decimal(found["max"])) == (ordered[0], ordered[-1])
    for each in found["percentiles"]:
        assert Decimal(each["amount"]) == nearest_rank(ordered, each["percentile"])
    for scale in ("linear", "logarithmic"):
        check_histogram(found[scale], ordered)
    # The amounts are asked for once, whatever is made of them.
    assert sorted(plans) == ["AmountsPlan", "EntriesPlan", "EntriesPlan", "TotalsPlan"]


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), spread=st.sampled_from([0.01, 1.0, 8.0]))
def test_of_many_transfers_no_amount_is_farther_off_than_is_said(seed: int, spread: float) -> None:
    chance = random.Random(seed)
    values = [
        max(Decimal("1e-8"), round(Decimal(math.exp(chance.gauss(4, spread))), 8))
        for _ in range(300)
    ]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(distribution, "MAX_EXACT", 299)
        found, plans = anyio.run(ask, values)
    ordered = sorted(values)
    assert found["relativeError"] == "0.01"
    assert "StepsPlan" in plans
    assert "AmountsPlan" not in plans
    assert (Decimal(found["min"]), Decimal(found["max"])) == (ordered[0], ordered[-1])
    off = RELATIVE_ERROR
    for each in found["percentiles"]:
        exact = nearest_rank(ordered, each["percentile"])
        assert abs(Decimal(each["amount"]) - exact) <= off * exact
    for scale in ("linear", "logarithmic"):
        bars = found[scale]
        assert sum(bar["transferCount"] for bar in bars) == 300
        for edge, counted in zip(
            [Decimal(bar["end"]) for bar in bars[:-1]],
            [sum(b["transferCount"] for b in bars[: n + 1]) for n in range(len(bars) - 1)],
            strict=True,
        ):
            surely = sum(each * (1 + off) < edge for each in ordered)
            perhaps = sum(each * (1 - off) < edge for each in ordered)
            assert surely <= counted <= perhaps


@given(amount=amounts)
def test_the_middle_of_a_step_is_as_close_as_is_said(amount: Decimal) -> None:
    assert abs(middle(step_of(amount)) - amount) <= RELATIVE_ERROR * amount


@given(least=amounts, most=amounts, buckets=st.integers(1, 100), scale=st.sampled_from(Scale))
def test_edges_ascend_from_the_smallest_to_the_largest(
    least: Decimal, most: Decimal, buckets: int, scale: Scale
) -> None:
    least, most = sorted((least, most))
    edges = edges_of(least, most, buckets, scale)
    assert (edges[0], edges[-1]) == (least, most)
    assert all(left < right for left, right in pairwise(edges)) or least == most
    assert len(edges) <= buckets + 1
    assert all(each == round(each, 8) for each in edges)


def test_edges_are_of_equal_length_or_equal_ratio() -> None:
    one, hundred = Decimal(1), Decimal(100)
    linear = edges_of(one, hundred, 4, Scale.LINEAR)
    assert linear == tuple(map(Decimal, ("1", "25.75", "50.5", "75.25", "100")))
    assert edges_of(one, hundred, 2, Scale.LOGARITHMIC) == (one, Decimal(10), hundred)
    assert edges_of(one, one, 9, Scale.LINEAR) == (one, one)
    # Between the smallest amounts there is no room for more edges.
    tiny = Decimal("1e-8")
    assert edges_of(tiny, 3 * tiny, 50, Scale.LINEAR) == (tiny, 2 * tiny, 3 * tiny)


async def refused(field: str) -> str:
    api = Api(book([Decimal(5)]))
    query = f'{{ account(id: "alice") {{ distribution({WINDOW}) {{ {field} }} }} }}'
    body = (await api.client.post("/graphql", json={"query": query})).json()
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert [type(plan).__name__ for plan in api.store.plans] == ["TotalsPlan"]
    message: str = error["message"]
    return message


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("percentiles(of: []) { amount }", "of: 1 to 20 percentiles, not 0"),
        (f"percentiles(of: {[1] * 21}) {{ amount }}", "of: 1 to 20 percentiles, not 21"),
        ("percentiles(of: [-0.1]) { amount }", "of: a percentile is 0 to 100, not -0.1"),
        ("percentiles(of: [100.1]) { amount }", "of: a percentile is 0 to 100, not 100.1"),
        ("histogram(buckets: 0) { start }", "buckets: must be 1 to 100, not 0"),
        ("histogram(buckets: 101) { start }", "buckets: must be 1 to 100, not 101"),
    ],
)
async def test_what_is_no_percentile_and_no_number_of_buckets_is_refused(
    field: str, words: str
) -> None:
    assert await refused(field) == words


@pytest.mark.anyio
async def test_what_grew_beyond_all_measure_in_between_is_no_answer() -> None:
    with pytest.MonkeyPatch.context() as patched:
        api = Api(book([Decimal(n) for n in range(1, 9)]))
        patched.setattr(distribution, "MAX_EXACT", 8)
        fetch = api.store.fetch

        async def growing(plan: Any, timeout_s: float) -> Any:
            answer = await fetch(plan, timeout_s)
            api.store.entries = book([Decimal(n) for n in range(1, 18)])
            return answer

        patched.setattr(api.store, "fetch", growing)
        query = f'{{ account(id: "alice") {{ distribution({WINDOW}) {{ percentiles(of: 50) {{ amount }} }} }} }}'
        body = (await api.client.post("/graphql", json={"query": query})).json()
    assert body["data"]["account"]["distribution"] == {"percentiles": None}
    assert [each["extensions"]["code"] for each in body["errors"]] == ["PARTIAL_RESULT"]
    assert MAX_EXACT == 10_000
