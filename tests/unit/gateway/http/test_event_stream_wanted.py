"""Who gets events, and who is told how to ask for them: by Accept, method and kind of operation."""

from __future__ import annotations

import json

import pytest

from tests.unit.gateway.served import TOTALS as QUERY
from tests.unit.gateway.served import Gateway
from tests.unit.gateway.subscribed import TOTALS, subscribe

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("accept", "events"),
    [
        (None, False),
        ("*/*", False),
        ("application/json", False),
        ("text/event-stream", True),
        ("text/event-stream, application/json", True),
        # urql, Apollo's and others: JSON first.
        ("application/graphql-response+json, application/json, text/event-stream", False),
        ("application/json;q=0.5, text/event-stream", True),
        ("text/event-stream;q=0, application/json", False),
    ],
)
async def test_a_query_is_one_event_for_who_wants_events(
    gateway: Gateway, accept: str | None, events: bool
) -> None:
    headers = {} if accept is None else {"accept": accept}
    response = await gateway.post(QUERY, headers=headers)
    assert response.status_code == 200
    if not events:
        assert response.json()["data"]
        return
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    first, complete = response.text.split("\n\n")[:2]
    assert first.startswith("event: next\ndata: {")
    assert json.loads(first.partition("data: ")[2])["data"]["account"]["totals"]
    assert complete == "event: complete\ndata:"


async def test_a_query_by_get_is_one_event_too(gateway: Gateway) -> None:
    headers = {"accept": "text/event-stream", "if-none-match": "*"}
    for _ in range(2):  # made, and ready
        response = await gateway.client.get("/graphql", params={"query": QUERY}, headers=headers)
        assert response.status_code == 200
        assert response.text.endswith("event: complete\ndata:\n\n")
        assert "etag" not in response.headers


async def test_a_subscription_is_a_stream_wherever_events_are_accepted_at_all(
    gateway: Gateway,
) -> None:
    subscriber = await subscribe(
        gateway, headers={"accept": "application/json, text/event-stream;q=0.1"}
    )
    assert subscriber.told["content-type"].startswith("text/event-stream")
    assert subscriber.counts == [5]


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_subscription_over_plain_json_is_told_how_to_ask(
    gateway: Gateway, method: str
) -> None:
    for _ in range(2):  # unread, and remembered
        response = (
            await gateway.post(TOTALS)
            if method == "POST"
            else await gateway.client.get("/graphql", params={"query": TOTALS})
        )
        (error,) = response.json()["errors"]
        assert error["extensions"]["code"] == "OPERATION_RESOLUTION_FAILURE"
        assert "text/event-stream" in error["message"]
    assert gateway.store.plans == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { pipeline { state } network { __typename } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { __typename }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription ($a: ID!) { account(id: $a) { id } }", "BAD_USER_INPUT"),
        ('subscription { account(id: "") { id } }', "BAD_USER_INPUT"),
        ("mutation { pipeline }", "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_what_graphql_refuses_is_told_as_an_event(
    gateway: Gateway, query: str, code: str
) -> None:
    subscriber = await subscribe(gateway, query)
    assert subscriber.status == 200
    assert subscriber.codes == [code]
    if code != "BAD_USER_INPUT" or "$" in query:
        assert subscriber.completed


async def test_what_http_refuses_has_its_status(gateway: Gateway) -> None:
    headers = {"accept": "text/event-stream", "content-type": "text/plain"}
    assert (await gateway.post(QUERY, headers=headers)).status_code == 415
    assert (await gateway.post(QUERY, headers={"accept": "text/html"})).status_code == 406
