"""Subscriptions as event streams: what is told, when, to whom, and how they end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from gateway.access.caller import SCOPE_KEY, Caller, Role
from gateway.errors import StoreUnavailableError
from gateway.settings import Settings
from tests.store_cases import transfer
from tests.unit.gateway.fakes import NOW_MS
from tests.unit.gateway.served import ENTRIES, UUID, Gateway, settle
from tests.unit.gateway.served import TOTALS as QUERY
from tests.unit.gateway.subscribed import TOTALS, Subscriber, subscribe

pytestmark = pytest.mark.anyio

OWNER = Caller("alice", Role.OWNER, frozenset({"alice"}), sees_counterparties=True)
RANKING = """subscription { account(id: "alice") { topCounterparties(
  window: {last: {count: 1, unit: DAY}}, first: 2) { rows { accountId transactionAmount } } } }"""


def arrives(gateway: Gateway, amount: str = "1", sender: str = "zoe") -> None:
    """One more transfer to alice."""
    number = len(gateway.store.entries)
    gateway.store.entries = [
        *gateway.store.entries,
        *transfer("alice", sender, UUID.format(number), Decimal(amount), NOW_MS - 5_000),
    ]


async def test_a_snapshot_comes_at_once_and_then_each_that_says_something_new(
    gateway: Gateway,
) -> None:
    subscriber = await subscribe(gateway)
    assert subscriber.status == 200
    assert subscriber.told[b"content-type"] == b"text/event-stream; charset=utf-8"
    assert subscriber.told[b"cache-control"] == b"no-store, no-transform"
    await subscriber.after(5)
    assert subscriber.counts == [5], "time that passes is no news"
    arrives(gateway)
    await subscriber.after(2)
    arrives(gateway)
    await subscriber.after(5)
    assert subscriber.counts == [5, 6, 7]
    told = [each["extensions"] for each in subscriber.events]
    assert [each["sequence"] for each in told] == [1, 2, 3]
    assert told[0]["cost"]["requested"] > 1
    assert not subscriber.ended


async def test_at_most_one_comes_a_second_with_the_newest(gateway: Gateway) -> None:
    subscriber = await subscribe(gateway)
    for _ in range(12):
        arrives(gateway)
        gateway.passes(0.25)
        await settle()
    assert 3 <= len(subscriber.counts) <= 4
    await subscriber.after(2)
    assert subscriber.counts[-1] == 17


async def test_a_slower_pace_can_be_asked_for(gateway: Gateway) -> None:
    wish = {"extensions": {"live": {"intervalMs": 10_000}}}
    subscriber = await subscribe(gateway, body=wish)
    for _ in range(40):
        arrives(gateway)
        await subscriber.after(1)
    assert 4 <= len(subscriber.counts) <= 5


async def test_a_pace_that_cannot_be_is_refused(gateway: Gateway) -> None:
    subscriber = await subscribe(gateway, body={"extensions": {"live": {"intervalMs": 10}}})
    assert subscriber.codes == ["BAD_USER_INPUT"]
    assert subscriber.completed


async def test_while_nothing_happens_the_stream_says_that_it_lives(gateway: Gateway) -> None:
    subscriber = await subscribe(gateway)
    await subscriber.after(48)
    assert len(subscriber.events) == 1
    assert subscriber.blocks[1:] == [":"] * 3


async def test_a_slow_client_gets_the_newest_and_never_a_queue(gateway: Gateway) -> None:
    subscriber = await subscribe(gateway)
    subscriber.takes.clear()
    for _ in range(20):
        arrives(gateway)
        await subscriber.after(1)
    subscriber.takes.set()
    await subscriber.after(3)
    assert len(subscriber.counts) <= 3, "the one that was on its way, and the newest"
    assert subscriber.counts[-1] == 25


async def looks_for(subscribers: int) -> int:
    """Store queries in four seconds, in which something new comes each second."""
    gateway = Gateway()
    gateway.passes(0.2)
    listening = [await subscribe(gateway) for _ in range(subscribers)]
    asked = len(gateway.store.plans)
    for tenth in range(42):
        if tenth in (5, 15, 25):
            arrives(gateway)
        gateway.passes(0.1)
        await settle()
    assert all(each.counts[-1] == 8 for each in listening)
    return len(gateway.store.plans) - asked


async def test_subscribers_of_one_question_cost_what_one_costs() -> None:
    of_one = await looks_for(1)
    assert 3 <= of_one <= 5
    assert await looks_for(50) <= of_one + 1, "one of them may look once more in that time"


async def test_who_comes_back_is_told_what_is_new_and_nothing_twice(gateway: Gateway) -> None:
    subscriber = await subscribe(gateway)
    await subscriber.hang_up()
    last = {"last-event-id": subscriber.events[-1]["id"]}
    back = await subscribe(gateway, headers=last)
    await back.after(2)
    assert back.events == []
    assert back.blocks == [":"], "but that the stream is open"
    arrives(gateway)
    await back.after(2)
    assert back.counts == [6]
    assert back.events[0]["extensions"]["sequence"] == 2
    missed = await subscribe(
        gateway, body={"extensions": {"live": {"lastEventId": subscriber.events[-1]["id"]}}}
    )
    assert missed.counts == [6], "at once, and by the body too"


async def test_who_entered_left_and_moved_is_told(gateway: Gateway) -> None:
    subscriber = await subscribe(gateway, RANKING)
    assert "changes" not in subscriber.events[0]["extensions"]
    arrives(gateway, "100", "zoe")
    await subscriber.after(2)
    assert subscriber.events[1]["extensions"]["changes"] == [
        {
            "path": ["account", "topCounterparties", "rows"],
            "entered": ["zoe"],
            "left": ["carol"],
            "moved": [{"accountId": "bob", "from": 1, "to": 2}],
        }
    ]


async def test_an_outage_is_said_once_and_the_stream_goes_on_when_it_is_over() -> None:
    gateway = Gateway(Settings(cache_stale_if_error_ms=0, cache_stale_ms=0))
    subscriber = await subscribe(gateway)
    gateway.store.error = StoreUnavailableError("gone")
    await subscriber.after(20)
    assert subscriber.codes == ["BACKEND_UNAVAILABLE"]
    assert [each["extensions"]["sequence"] for each in subscriber.events] == [1, 2]
    assert subscriber.events[1]["data"]["account"] == {"totals": None}
    assert subscriber.blocks[2:] == [":"], "and the heart beats"
    assert gateway.log.getvalue().count("store_or_gateway_error") == 1
    gateway.store.error = None
    await subscriber.after(3)
    assert subscriber.events[2]["data"]["account"]["totals"]["transactionCount"] == 5
    assert len(subscriber.events) == 3


async def test_a_stream_may_begin_in_an_outage() -> None:
    gateway = Gateway()
    gateway.store.error = StoreUnavailableError("gone")
    subscriber = await subscribe(gateway)
    assert (subscriber.status, subscriber.ended) == (200, False)
    assert subscriber.codes == ["BACKEND_UNAVAILABLE"]
    gateway.store.error = None
    await subscriber.after(3)
    assert subscriber.events[-1]["data"]["account"]["totals"]["transactionCount"] == 5


async def test_a_short_outage_is_bridged_by_what_is_known(gateway: Gateway) -> None:
    subscriber = await subscribe(gateway)
    gateway.store.error = StoreUnavailableError("gone")
    await subscriber.after(10)
    gateway.store.error = None
    await subscriber.after(3)
    assert len(subscriber.events) == 1


async def test_a_client_that_goes_leaves_nothing_behind(gateway: Gateway) -> None:
    subscriber = await subscribe(gateway)
    assert await gateway.metric("gateway_live_streams ") == 1
    await subscriber.hang_up()
    assert subscriber.serving.done()
    assert await gateway.metric("gateway_live_streams ") == 0
    assert await gateway.metric('gateway_live_streams_ended_total{because="client"}') == 1
    begun, ended = (json.loads(line) for line in gateway.log.getvalue().splitlines())
    assert begun["outcome"] == "ok"
    assert ended["because"] == "client"
    assert ended["request_id"] == begun["request_id"]
    assert ended["events"] == 1


def listed(gateway: Gateway, caller: Caller) -> Callable[[Subscriber], None]:
    """Makes the door tell another caller from now on."""

    def become(subscriber: Subscriber) -> None:
        subscriber.scope[SCOPE_KEY] = caller

    gateway.caller = OWNER
    return become


async def test_a_right_that_ends_in_the_middle_ends_the_stream(gateway: Gateway) -> None:
    become = listed(gateway, replace(OWNER, accounts=frozenset({"bob"})))
    subscriber = await subscribe(gateway)
    assert subscriber.counts == [5]
    become(subscriber)
    await subscriber.after(2)
    assert subscriber.codes == ["FORBIDDEN"]
    assert subscriber.events[-1]["data"] == {"account": None}
    assert subscriber.completed
    assert await gateway.metric('gateway_live_streams_ended_total{because="right"}') == 1


async def test_what_may_not_be_asked_is_told_and_complete_at_once(gateway: Gateway) -> None:
    gateway.caller = replace(OWNER, accounts=frozenset({"bob"}))
    subscriber = await subscribe(gateway)
    assert (subscriber.status, subscriber.codes) == (200, ["FORBIDDEN"])
    assert subscriber.completed
    assert await gateway.metric("gateway_live_streams ") == 0


async def test_a_part_that_is_for_operators_does_not_end_the_rest(gateway: Gateway) -> None:
    gateway.caller = OWNER
    subscriber = await subscribe(gateway, "subscription { pipeline { state entries } }")
    assert subscriber.codes == ["FORBIDDEN"]
    assert subscriber.events[0]["data"]["pipeline"]["state"]
    await subscriber.after(3)
    assert not subscriber.ended
    assert len(subscriber.events) == 1


async def test_other_rights_that_suffice_change_nothing(gateway: Gateway) -> None:
    become = listed(gateway, replace(OWNER, accounts=frozenset({"alice", "bob"})))
    subscriber = await subscribe(gateway)
    become(subscriber)
    arrives(gateway)
    await subscriber.after(3)
    assert subscriber.counts == [5, 6]


async def test_streams_are_limited_in_all_and_of_each_caller() -> None:
    gateway = Gateway(Settings(live_streams=3, live_streams_per_caller=2))
    first, _ = [await subscribe(gateway) for _ in range(2)]
    refused = await subscribe(gateway)
    assert (refused.status, refused.codes) == (429, ["RATE_LIMITED"])
    assert refused.told[b"retry-after"] == b"10"
    assert "You have 2" in refused.text
    gateway.caller = OWNER
    await subscribe(gateway)
    full = await subscribe(gateway)
    assert "This process" in full.text
    await first.hang_up()
    assert (await subscribe(gateway)).status == 200


async def test_each_look_is_paid_and_whoever_has_no_points_for_long_is_told_once() -> None:
    settings = Settings(anonymous_budget_per_s=1, anonymous_budget_burst=120)
    gateway = Gateway(settings)
    subscriber = await subscribe(gateway)
    cost = subscriber.events[0]["extensions"]["cost"]["requested"]
    assert 40 < cost < 60
    await subscriber.after(3)
    asked = len(gateway.store.plans)
    arrives(gateway)
    await subscriber.after(10)
    assert len(subscriber.events) == 1, "one that waits a little for points is none the wiser"
    await subscriber.after(10)
    assert subscriber.codes == ["RATE_LIMITED"]
    assert (len(subscriber.events), len(gateway.store.plans)) == (2, asked)
    await subscriber.after(cost)
    assert subscriber.counts == [5, 6], "what is new comes when there are points again"


async def test_a_budget_that_is_too_small_for_the_pace_slows_it_down() -> None:
    gateway = Gateway(Settings(anonymous_budget_per_s=12, anonymous_budget_burst=120))
    subscriber = await subscribe(gateway)
    for _ in range(40):
        arrives(gateway)
        await subscriber.after(1)
    assert subscriber.codes == []
    assert 8 <= len(subscriber.counts) <= 14


async def test_who_has_no_points_at_the_beginning_is_refused() -> None:
    gateway = Gateway(Settings(anonymous_budget_per_s=1, anonymous_budget_burst=60))
    statuses = [(await subscribe(gateway)).status for _ in range(3)]
    assert statuses[-1] == 429


async def test_a_process_that_leaves_asks_to_come_back_one_after_the_other(
    gateway: Gateway,
) -> None:
    listening = [await subscribe(gateway) for _ in range(20)]
    gateway.process.drain.begun = True
    gateway.passes(2)
    await settle()
    assert all(each.ended and not each.completed for each in listening)
    waits = [int(each.blocks[-1].removeprefix("retry: ")) for each in listening]
    assert all(100 <= each <= 5_100 for each in waits)
    assert len(set(waits)) > 10
    assert await gateway.metric('gateway_live_streams_ended_total{because="leaving"}') == 20


async def test_between_slow_looks_the_process_may_leave(gateway: Gateway) -> None:
    wish = {"extensions": {"live": {"intervalMs": 3_600_000}}}
    subscriber = await subscribe(gateway, body=wish)
    await subscriber.after(31)
    assert subscriber.blocks[1:] == [":"] * 2, "the heart beats meanwhile"
    gateway.process.drain.begun = True
    await subscriber.after(1)
    assert subscriber.ended


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
    assert subscriber.told[b"content-type"].startswith(b"text/event-stream")
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


async def test_without_a_cache_each_subscriber_is_answered() -> None:
    gateway = Gateway(Settings(cache=False))
    subscriber = await subscribe(gateway)
    arrives(gateway)
    await subscriber.after(3)
    assert subscriber.counts == [5, 6]


async def test_an_answer_that_is_not_proven_exact_says_so(gateway: Gateway) -> None:
    gateway.store.inexact = "groups were cut"
    subscriber = await subscribe(gateway, RANKING)
    assert subscriber.events[0]["extensions"]["inexact"]
    await subscriber.after(3)
    assert len(subscriber.events) == 1


async def test_who_is_stopped_is_no_client_that_went(gateway: Gateway) -> None:
    subscriber = await subscribe(gateway)
    subscriber.serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await subscriber.serving
    assert await gateway.metric('gateway_live_streams_ended_total{because="cut"}') == 1


def test_the_sample_is_what_these_tests_count_on() -> None:
    to_alice: list[Any] = [each for each in ENTRIES if each.account_id == "alice"]
    assert len(to_alice) == 5
