"""Subscriptions over raw sockets: chunks, limits of connections, clients that do not read, that go, that half close."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from typing import Any

import pytest

from gateway.process import one_at_a_time
from tests.unit.gateway.process.listening import HEAD, LIMITS, Client, Listening, listening, until
from tests.unit.gateway.served import Gateway, settle
from tests.unit.gateway.subscribed import TOTALS

pytestmark = pytest.mark.anyio
BODY = json.dumps({"query": TOTALS}).encode()
ASK = HEAD + b"accept: text/event-stream\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY
LARGE = 20_000
"""Bytes of a snapshot that a client does not take."""


class Reader:
    """What came of a stream."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.came = b""

    async def until(self, pattern: bytes) -> bytes:
        """Everything, when it has this."""
        async with asyncio.timeout(60):
            while not re.search(pattern, self.came, re.DOTALL):
                data = await self.client._reader.read(65_536)
                assert data, "the stream ended"
                self.came += data
        return self.came

    @property
    def sequences(self) -> list[int]:
        """Of the events that came whole."""
        return [int(each) for each in re.findall(rb'"sequence":(\d+)', self.came)]


async def subscribe(served: Listening, receive_bytes: int | None = None) -> Reader:
    """A stream whose first event came."""
    reader = Reader(await served.connect(receive_bytes))
    await reader.client.send(ASK)
    await reader.until(rb"\r\n\r\n.*event: next\nid: [^\n]+\ndata: [^\n]+\n\n")
    return reader


async def passes(gateway: Gateway, seconds: int) -> None:
    """A second at a time."""
    for _ in range(seconds):
        gateway.passes(1.0)
        await settle()
        await asyncio.sleep(0.002)


async def test_events_are_sent_in_chunks_on_a_connection_of_their_own(
    served: Listening, gateway: Gateway
) -> None:
    reader = await subscribe(served)
    head = reader.came.partition(b"\r\n\r\n")[0]
    assert b"transfer-encoding: chunked" in head
    assert b"connection: close" in head
    await passes(gateway, 16)
    await reader.until(rb":\n\n\r\n$")
    assert reader.sequences == [1]
    gateway.process.drain.begun = True
    await passes(gateway, 2)
    rest = await reader.client.end()
    assert re.search(rb"retry: \d+\n\n\r\n0\r\n\r\n$", reader.came + rest)


async def test_a_stream_may_stand_still_for_longer_than_any_connection(
    served: Listening, gateway: Gateway
) -> None:
    reader = await subscribe(served)
    for _ in range(10):
        served.look(60)
    assert await reader.client.silent()
    assert served.ended == []


async def test_the_system_gives_up_a_client_that_is_gone_without_a_word(
    served: Listening, gateway: Gateway
) -> None:
    """Heartbeats to it find room in the system for hours, so that it never seems to take nothing."""
    await subscribe(served)
    (mine,) = served.connections
    own = mine.transport.get_extra_info("socket")
    timeout_ms = own.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
    assert timeout_ms == 1_000 * LIMITS.send_s


async def test_a_client_that_goes_is_noticed(served: Listening, gateway: Gateway) -> None:
    reader = await subscribe(served)
    assert await gateway.metric("gateway_live_streams ") == 1
    reader.client.cut()
    await served.until(0)
    await settle()
    assert await gateway.metric("gateway_live_streams ") == 0


async def test_a_client_that_sends_no_more_counts_as_gone(
    served: Listening, gateway: Gateway
) -> None:
    reader = await subscribe(served)
    reader.client.writer.write_eof()
    await served.until(0)
    await settle()
    assert await gateway.metric("gateway_live_streams ") == 0


async def test_who_takes_what_it_is_sent_has_the_last_words_of_a_process_that_ends(
    served: Listening, gateway: Gateway
) -> None:
    reader = await subscribe(served)
    gateway.process.drain.begun = True
    (mine,) = served.connections
    mine.shutdown()
    await passes(gateway, 2)
    await reader.until(rb"retry: \d+\n\n\r\n0\r\n\r\n$")


async def test_what_a_client_does_not_take_is_not_piled_up(gateway: Gateway) -> None:
    sent: list[int] = []
    gone = asyncio.Event()

    async def endless(scope: Any, receive: Any, send: Any) -> None:
        """As the gateway sends: the next only when the one before is taken."""
        one_at_a_time.begin(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while not gone.is_set():
            await send({"type": "http.response.body", "body": b"", "more_body": True})
            await send({"type": "http.response.body", "body": bytes(LARGE), "more_body": True})
            sent.append(1)
            await asyncio.sleep(0)

    async with listening(endless, LIMITS) as served:
        client = await served.connect(4_096)
        await client.send(ASK)
        await until(lambda: bool(served.connections) and served.held_bytes > 0)
        before = len(sent)
        for _ in range(50):
            await asyncio.sleep(0.001)
        assert len(sent) == before, "nothing more is made"
        assert served.held_bytes <= LARGE + 100, "and no more than one is held"
        served.look()
        served.look(29)
        assert served.ended == []
        # Who takes a little now and then does not stand still.
        while len(sent) == before:
            await client._reader.read(65_536)
            await asyncio.sleep(0)
        served.look(2)
        served.look(29)
        assert served.ended == []
        served.look(31)
        served.look(31)
        await served.until(0)
        gone.set()
        assert set(served.ended) == {"sending"}, "who takes nothing is cut"
