"""WebSockets on a socket of the loopback: who ends them, when, and with which word."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from contextlib import AsyncExitStack

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.protocol import State

from gateway.process.connections import Limits
from tests.unit.gateway.process.web_sockets import (
    HANDSHAKE,
    SPOKEN,
    asks,
    connected,
    sockets,
    speaking,
)
from tests.unit.gateway.served import Gateway
from tests.unit.gateway.subscribed import TOTALS as SUBSCRIPTION

pytestmark = pytest.mark.anyio


async def test_a_server_that_ends_says_so(gateway: Gateway) -> None:
    async with speaking(gateway.app) as server, connected(server) as client:
        await asks(client, SUBSCRIPTION)
        assert json.loads(await client.recv())["type"] == "next"
        (mine,) = sockets(server)
        mine.shutdown()
        with pytest.raises(ConnectionClosed) as ended:
            await client.recv()
        assert ended.value.rcvd is not None
        assert ended.value.rcvd.code == 1012


async def test_who_is_asked_to_come_back_at_its_own_moment_is_not_cut_as_the_server_ends(
    gateway: Gateway,
) -> None:
    async with speaking(gateway.app, leave_s=3_600) as server, AsyncExitStack() as clients:
        held = [await clients.enter_async_context(connected(server)) for _ in range(5)]
        for client in held[:2]:
            await asks(client, SUBSCRIPTION)
            assert json.loads(await client.recv())["type"] == "next"
        gateway.process.drain.begun = True
        for each in sockets(server):
            each.shutdown()
        for client in held:
            await client.send('{"type":"ping"}')
            assert json.loads(await client.recv()) == {"type": "pong"}, "no moment was now"
        for client in held[:2]:
            while client.state is State.OPEN:
                gateway.passes(1.0)
                await asyncio.sleep(0.001)
            await client.wait_closed()
            assert client.close_reason == "Service restart: connect again"
        assert {client.state for client in held[2:]} == {State.OPEN}


@pytest.mark.parametrize(
    "sent",
    [
        [Frame(Opcode.TEXT, b'{"type":"\xff"}')],
        [Frame(Opcode.TEXT, b"\xe6\x97", fin=False), Frame(Opcode.CONT, b"A")],
        [Frame(Opcode.TEXT, b'"\xed\xa0\x80"')],
    ],
    ids=["no-character", "half-a-character", "half-a-pair"],
)
async def test_text_that_is_not_utf_8_is_the_clients_fault(
    gateway: Gateway, caplog: pytest.LogCaptureFixture, sent: list[Frame]
) -> None:
    closing = Frame(Opcode.CLOSE, b"\x03\xeftext is in UTF-8").serialize(mask=False)
    async with speaking(gateway.app) as server:
        client = await server.connect()
        spoken = b"sec-websocket-protocol: " + SPOKEN[0].encode()
        await client.send(b"\r\n".join([*HANDSHAKE, spoken, b"", b""]))
        assert (await client._reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        await client.send(*(each.serialize(mask=True) for each in sent))
        assert await client.end() == closing
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


async def test_the_system_gives_up_a_client_that_is_gone_without_a_word(gateway: Gateway) -> None:
    async with speaking(gateway.app, Limits(send_s=7)) as server, connected(server):
        (mine,) = sockets(server)
        own = mine.transport.get_extra_info("socket")
        assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 7_000
