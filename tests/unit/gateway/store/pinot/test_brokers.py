"""Which of several brokers a statement goes to, and what becomes of those that wait at one that hangs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from gateway.errors import StoreUnavailableError
from gateway.store.pinot.broker_session import BrokerReply
from gateway.store.pinot.brokers import Brokers

pytestmark = pytest.mark.anyio

URLS = ["http://one:1", "http://two:2"]


@dataclass
class Network:
    """The brokers as they are now: `gone` refuse a connection, `hung` answer nothing."""

    gone: set[str] = field(default_factory=set)
    hung: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    looks: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Wire:
    """Connections over it; what waits fails when they are closed."""

    network: Network
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    async def post(
        self, url: str, *, json: Mapping[str, str], headers: Mapping[str, str], timeout_s: float
    ) -> BrokerReply:
        assert (json["sql"], headers["X"], timeout_s) == ("SELECT 1", "1", 5.0)
        host = url.removesuffix("/query/sql")
        self.network.asked.append(host)
        if host in self.network.hung:
            await self.closed.wait()
        if host in self.network.gone or self.closed.is_set():
            raise StoreUnavailableError("the broker cannot be reached")
        return BrokerReply(200, host.encode())

    async def answers(self, url: str, _timeout_s: float) -> bool:
        self.network.looks.set()
        return url.removesuffix("/health") not in self.network.gone | self.network.hung

    async def aclose(self) -> None:
        self.closed.set()


@asynccontextmanager
async def over(network: Network) -> AsyncIterator[Brokers]:
    brokers = Brokers(URLS, lambda: Wire(network), look_every_s=0.0)
    try:
        yield brokers
    finally:
        await brokers.aclose()


async def asked(brokers: Brokers) -> str:
    reply = await brokers.post(
        "http://any:9/query/sql", json={"sql": "SELECT 1"}, headers={"X": "1"}, timeout_s=5.0
    )
    return reply.text


async def looked(network: Network, times: int) -> None:
    """Wait until they have been looked at so often."""
    for _ in range(times):
        network.looks.clear()
        async with asyncio.timeout(30):
            await network.looks.wait()
    network.looks.clear()
    await asyncio.sleep(0)


async def test_those_that_answer_are_asked_in_turn() -> None:
    async with over(Network()) as brokers:
        assert [await asked(brokers) for _ in range(4)] == URLS * 2


async def test_one_that_cannot_be_reached_is_asked_once_and_no_more() -> None:
    network = Network(gone={URLS[0]})
    async with over(network) as brokers:
        with pytest.raises(StoreUnavailableError):
            await asked(brokers)
        assert {await asked(brokers) for _ in range(4)} == {URLS[1]}


async def test_one_that_is_back_is_asked_again() -> None:
    network = Network(gone={URLS[0]})
    async with over(network) as brokers:
        with pytest.raises(StoreUnavailableError):
            await asked(brokers)
        brokers.start()
        network.gone.clear()
        await looked(network, 2)
        assert {await asked(brokers) for _ in range(4)} == set(URLS)


async def test_what_waits_at_one_that_hangs_fails_when_that_is_found_out() -> None:
    network = Network(hung={URLS[0]})
    async with over(network) as brokers:
        brokers.start()
        waiting = asyncio.create_task(asked(brokers))
        await looked(network, 3)
        with pytest.raises(StoreUnavailableError):
            async with asyncio.timeout(30):
                await waiting
        assert {await asked(brokers) for _ in range(4)} == {URLS[1]}


async def test_what_waits_there_fails_also_where_another_statement_has_found_it_away() -> None:
    network = Network(hung={URLS[0]})
    async with over(network) as brokers:
        waiting = asyncio.create_task(asked(brokers))
        await asyncio.sleep(0)
        network.hung, network.gone = set(), {URLS[0]}  # for new connections
        for _ in range(2):
            with contextlib.suppress(StoreUnavailableError):
                await asked(brokers)
        brokers.start()
        await looked(network, 3)
        with pytest.raises(StoreUnavailableError):
            async with asyncio.timeout(30):
                await waiting


async def test_one_that_is_slow_is_asked_rather_than_one_that_is_gone() -> None:
    network = Network(gone={URLS[0]})
    async with over(network) as brokers:
        with pytest.raises(StoreUnavailableError):
            await asked(brokers)
        brokers.start()
        await looked(network, 4)
        network.hung = {URLS[1]}  # for as long as a look takes
        await looked(network, 5)
        network.hung, network.gone = set(), set(URLS)
        network.asked.clear()
        for _ in range(2):
            with pytest.raises(StoreUnavailableError):
                await asked(brokers)
    assert network.asked == [URLS[1]] * 2


async def test_where_none_answers_each_is_tried_all_the_same() -> None:
    network = Network(gone=set(URLS))
    async with over(network) as brokers:
        for _ in range(6):
            with pytest.raises(StoreUnavailableError):
                await asked(brokers)
    assert set(network.asked) == set(URLS)
    assert len(network.asked) == 6
