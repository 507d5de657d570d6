"""A subscriber is judged by its credential as it is now: one that ends, or has fewer rights, ends the stream."""

from __future__ import annotations

from typing import Any

import pytest

from tests.identity_provider import NOW_S, Trust, token
from tests.unit.gateway.process.listening import until
from tests.unit.gateway.served import Gateway
from tests.unit.gateway.subscribed import Subscriber, subscribe

pytestmark = pytest.mark.anyio
SLOW = {"extensions": {"live": {"intervalMs": 3_600_000}}}
WITHIN_S = 3


def trusting(trust: Trust) -> Gateway:
    """A gateway that judges by the files of a test."""
    gateway = Gateway(trust.settings())
    assert gateway.now_ms == NOW_S * 1000
    return gateway


async def listen(gateway: Gateway, sent: str, **more: Any) -> Subscriber:
    """A subscriber with a token, who has its first event."""
    subscriber = await subscribe(gateway, headers={"authorization": f"Bearer {sent}"}, **more)
    await waiting(subscriber)
    assert subscriber.counts == [5]
    return subscriber


async def waiting(subscriber: Subscriber) -> None:
    """Until nothing is to be done before the clock goes on: files are looked at beside the loop."""
    await until(lambda: subscriber.ended or subscriber.gateway.sleeping > 0)


async def passes(subscriber: Subscriber, seconds: int) -> int:
    """Some time, a second at a time; after how many the stream ended, or all of them."""
    for second in range(seconds):
        if subscriber.ended:
            return second
        await subscriber.after(1)
        await waiting(subscriber)
    return seconds


@pytest.mark.parametrize("body", [{}, SLOW])
async def test_a_revoked_token_ends_the_stream_within_seconds(
    trust: Trust, body: dict[str, object]
) -> None:
    gateway = trusting(trust)
    subscriber = await listen(gateway, token(), more=body)
    await passes(subscriber, 2)
    assert not subscriber.ended
    trust.write("revoked.json", {"jti": ["token-1"], "sub": {}})
    assert await passes(subscriber, 20) <= WITHIN_S
    assert subscriber.codes == ["UNAUTHENTICATED"]
    assert subscriber.completed
    assert subscriber.events[-1]["extensions"]["sequence"] == 2
    assert '"because":"credential"' in gateway.log.getvalue()


async def test_an_expired_token_ends_the_stream(trust: Trust) -> None:
    gateway = trusting(trust)
    leeway_s = gateway.settings.auth_leeway_s
    subscriber = await listen(gateway, token(exp=NOW_S + 5))
    await passes(subscriber, leeway_s)
    assert not subscriber.ended
    assert await passes(subscriber, 20) <= 5 + WITHIN_S
    assert subscriber.codes == ["UNAUTHENTICATED"]


@pytest.mark.parametrize("body", [{}, SLOW])
async def test_who_leaves_a_group_loses_its_accounts_in_the_middle(
    trust: Trust, body: dict[str, object]
) -> None:
    gateway = trusting(trust)
    sent = token(role="partner", accounts=None, groups=["friends"], sees_counterparties=True)
    subscriber = await listen(gateway, sent, more=body)
    trust.write("groups.json", {"friends": {"accounts": ["bob"]}})
    assert await passes(subscriber, 20) <= WITHIN_S
    assert subscriber.codes == ["FORBIDDEN"]
    assert subscriber.completed


async def test_a_group_that_gets_other_accounts_too_changes_nothing_at_a_slow_pace(
    trust: Trust,
) -> None:
    gateway = trusting(trust)
    sent = token(role="partner", accounts=None, groups=["friends"], sees_counterparties=True)
    subscriber = await listen(gateway, sent, more=SLOW)
    trust.write("groups.json", {"friends": {"accounts": ["alice", "bob", "carol"]}})
    assert await passes(subscriber, 20) == 20
    assert subscriber.counts == [5]


async def test_without_a_credential_there_is_no_stream(trust: Trust) -> None:
    subscriber = await subscribe(trusting(trust))
    await waiting(subscriber)
    assert (subscriber.status, subscriber.codes) == (401, ["UNAUTHENTICATED"])
    assert "www-authenticate" in subscriber.told
