"""Subscriptions as event streams: what is told, when, and how they go on."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.errors import StoreUnavailableError
from gateway.settings import Settings
from tests.unit.gateway.arriving import RANKING, arrives
from tests.unit.gateway.served import ENTRIES, Gateway, settle
from tests.unit.gateway.socketed import connected
from tests.unit.gateway.subscribed import TOTALS, subscribe

pytestmark = pytest.mark.anyio


async def test_a_snapshot_comes_at_once_and_then_each_that_says_something_new(
    gateway: Gateway,
) -> None:
    subscriber = await subscribe(gateway)
    assert subscriber.status == 200
    assert subscriber.told["content-type"] == "text/event-stream; charset=utf-8"
    assert subscriber.told["cache-control"] == "no-store, no-transform"
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
    subscriber = await subscribe(gateway, more=wish)
    for _ in range(40):
        arrives(gateway)
        await subscriber.after(1)
    assert 4 <= len(subscriber.counts) <= 5


async def test_a_pace_that_cannot_be_is_refused(gateway: Gateway) -> None:
    subscriber = await subscribe(gateway, more={"extensions": {"live": {"intervalMs": 10}}})
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
        gateway, more={"extensions": {"live": {"lastEventId": subscriber.events[-1]["id"]}}}
    )
    assert missed.counts == [6], "at once, and by the body too"


async def test_another_gateway_goes_on_where_one_left_off_whatever_the_wire(
    gateway: Gateway,
) -> None:
    subscriber = await subscribe(gateway)
    arrives(gateway)
    await subscriber.after(2)
    last = subscriber.events[-1]["id"]
    other = Gateway()
    other.store.entries = list(gateway.store.entries)
    back = await subscribe(other, headers={"last-event-id": last})
    socket = await connected(other)
    await socket.subscribes("a", TOTALS, extensions={"live": {"lastEventId": last}})
    await back.after(2)
    assert back.events == list(socket.of("a")) == []
    arrives(other)
    await back.after(2)
    assert back.counts == [7]
    assert back.events[0]["extensions"]["sequence"] == 3
    (told,) = socket.of("a")
    assert told["payload"]["extensions"]["sequence"] == 3


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


def test_the_sample_is_what_these_tests_count_on() -> None:
    to_alice: list[Any] = [each for each in ENTRIES if each.account_id == "alice"]
    assert len(to_alice) == 5
