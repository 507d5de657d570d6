"""The requests that are sent are whole, equally long, and about the account meant."""

from __future__ import annotations

import itertools
import json
from functools import cache

import pytest
from graphql import (
    FieldNode,
    GraphQLSchema,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_schema,
    parse,
    visit,
)

from local_stack.settings import CHECKOUT
from tests.load.gateway import mix
from tests.load.gateway.orders import Order, requests


@cache
def schema() -> GraphQLSchema:
    return build_schema((CHECKOUT / "graphql_schema" / "schema.graphql").read_text())


def test_the_mix_holds_every_committed_document() -> None:
    assert set(mix.MIX) == {file.stem for file in mix.OPERATIONS.iterdir()}
    assert sum(mix.MIX.values()) == pytest.approx(1)


@pytest.mark.parametrize("name", sorted(mix.MIX))
def test_a_request_has_the_length_it_says(name: str) -> None:
    request = mix.template(name, mix.LAST_30_DAYS, {"X-Api-Key": "k"}).of(271_828)
    head, _, content = request.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(content)}".encode() in head
    assert b"X-Api-Key: k" in head
    variables = json.loads(content)["variables"]
    assert variables.get("accountId", "account-271828") == "account-271828"


@pytest.mark.parametrize("name", sorted(mix.MIX))
def test_every_variable_of_a_document_is_given_but_what_few_ask_for(name: str) -> None:
    body = mix.body(name, mix.LAST_30_DAYS)
    (operation,) = (
        each
        for each in parse(body["query"]).definitions
        if isinstance(each, OperationDefinitionNode)
    )
    declared = {each.variable.name.value for each in operation.variable_definitions or ()}
    assert (
        declared - {"after", "before", "calendar", "counterpartyId", "kind"}
        == body["variables"].keys()
    )


@pytest.mark.parametrize("name", sorted(mix.MIX))
def test_only_what_takes_arguments_has_another_name_in_a_document(name: str) -> None:
    """Mercurius' server finds ready answers by those names, for fields with arguments only."""
    known = TypeInfo(schema())
    renamed = []

    class Renamed(Visitor):
        def enter_field(self, node: FieldNode, *_: object) -> None:
            field = known.get_field_def()
            if node.alias and not (field and field.args):
                renamed.append(node.name.value)

    document = parse((mix.OPERATIONS / f"{name}.graphql").read_text())
    visit(document, TypeInfoVisitor(known, Renamed()))
    assert renamed == []


def test_the_same_seed_sends_the_same_requests() -> None:
    first, again = (list(itertools.islice(requests(Order(1, (), 1, seed=4)), 50)) for _ in range(2))
    other = list(itertools.islice(requests(Order(1, (), 1, seed=5)), 50))
    assert first == again
    assert first != other
