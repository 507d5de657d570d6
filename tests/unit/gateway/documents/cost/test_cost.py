"""What operations cost: the specification's examples, and this schema's own."""

# ruff: noqa: UP031 - documents with braces read better with % than with doubled braces

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest
from graphql import (
    DirectiveNode,
    GraphQLInterfaceType,
    OperationDefinitionNode,
    build_schema,
    get_variable_values,
    parse,
    parse_value,
    print_ast,
    value_from_ast_untyped,
)
from graphql.execution import VariableValues

from gateway.documents.cost.pricing import Estimate, Price, Pricing, _Walk
from gateway.documents.cost.sizes import estimates, lengths_below, made, points
from gateway.documents.cost.weights import read
from gateway.execution.schema import make_schema
from gateway.execution.sdl import sdl
from graphql_schema.enums import Granularity

DIRECTIVES = """
directive @cost(weight: String!) on ARGUMENT_DEFINITION | FIELD_DEFINITION | OBJECT | SCALAR
directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!],
  requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
"""
EXAMPLE = """
type User { name: String  age: Int @cost(weight: "2.0")  boss: User }
type Film { title: String }
type Edge { node: Film }
type Films { edges: [Edge]  count: Int }
type Big @cost(weight: "7") { x: Stamp }
scalar Stamp @cost(weight: "3")
type Query {
  users(max: Int): [User] @listSize(slicingArguments: ["max"])
  top: [String] @listSize(assumedSize: 10)
  films(first: Int, last: Int, cheap: Boolean @cost(weight: "-5")): Films
    @cost(weight: "4") @listSize(slicingArguments: ["first", "last"], sizedFields: ["edges"])
  big: Big
}
"""
OWN = build_schema(sdl())


def price(
    query: str,
    sdl_text: str | None = None,
    own: Mapping[tuple[str, str], Estimate] | None = None,
    **variables: Any,
) -> Price:
    document = parse(query)
    operation = next(d for d in document.definitions if isinstance(d, OperationDefinitionNode))
    if sdl_text is None:
        pricing = Pricing(
            make_schema().graphql_schema,
            read(OWN),
            own or estimates(50, 1_500),
            lengths_below(1_500),
            made(1_500, 20, 10_000),
        )
    else:
        schema = build_schema(DIRECTIVES + sdl_text)
        pricing = Pricing(schema, read(schema), own or {})
    values = get_variable_values(
        pricing.schema, operation.variable_definitions or (), dict(variables)
    )
    assert isinstance(values, VariableValues)
    return pricing.price(document, operation, values)


def cost(query: str, sdl_text: str | None = None, **variables: Any) -> int:
    return price(query, sdl_text, **variables).points


@pytest.mark.parametrize(
    ("query", "points_"),
    [
        # One for the request; then field weights and, for each object, its type's weight.
        ("{ users(max: 5) { name } }", 1 + 1 + 5),
        ("{ users(max: 5) { age } }", 1 + 1 + 5 * (1 + 2)),
        ("{ users(max: 0) { age } }", 1 + 1),
        ("{ users(max: -3) { age } }", 1 + 1),
        ("{ users { name } }", 1 + 1 + 1),
        ("{ top }", 1),
        ("{ films(first: 3) { count } }", 1 + 4 + 1),
        ("{ films(first: 3) { edges { node { title } } } }", 1 + 4 + 1 + 1 + 3 * (1 + 1 + 1)),
        ("{ films(first: 3, last: 8) { edges { __typename } } }", 1 + 4 + 1 + 1 + 8),
        ("{ films(first: 1, cheap: true) { count } }", 1 + 0 + 1),  # never below zero
        ("{ films(first: 1, cheap: null) { count } }", 1 + 4 + 1),
        ("{ big { x } }", 1 + 1 + 7 + 3),
    ],
)
def test_the_specifications_rules(query: str, points_: int) -> None:
    assert cost(query, EXAMPLE) == points_


def test_variables_count_as_what_the_execution_makes_of_them() -> None:
    query = "query ($n: Int = 4) { users(max: $n) { name } }"
    assert cost(query, EXAMPLE) == 1 + 1 + 4
    assert cost(query, EXAMPLE, n=9) == 1 + 1 + 9
    assert cost(query, EXAMPLE, n=9.0) == 1 + 1 + 9
    assert cost(query, EXAMPLE, n=None) == 1 + 1 + 1
    loose = "query ($n: Int) { users(max: $n) { name } }"
    assert cost(loose, EXAMPLE) == cost(loose, EXAMPLE, n=None) == 1 + 1 + 1


DEFAULTED = """
type Row { name: String }
input Page { size: Int = 6 }
type Query {
  rows(first: Int! = 7): [Row] @listSize(slicingArguments: ["first"])
  paged(page: Page = {}, dear: Boolean = true @cost(weight: "20")): Row
}
"""


