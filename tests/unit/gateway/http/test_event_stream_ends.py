"""How event streams end, and for whom none begins: clients that go, rights, limits, budgets, processes that leave."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.access.caller import SCOPE_KEY, Caller
from gateway.settings import Settings
from tests.unit.gateway.arriving import arrives
from tests.unit.gateway.served import OWNER, Gateway, settle
from tests.unit.gateway.subscribed import Subscriber, subscribe

pytestmark = pytest.mark.anyio


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
    assert refused.told["retry-after"] == "10"
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
    subscriber = await subscribe(gateway, more=wish)
    await subscriber.after(31)
    assert subscriber.blocks[1:] == [":"] * 2, "the heart beats meanwhile"
    gateway.process.drain.begun = True
    await subscriber.after(1)
    assert subscriber.ended


async def test_who_is_stopped_is_no_client_that_went(gateway: Gateway) -> None:
    subscriber = await subscribe(gateway)
    subscriber.serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await subscriber.serving
    assert await gateway.metric('gateway_live_streams_ended_total{because="cut"}') == 1
