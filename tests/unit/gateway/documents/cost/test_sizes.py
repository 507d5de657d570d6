"""How many points, layers and bars an operation is taken to ask for, and what they cost."""

# ruff: noqa: UP031 - documents with braces read better with % than with doubled braces

from __future__ import annotations

import math

import pytest
from graphql import parse_value, value_from_ast_untyped

from gateway.documents.cost.sizes import estimates, points
from graphql_schema.enums import Granularity
from tests.unit.gateway.documents.cost.priced import TOTALS, cost, price


def test_sizes_follow_limits_that_are_raised() -> None:
    raised = estimates(200, 3_000)
    query = "query ($ids: [ID!]!) { accounts(ids: $ids) { %s } }" % TOTALS
    most = price(query, own=raised, ids=["a"] * 200).points
    assert most - 2 == 200 * (price(query, own=raised, ids=["a"]).points - 2)
    assert price(query, own=raised, ids=["a"] * 201).points == most
    listed = "query ($ids: [ID!]!) { accountSet(ids: $ids) { ids } }"
    assert price(listed, own=raised, ids=["a"] * 200).values == 1 + 200
    series = (
        'query ($n: Int!) { account(id: "a") { timeSeries(window: {last: {count: $n, unit: HOUR}}, '
        "granularity: MINUTE) { points { start } } } }"
    )
    few, many, over = (price(series, own=raised, n=hours).points for hours in (20, 40, 60))
    assert many - few == 20 * 60
    assert over - few == 3_000 - 1_201


@pytest.mark.parametrize(
    ("window", "granularity", "most"),
    [
        ("{last: {count: 1, unit: DAY}}", "HOUR", 25),
        ("{last: {count: 60, unit: MINUTE}}", "MINUTE", 61),
        ("{last: {count: 1, unit: HOUR}}", "FIVE_MINUTES", 13),
        ("{last: {count: 1, unit: HOUR}}", "FIFTEEN_MINUTES", 5),
        ("{last: {count: -5, unit: DAY}}", "HOUR", 1),
        ("{last: {count: 2, unit: WEEK}}", "WEEK", 4),
        ("{last: {count: 1, unit: MONTH}}", "MONTH", 3),
        ("{last: {count: 1, unit: YEAR}}", "QUARTER", 6),
        ("{last: {count: 2, unit: YEAR}}", "YEAR", 4),
        ("{calendar: TODAY}", "HOUR", 26),
        ("{calendar: LAST_WEEK}", "DAY", 10),
        ("{calendar: THIS_MONTH}", "DAY", 35),
        ("{calendar: LAST_QUARTER}", "MONTH", 5),
        ("{calendar: THIS_YEAR}", "YEAR", 3),
        (
            '{between: {start: "2025-01-01T00:00:00Z", end: "2025-01-02T07:00:00+07:00"}}',
            "HOUR",
            25,
        ),
        ('{between: {start: "2025-01-02T00:00:00Z", end: "2025-01-01T00:00:00Z"}}', "HOUR", 1),
        ("{last: {count: 2147483647, unit: YEAR}}", "MINUTE", 1_500),
        ("{last: {count: 1, unit: QUARTER}}", "MONTH", 5),
        ("{lastFull: {count: 30, unit: DAY}}", "DAY", 34),
        ("{lastWithRunning: {count: 2, unit: QUARTER}}", "MONTH", 8),
    ],
)
def test_points_are_estimated_from_window_and_granularity(
    window: str, granularity: str, most: int
) -> None:
    text = (
        'query ($w: WindowInput!, $g: Granularity!) { account(id: "a") {'
        " timeSeries(window: $w, granularity: $g) { points { start } } } }"
    )
    given = value_from_ast_untyped(parse_value(window))
    own = {"account": 2, "timeSeries": 66, "points": 1}
    assert cost(text, w=given, g=granularity) == 1 + sum(own.values()) + most
    inside = text.replace("$w: WindowInput!, ", "").replace("$w", window)
    assert cost(inside, g=granularity) == 1 + sum(own.values()) + most


def test_layers_of_a_series_cost_by_their_points_and_their_number() -> None:
    text = (
        '{ account(id: "a") { topSeries(window: {last: {count: 1, unit: DAY}}, granularity: HOUR, first: %d)'
        " { %s } } }"
    )
    layer = "points { start transactionCount }"
    all_layers = "series { %s } others { %s }" % (layer, layer)
    one, two = (price(text % (n, all_layers)) for n in (1, 2))
    assert two.points - one.points == 1 + 1 + 25
    assert two.values - one.values == 1 + (1 + 2) * 25
    alone = price(text % (1, "series { %s }" % layer))
    assert one.points - alone.points == 1 + (1 + 1) + (1 + 1 + 1)
    assert one.values - alone.values == 1 + (1 + 2) * 25
    # A list of that name elsewhere has its own length.
    plain = '{ account(id: "a") { timeSeries(window: {last: {count: 9, unit: DAY}}, granularity: DAY) { %s } } }'
    inner = (plain % layer)[1:-1].strip()
    joined = price((text % (1, all_layers))[:-1] + f" other: {inner} }}")
    assert joined.points == one.points + price(plain % layer).points - 1