def test_an_absent_argument_is_priced_by_the_schemas_default_and_null_as_what_fails() -> None:
    query = "query ($n: Int = 3) { rows(first: $n) { name } }"
    assert cost("{ rows { name } }", DEFAULTED) == 1 + 1 + 7
    assert cost(query, DEFAULTED) == 1 + 1 + 3
    # The argument may not be null: the field is an error, and no row is read.
    assert price(query, DEFAULTED, n=None)[:2] == (1 + 1, 1)
    without = "query ($n: Int!) { rows { name } other: rows(first: $n) { name } }"
    assert cost(without, DEFAULTED, n=2) == 1 + (1 + 7) + (1 + 2)
    absent = "query ($dear: Boolean) { paged(dear: $dear) { name } }"
    assert cost(absent, DEFAULTED) == 1 + 1 + 1 + 1 + 20  # with one for the page
    assert cost(absent, DEFAULTED, dear=None) == 1 + 1 + 1 + 1


@pytest.mark.parametrize(
    ("condition", "asked"),
    [
        ("@include(if: $b)", True),
        ("@skip(if: $b)", False),
        ("@include(if: false)", False),
        ("@skip(if: false)", True),
        ("@include(if: $b) @skip(if: true)", False),
        ("@include(if: $b) @skip(if: $b)", False),
    ],
)
def test_what_is_left_out_costs_nothing(condition: str, asked: bool) -> None:
    query = "query ($b: Boolean!) { users(max: 2) %s { name } }" % condition
    assert cost(query, EXAMPLE, b=True) == (1 + 1 + 2 if asked else 1)
    inside = "query ($b: Boolean!) { ... on Query %s { users(max: 2) { name } } }" % condition
    assert cost(inside, EXAMPLE, b=True) == (1 + 1 + 2 if asked else 1)


def test_fields_that_merge_are_counted_once() -> None:
    once = cost("{ users(max: 2) { name age } }", EXAMPLE)
    merged = "{ users(max: 2) { name } ...F users(max: 2) { age } } fragment F on Query { users(max: 2) { age } }"
    assert cost(merged, EXAMPLE) == once


def test_a_field_asked_for_in_any_of_its_places_is_counted() -> None:
    query = "{ users(max: 2) @skip(if: true) { name } users(max: 2) { age } }"
    assert cost(query, EXAMPLE) == cost("{ users(max: 2) { age } }", EXAMPLE)


TOTALS = "totals(window: {calendar: TODAY}) { transactionCount }"


def test_a_hundred_aliases_cost_what_a_hundred_requests_cost() -> None:
    one = cost('{ account(id: "a") { %s } }' % TOTALS) - 1
    many = " ".join(f'a{n}: account(id: "a") {{ {TOTALS} }}' for n in range(100))
    assert cost("{ %s }" % many) - 1 == 100 * one


def test_accounts_cost_what_each_of_them_costs() -> None:
    one = cost('{ accounts(ids: ["a"]) { %s } }' % TOTALS) - 2
    query = "query ($ids: [ID!]!) { accounts(ids: $ids) { %s } }" % TOTALS
    assert cost(query, ids=["a", "b", "c"]) - 2 == 3 * one
    assert cost(query, ids="a") - 2 == one
    assert cost(query, ids=["a"] * 51) == cost(query, ids=["a"] * 50)  # and then refused
    one_of = 'query ($id: ID!) { accounts(ids: [$id, "b"]) { %s } }' % TOTALS
    assert cost(one_of, id=5) - 2 == 2 * one


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


def test_a_comparison_costs_as_much_again() -> None:
    plain = cost('{ account(id: "a") { totals(window: {calendar: TODAY}) { exact } } }')
    compared = cost(
        '{ account(id: "a") { totals(window: {calendar: TODAY}, compareTo: PREVIOUS_YEAR) { exact } } }'
    )
    weight = read(OWN)["Account", "totals"].weight
    assert compared - plain == weight


def test_rows_are_counted_by_first_and_its_default() -> None:
    top = (
        '{ account(id: "a") { topCounterparties(window: {calendar: TODAY}%s) { rows { rank } } } }'
    )
    assert cost(top % ", first: 100") - cost(top % "") == 90
    assert cost(top % "") == cost(top % ", first: 10")


def test_a_later_page_costs_more_and_so_does_the_rank_of_one() -> None:
    top = (
        '{ account(id: "a") { topCounterparties(window: {calendar: TODAY}%s) { rows { rank } } } }'
    )
    assert cost(top % ', after: "c"') - cost(top % "") == 40
    assert cost(top % ", after: null") == cost(top % "")
    one = top.replace("rows { rank }", 'rows { rank } rankOf(accountId: "b") { rank }')
    assert cost(one % "") - cost(top % "") == 680 + 1
    gone = top.replace("rows { rank }", "rows { rank } dropped { rank }")
    assert cost(gone % ", first: 20") - cost(top % ", first: 20") == 1 + 20


