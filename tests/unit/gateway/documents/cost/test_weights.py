"""What this schema's own fields weigh, against each other."""

# ruff: noqa: UP031 - documents with braces read better with % than with doubled braces

from __future__ import annotations

import pytest
from graphql import GraphQLInterfaceType, print_ast

from gateway.documents.cost.weights import read
from tests.unit.gateway.documents.cost.priced import OWN, TOTALS, cost, price


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