def test_a_compared_series_costs_by_the_points_of_both_windows() -> None:
    text = '{ account(id: "a") { timeSeries(window: {last: {count: 9, unit: DAY}}, granularity: DAY%s) { %s } } }'
    points_ = "points { start transactionCount }"
    plain = price(text % ("", points_))
    alone = price(text % (", compareTo: PREVIOUS_PERIOD", points_))
    both = points_ + " comparison { %s }" % points_
    compared = price(text % (", compareTo: PREVIOUS_PERIOD", both))
    nine_days = math.ceil(9 * 24 / 23 + 1 + 3)
    assert compared.points - plain.points == 65 + 1 + 1 + 1 + nine_days
    assert compared.points - alone.points == 4
    assert compared.values - alone.values == 1 + nine_days * 3
    hundred = ", compareWindow: {last: {count: 100, unit: DAY}}"
    own = price(text % (hundred, both))
    assert own.points - compared.points == math.ceil(100 * 24 / 23 + 4) - nine_days


def test_reversals_of_a_point_cost_one_and_of_both_sides_nothing_else() -> None:
    text = '{ account(id: "a") { %s(window: {calendar: TODAY}, granularity: HOUR) { points { %s } } } }'
    series = [
        cost(text % ("timeSeries", f"start {more}"))
        for more in ("", "reversals { transactionCount }")
    ]
    assert series[1] - series[0] == 26
    flow = cost(text % ("flowSeries", "received { transactionCount } sent { transactionCount }"))
    assert flow - cost(text % ("flowSeries", "start")) == 2 * 26


@pytest.mark.parametrize("of", ['account(id: "a")', 'accountSet(ids: ["a"])', "network"])
@pytest.mark.parametrize("more", ["", ", compareTo: PREVIOUS_YEAR"])
def test_the_points_of_a_series_cost_the_same_where_none_is_asked_for(of: str, more: str) -> None:
    text = (
        "{ %s { timeSeries(window: {last: {count: 9, unit: DAY}}, granularity: HOUR%s) { %s } } }"
    )
    whole = "points { start } comparison { points { start } }" if more else "points { start }"
    own = 4 if more else 1  # of the selected fields, and of the comparison
    assert cost(text % (of, more, "asOf")) == cost(text % (of, more, whole)) - own


def test_layers_and_sides_cost_the_same_where_no_point_of_them_is_asked_for() -> None:
    text = '{ account(id: "a") { %s(window: {last: {count: 9, unit: DAY}}, granularity: HOUR%s) { %s } } }'
    flow = [cost(text % ("flowSeries", "", each)) for each in ("asOf", "points { partial }")]
    assert flow[0] == flow[1] - 1
    layers = "series { points { start } } others { points { start } }"
    stacked = [
        cost(text % ("topSeries", ", first: 7", each))
        for each in ("asOf", "series { rank }", layers)
    ]
    own = 1 + 7 * (1 + 1) + 3  # of the selected fields, and of the layers
    assert stacked[0] == stacked[1] == stacked[2] - own


def test_a_week_costs_by_the_hours_that_it_is_summed_up_from() -> None:
    text = '{ account(id: "a") { weeklyPattern(window: {last: {count: %d, unit: HOUR}}) { %s } } }'
    short, long, longest = (cost(text % (hours, "asOf")) for hours in (200, 9_000, 80_000))
    assert long - short == (9_000 - 200) // 10
    assert longest - long == (10_000 - 9_000) // 10  # and then refused
    assert cost(text % (200, "hours { hour }")) - short == 1 + 168 - 20


def test_percentiles_and_bars_cost_by_their_number() -> None:
    text = '{ account(id: "a") { distribution(window: {calendar: TODAY}) { %s } } }'
    one, three = (
        price(text % ("percentiles(of: %s) { amount }" % of)) for of in ("50", "[1, 2, 3]")
    )
    assert three.points - one.points == 2
    assert three.values - one.values == 2 * 2
    few, many = (price(text % ("histogram(buckets: %d) { start }" % n)) for n in (10, 100))
    assert (many.points - few.points, many.values - few.values) == (90, 180)
    assert price(text % "histogram { start }") == few


def test_a_window_of_no_known_length_is_taken_for_the_longest() -> None:
    given = {"window": {"other": 1}, "granularity": Granularity.DAY}
    assert points(given) == math.inf
    assert estimates(50, 700)["Network", "timeSeries"](given) == 700


@pytest.mark.parametrize("start", ['account(id: "a")', "network"])
def test_a_series_costs_by_its_points(start: str) -> None:
    query = (
        "{ %s { timeSeries(window: {last: {count: %d, unit: HOUR}}, granularity: HOUR)"
        " { points { start } } } }"
    )
    assert cost(query % (start, 50)) - cost(query % (start, 10)) == 40