def test_the_network_costs_more_than_an_account() -> None:
    weights = read(OWN)
    assert weights["Network", "topAccounts"].weight > weights["Account", "topCounterparties"].weight
    assert weights["Network", "totals"].weight > weights["Account", "totals"].weight


def test_descriptions_of_the_schema_have_their_price() -> None:
    assert cost("{ __schema { types { name } } }") == 501
    assert cost('{ a: __type(name: "X") { name } b: __type(name: "X") { name } }') == 101
    assert cost("{ __typename }") == 1


def test_every_list_of_the_schema_has_a_size() -> None:
    weights = read(OWN)
    sized = {name for each in weights.values() if each.size for name in each.size.fields}
    unsized = [key for key, each in weights.items() if each.is_list and not each.size]
    assert [key for key in unsized if key[1] not in sized] == []


def test_costs_stand_on_no_interface() -> None:
    interfaces = [each for each in OWN.type_map.values() if isinstance(each, GraphQLInterfaceType)]
    assert interfaces
    for each in interfaces:
        assert each.ast_node is not None
        assert "@cost" not in print_ast(each.ast_node)


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


NETWORK = "network { topAccounts(window: {last: {count: 1, unit: DAY}}) { %s } }"
RANKED = 'account(id: "a") { topCounterparties(window: {last: {count: 1, unit: DAY}}) { %s } }'


@pytest.mark.parametrize(
    ("selected", "of_account", "of_network"),
    [
        ('rankOf(accountId: "b") { rank }', 680 + 1, 2_440 + 1),
        ("total { transactionCount }", 40 + 1, 550 + 1),
        ("others { transactionCount }", 40 + 1, 550 + 1),
    ],
)
def test_what_a_ranking_is_asked_for_beside_costs_what_it_may_take_of_the_store(
    selected: str, of_account: int, of_network: int
) -> None:
    for text, more in ((RANKED, of_account), (NETWORK, of_network)):
        without = cost("{ %s }" % text % "exact")
        assert cost("{ %s }" % text % f"exact {selected}") == without + more


def test_a_list_whose_size_is_not_said_is_priced_as_it_is_answered() -> None:
    text = '{ account(id: "a") { transactions(window: {last: {count: 1, unit: DAY}}%s) { edges { cursor } } } }'
    assert cost(text % "") == cost(text % ", first: 20") == cost(text % ", last: 20")
    assert (
        cost(text % ", first: null") == cost(text % ", last: null, first: null") == cost(text % "")
    )


def test_of_the_points_those_of_the_gateways_own_work_are_told() -> None:
    rows = RANKED % "rows { rank }"
    assert price("{ %s }" % rows).own == 1 + (1 + 1) + (5 + 1) + 10 + 1
    points_ = '{ account(id: "a") { timeSeries(window: {last: {count: 9, unit: HOUR}}, granularity: MINUTE) { exact } } }'
    assert price(points_).own > 9 * 60, "they are made though none is selected"
    described = "{ __schema { types { name } } }"
    assert price(described).own == price(described).points


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


SHAPES = """
interface Named { name: String }
union Found = Cheap | Dear
type Cheap implements Named { name: String  stamp: Stamp }
type Dear implements Named @cost(weight: "9") { name: String }
scalar Stamp @cost(weight: "3")
input Filter { text: String }
type Films { edges: [Cheap]  extra: [Cheap] @listSize(assumedSize: 2) }
type Query {
  named: Named
  found: Found
  search(filter: Filter, raw: String): Cheap
  films(first: Int): Films @listSize(slicingArguments: ["first"], sizedFields: ["edges"])
  guessed(n: Int): [Cheap] @listSize(slicingArguments: ["n"])
  capped(n: Int): [Cheap] @listSize(assumedSize: 3)
}
"""


@pytest.mark.parametrize(
    ("query", "points_"),
    [
        # An abstract type weighs as much as the dearest of its types.
        ("{ named { name } }", 1 + 1 + 9),
        ("{ found { __typename } }", 1 + 1 + 9),
        # An input object weighs one, a scalar nothing.
        ('{ search(filter: {text: "x"}) { name } }', 1 + 1 + 1 + 1),
        ('{ search(raw: "x") { name } }', 1 + 1 + 1),
        # A size that is meant for one list below is not another's.
        ("{ films(first: 7) { edges { name } } }", 1 + 1 + 1 + 1 + 7),
        ("{ films(first: 7) { extra { name } } }", 1 + 1 + 1 + 1 + 2),
    ],
)
def test_abstract_types_inputs_and_sized_fields(query: str, points_: int) -> None:
    assert cost(query, SHAPES) == points_


