"""The requests that are sent are whole, equally long, and about the account meant."""

from __future__ import annotations

import itertools
import json

import pytest
from graphql import OperationDefinitionNode, parse

from tests.load.gateway import mix
from tests.load.gateway.orders import Order, requests


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


def test_the_same_seed_sends_the_same_requests() -> None:
    first, again = (list(itertools.islice(requests(Order(1, (), 1, seed=4)), 50)) for _ in range(2))
    other = list(itertools.islice(requests(Order(1, (), 1, seed=5)), 50))
    assert first == again
    assert first != other
