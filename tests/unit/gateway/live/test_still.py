"""What moves with the clock is no change, all else is."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse, validate
from graphql.execution import VariableValues
from graphql.execution.values import get_variable_values

from gateway.execution.schema import make_schema
from gateway.live.still import Shape, changes, shape_of

SCHEMA = make_schema().graphql_schema


def shape(document: str, **variables: Any) -> Shape:
    """The shape of the only operation."""
    tree = parse(document)
    assert validate(SCHEMA, tree) == []
    node = next(each for each in tree.definitions if isinstance(each, OperationDefinitionNode))
    values = get_variable_values(SCHEMA, node.variable_definitions or (), variables)
    assert isinstance(values, VariableValues)
    return shape_of(SCHEMA, tree, node, values)


def differs(of: Shape, data: dict[str, Any], path: tuple[str | int, ...], value: Any) -> bool:
    """Whether another value at a path is a change."""
    other = copy.deepcopy(data)
    at: Any = other
    for each in path[:-1]:
        at = at[each]
    assert at[path[-1]] != value
    at[path[-1]] = value
    return of.mark(data) != of.mark(other)


TOTALS = (
    "subscription ($w: WindowInput!) { account(id: 1) { totals(window: $w, compareTo: PREVIOUS_PERIOD) "
    "{ asOf at: asOf transactionCount window { start end timeZone } "
    "comparison { window { start end timeZone } transactionCount } } } }"
)
BOUNDS = {"start": "2026-01-01", "end": "2026-01-02", "timeZone": "UTC"}
ANSWER = {
    "account": {
        "totals": {
            "asOf": "2026-01-02",
            "at": "2026-01-02",
            "transactionCount": 7,
            "window": BOUNDS,
            "comparison": {"window": BOUNDS, "transactionCount": 3},
        }
    }
}
TOTALS_AT = ("account", "totals")
LAST = {"last": {"count": 1, "unit": "DAY"}}


@pytest.mark.parametrize("window", [LAST, {"calendar": "TODAY"}])
@pytest.mark.parametrize(
    ("path", "counts"),
    [
        (("asOf",), False),
        (("at",), False),
        (("transactionCount",), True),
        (("comparison", "transactionCount"), True),
        (("window", "timeZone"), True),
    ],
)
def test_when_an_answer_was_made_is_no_change_and_what_it_says_is(
    window: dict[str, Any], path: tuple[str, ...], counts: bool
) -> None:
    of = shape(TOTALS, w=window)
    assert differs(of, ANSWER, (*TOTALS_AT, *path), "another") is counts


@pytest.mark.parametrize("bound", ["start", "end"])
@pytest.mark.parametrize("above", [(), ("comparison",)])
def test_the_bounds_of_a_window_count_unless_it_ends_now(
    bound: str, above: tuple[str, ...]
) -> None:
    path = (*TOTALS_AT, *above, "window", bound)
    assert not differs(shape(TOTALS, w=LAST), ANSWER, path, "2026-01-03")
    assert differs(shape(TOTALS, w={"calendar": "TODAY"}), ANSWER, path, "2026-01-03")


SERIES = (
    "subscription ($w: WindowInput!) { network { ...F } } fragment F on Network { "
    "s: timeSeries(window: $w, granularity: HOUR) { ... on TimeSeries { points { a: start end partial transactionCount } } } }"
)
POINTS = {
    "network": {
        "s": {
            "points": [
                {"a": f"t{at}", "end": f"t{at + 1}", "partial": False, "transactionCount": at}
                for at in range(3)
            ]
        }
    }
}


@pytest.mark.parametrize(
    ("place", "key", "counts"),
    [
        (0, "a", False),
        (0, "end", True),
        (1, "a", True),
        (1, "end", True),
        (2, "a", True),
        (2, "end", False),
        (0, "partial", True),
        (2, "transactionCount", True),
    ],
)
def test_only_the_outer_bounds_of_a_series_move_with_the_clock(
    place: int, key: str, counts: bool
) -> None:
    path = ("network", "s", "points", place, key)
    assert differs(shape(SERIES, w=LAST), POINTS, path, "another") is counts
    assert differs(shape(SERIES, w={"calendar": "TODAY"}), POINTS, path, "another")


def test_the_outer_bounds_of_both_sides_move_as_those_of_one_do() -> None:
    of = shape(
        "subscription ($w: WindowInput!) { account(id: 1) { f: flowSeries(window: $w, granularity: HOUR) "
        "{ points { start end netAmount } } } }",
        w=LAST,
    )
    points = [{"start": f"t{at}", "end": f"t{at + 1}", "netAmount": "1"} for at in range(2)]
    data = {"account": {"f": {"points": points}}}
    at = ("account", "f", "points")
    assert not differs(of, data, (*at, 0, "start"), "u")
    assert not differs(of, data, (*at, 1, "end"), "u")
    assert differs(of, data, (*at, 0, "end"), "u")
    assert differs(of, data, (*at, 1, "netAmount"), "2")


def test_what_is_compared_with_a_window_that_ends_now_moves_too() -> None:
    text = (
        "subscription ($w: WindowInput) { account(id: 1) { t: totals(window: {calendar: TODAY}, compareWindow: $w) "
        "{ transactionCount comparison { window { start } } } } }"
    )
    data = {"account": {"t": {"transactionCount": 1, "comparison": {"window": {"start": "t"}}}}}
    start = ("account", "t", "comparison", "window", "start")
    assert not differs(shape(text, w=LAST), data, start, "u")
    assert differs(shape(text, w={"calendar": "YESTERDAY"}), data, start, "u")
    assert differs(shape(text, w=None), data, start, "u")
    assert differs(shape(text, w=LAST), data, ("account", "t", "transactionCount"), 2)


def test_of_a_single_point_both_bounds_move() -> None:
    one = {"network": {"s": {"points": POINTS["network"]["s"]["points"][:1]}}}
    of = shape(SERIES, w=LAST)
    for key in ("a", "end"):
        assert not differs(of, one, ("network", "s", "points", 0, key), "another")


def test_a_page_of_transactions_ends_at_its_as_of_whatever_its_window() -> None:
    of = shape(
        "subscription { account(id: 1) { transactions(window: {calendar: TODAY}) { window { end } "
        "pageInfo { endCursor hasNextPage } edges { cursor node { amount } } } } }"
    )
    data = {
        "account": {
            "transactions": {
                "window": {"end": "t"},
                "pageInfo": {"endCursor": "c", "hasNextPage": True},
                "edges": [{"cursor": "c", "node": {"amount": "1"}}],
            }
        }
    }
    at = ("account", "transactions")
    assert not differs(of, data, (*at, "window", "end"), "u")
    assert not differs(of, data, (*at, "pageInfo", "endCursor"), "d")
    assert not differs(of, data, (*at, "edges", 0, "cursor"), "d")
    assert differs(of, data, (*at, "pageInfo", "hasNextPage"), False)
    assert differs(of, data, (*at, "edges", 0, "node", "amount"), "2")


def test_the_cursors_of_a_ranking_move_and_whether_it_goes_on_does_not() -> None:
    of = shape(
        "subscription { account(id: 1) { topCounterparties(window: {calendar: TODAY}) { window { end } "
        "pageInfo { startCursor endCursor hasNextPage } rows { accountId } } } }"
    )
    data = {
        "account": {
            "topCounterparties": {
                "window": {"end": "t"},
                "pageInfo": {"startCursor": "b", "endCursor": "c", "hasNextPage": True},
                "rows": [{"accountId": "bob"}],
            }
        }
    }
    at = ("account", "topCounterparties")
    assert differs(of, data, (*at, "window", "end"), "u")
    for name in ("startCursor", "endCursor"):
        assert not differs(of, data, (*at, "pageInfo", name), "d")
    assert differs(of, data, (*at, "pageInfo", "hasNextPage"), False)


def test_the_age_of_the_pipeline_is_no_change_and_its_state_is() -> None:
    of = shape("subscription { pipeline { asOf freshnessSeconds state } }")
    data = {"pipeline": {"asOf": "t", "freshnessSeconds": 1.5, "state": "LIVE"}}
    assert not differs(of, data, ("pipeline", "asOf"), "u")
    assert not differs(of, data, ("pipeline", "freshnessSeconds"), 2.5)
    assert differs(of, data, ("pipeline", "state"), "STALE")


def test_nothing_and_an_error_are_told_apart() -> None:
    of = shape("subscription { pipeline { state } }")
    marks = {of.mark(None), of.mark({"pipeline": None}), of.mark(None, ["BACKEND_UNAVAILABLE"])}
    assert len(marks) == 3


TOP = (
    "subscription { accounts(ids: [1, 2]) { t: topCounterparties(window: {calendar: TODAY}) "
    "{ rows { who: accountId transactionCount } } } }"
)


def ranked(*orders: str) -> dict[str, Any]:
    """Accounts with a ranking each, a letter for a row."""
    return {
        "accounts": [
            {"t": {"rows": [{"who": who, "transactionCount": 1} for who in order]}}
            for order in orders
        ]
    }


def test_movement_is_told_by_ranking() -> None:
    of = shape(TOP)
    before, after = of.rankings(ranked("abc", "xy")), of.rankings(ranked("bda", "xy"))
    assert changes(before, after) == [
        {
            "path": ["accounts", 0, "t", "rows"],
            "entered": ["d"],
            "left": ["c"],
            "moved": [
                {"accountId": "b", "from": 2, "to": 1},
                {"accountId": "a", "from": 1, "to": 3},
            ],
        }
    ]
    assert changes(before, before) == []
    assert changes({}, after) == [], "who comes back is told no movement"


def test_a_ranking_that_does_not_tell_its_accounts_has_no_movement() -> None:
    of = shape(TOP.replace("who: accountId", "rank"))
    assert of.rankings({"accounts": [{"t": {"rows": [{"rank": 1}]}}, None]}) == {}