def test_an_interface_that_nothing_implements_weighs_one() -> None:
    assert (
        cost(
            "{ lonely { name } }", "interface Lonely { name: String } type Query { lonely: Lonely }"
        )
        == 3
    )


def test_an_estimate_stands_before_what_the_schema_assumes() -> None:
    own: dict[tuple[str, str], Estimate] = {
        ("Query", name): lambda arguments: int(arguments["n"]) for name in ("guessed", "capped")
    }
    assert price("{ guessed(n: 40) { name } }", SHAPES, own).points == 1 + 1 + 40
    assert price("{ capped(n: 40) { name } }", SHAPES, own).points == 1 + 1 + 40
    assert price("{ capped(n: 2) { name } }", SHAPES, own).points == 1 + 1 + 2


@pytest.mark.parametrize(
    "spread",
    [
        "{ users(max: 2) { boss { ...A } } }",
        "{ users(max: 2) { ... on User { boss { ... on User { ...A } } } } }",
        "{ ...B } fragment B on Query { users(max: 2) { ...C } } fragment C on User { boss { ...A } }",
        "{ ... on Query { ...B } } fragment B on Query { users(max: 2) { boss { ...A } } }",
        "{ users(max: 2) { boss { age } } ...B } fragment B on Query { users(max: 2) { boss { ...A } } }",
    ],
)
def test_fragments_cost_what_their_fields_cost_wherever_they_are_spread(spread: str) -> None:
    whole = cost("{ users(max: 2) { boss { name age } } }", EXAMPLE)
    assert cost(spread + " fragment A on User { name age }", EXAMPLE) == whole


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("{ users(max: 5) { name } }", 5 * 2),
        ("{ users(max: 0) { name } }", 0),
        ("{ users(max: 5) { a: name b: name name age boss { name } } }", 5 * (1 + 4 + 2)),
        ("{ top }", 10),
        ("{ films(first: 3) { count edges { node { title } } } }", 1 + 1 + 3 * (1 + 1 + 1)),
        ("{ __typename users(max: 1) @skip(if: true) { name } }", 1),
    ],
)
def test_the_values_that_an_answer_can_hold_are_counted(query: str, values: int) -> None:
    assert price(query, EXAMPLE).values == values


def test_below_an_interface_each_type_is_priced_by_its_own_fields() -> None:
    text = """
    interface Node { id: ID }
    type Cheap implements Node { id: ID name: String }
    type Dear implements Node { id: ID  list(n: Int): [Cheap] @listSize(slicingArguments: ["n"]) }
    type Query { node: Node  all: [Node] @listSize(assumedSize: 2) }
    """
    assert price("{ node { id ... on Cheap { name } } }", text)[:2] == (1 + 1 + 1, 3)
    dear = (
        "{ node { id ... on Cheap { name } ...D } } fragment D on Dear { list(n: 4) { id name } }"
    )
    assert price(dear, text)[:2] == (1 + 1 + 1 + 1 + 4, 1 + 1 + 4 * 3)
    both = "{ all { ... on Node { id } ... on Dear { list(n: 1) { id } } ... on Dear { id } } }"
    assert price(both, text)[:2] == (1 + 1 + 2 * (1 + 1 + 1), 2 * (1 + 1 + 2))


def nested(depth: int, spreads: int) -> str:
    """Conditions within conditions, with fragments inside."""
    inner = " ".join("...F" for _ in range(spreads))
    for _ in range(depth):
        inner = "... @include(if: $t) { %s }" % inner
    return (
        "query ($t: Boolean!) { __typename %s } fragment F on Query { users(max: 1) { name } }"
        % inner
    )


def test_what_is_left_out_is_not_even_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cost(nested(19, 95), EXAMPLE, t=True) == 1 + 1 + 1
    looked: list[str] = []
    holds = _Walk._holds

    def counted(walk: _Walk, directive: DirectiveNode) -> bool:
        looked.append(directive.name.value)
        return holds(walk, directive)

    monkeypatch.setattr(_Walk, "_holds", counted)
    assert cost(nested(19, 95), EXAMPLE, t=False) == 1
    assert looked == ["include"]


@pytest.mark.parametrize("start", ['account(id: "a")', "network"])
def test_a_series_costs_by_its_points(start: str) -> None:
    query = (
        "{ %s { timeSeries(window: {last: {count: %d, unit: HOUR}}, granularity: HOUR)"
        " { points { start } } } }"
    )
    assert cost(query % (start, 50)) - cost(query % (start, 10)) == 40
