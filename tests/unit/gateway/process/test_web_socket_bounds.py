"""WebSockets on a socket of the loopback: what a client can make the gateway hold, or hold up, is bounded."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from gateway.process import web_socket
from gateway.process.web_socket import BoundedWebSocket
from tests.unit.gateway.process.listening import until
from tests.unit.gateway.process.web_sockets import SPOKEN, asks, connected, deaf, sockets, speaking
from tests.unit.gateway.served import TOTALS, Gateway

pytestmark = pytest.mark.anyio


async def test_a_message_beyond_the_limit_ends_the_connection(gateway: Gateway) -> None:
    async with speaking(gateway.app) as server, connected(server) as client:
        await asks(client, "#" * 200_000 + TOTALS)
        with pytest.raises(ConnectionClosed) as ended:
            await client.recv()
        assert ended.value.rcvd is not None
        assert ended.value.rcvd.code == 1009


def answers_no_ping(mine: BoundedWebSocket) -> None:
    mine.send_keepalive_ping()
    mine.keepalive_timeout()


@pytest.mark.parametrize("end", [answers_no_ping, BoundedWebSocket.shutdown])
async def test_who_takes_nothing_is_not_sent_a_queue_and_is_cut(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, end: Callable[[BoundedWebSocket], None]
) -> None:
    monkeypatch.setattr(web_socket, "LAST_WORDS_S", 0.05)
    wide = " ".join(f"f{number}: id" for number in range(50))
    query = f'{{ account(id: "{"a" * 60}") {{ {wide} }} }}'
    async with speaking(gateway.app) as server:
        narrow = socket.socket()
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        narrow.connect(("127.0.0.1", server.port))
        narrow.setblocking(False)
        async with connected(server, sock=narrow, ping_interval=None) as client:
            (mine,) = sockets(server)
            cast("Any", client.transport).pause_reading()
            for number in range(190):
                payload = {"query": query}
                said = {"id": str(number), "type": "subscribe", "payload": payload}
                await client.send(json.dumps(said))
                await asyncio.sleep(0)
            await until(lambda: not mine.writable.is_set())
            held = mine.transport.get_write_buffer_size()
            assert held < 400_000, "one answer, and what was said at the same time"
            end(mine)
            await until(lambda: not sockets(server))
            client.transport.abort()


PING = Frame(Opcode.PING, b"x" * 125).serialize(mask=True)
MEGABYTES = 6_000_000


async def flooded(own: socket.socket, sent: bytes) -> None:
    """Send as much as is taken, up to some megabytes."""
    loop = asyncio.get_running_loop()
    with suppress(TimeoutError):
        async with asyncio.timeout(2):
            await loop.sock_sendall(own, sent * (MEGABYTES // len(sent)))


@pytest.mark.parametrize("spoken", [SPOKEN, []])
async def test_a_flood_of_pings_is_not_answered_into_memory(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, spoken: list[str]
) -> None:
    monkeypatch.setattr(web_socket, "LAST_WORDS_S", 0.05)
    async with speaking(gateway.app) as server, deaf(server, *spoken) as own:
        (mine,) = sockets(server)
        mine.close_timeout = 0.05
        await flooded(own, PING)
        assert 0 < mine.transport.get_write_buffer_size() < 1_000_000
        if spoken:
            mine.keepalive_timeout()
        # Though it has not taken all of it.
        await until(lambda: not sockets(server))


async def test_who_takes_its_pongs_late_is_read_on(gateway: Gateway) -> None:
    async with speaking(gateway.app) as server, deaf(server, *SPOKEN) as own:
        (mine,) = sockets(server)
        loop = asyncio.get_running_loop()
        # All of it, however long that takes: after half a ping what follows is a part of it.
        sending = asyncio.ensure_future(loop.sock_sendall(own, PING * 10_000))
        await until(lambda: not mine.writable.is_set())
        taken = b""
        while not (sending.done() and taken.endswith(b"x" * 125)):
            taken = (taken + await loop.sock_recv(own, 1_000_000))[-200:]
        init = Frame(Opcode.TEXT, b'{"type":"connection_init"}').serialize(mask=True)
        await loop.sock_sendall(own, init)
        while b"connection_ack" not in taken:
            taken = (taken + await loop.sock_recv(own, 1_000_000))[-200:]


@pytest.mark.parametrize("content", [b"", b"x"])
async def test_a_message_of_too_many_parts_ends_the_connection(
    gateway: Gateway, content: bytes
) -> None:
    async with speaking(gateway.app) as server, deaf(server, *SPOKEN) as own:
        begun = Frame(Opcode.TEXT, b"{", fin=False).serialize(mask=True)
        part = Frame(Opcode.CONT, content, fin=False).serialize(mask=True)
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(own, begun + part * web_socket.MAX_PARTS)
        taken = b""
        while b"parts" not in taken:
            taken += await loop.sock_recv(own, 1_000)
        await until(lambda: not sockets(server))


async def test_a_message_may_have_parts(gateway: Gateway) -> None:
    async with speaking(gateway.app) as server, deaf(server, *SPOKEN) as own:
        loop = asyncio.get_running_loop()
        begun = Frame(Opcode.TEXT, b'{"type":', fin=False).serialize(mask=True)
        between = Frame(Opcode.CONT, b" ", fin=False).serialize(mask=True)
        ended = Frame(Opcode.CONT, b'"ping"}').serialize(mask=True)
        message = begun + between * (web_socket.MAX_PARTS - 1) + ended
        # All of it at once is many pieces.
        await loop.sock_sendall(own, message * 3)
        taken = b""
        while taken.count(b'{"type": "pong"}') < 3:
            taken += await loop.sock_recv(own, 1_000)


async def test_a_flood_of_frames_leaves_others_their_turns(gateway: Gateway) -> None:
    longest, turns = 0, 0
    async with speaking(gateway.app) as server:
        async with deaf(server, *SPOKEN):
            (mine,) = sockets(server)
            nothing = Frame(Opcode.PONG, b"").serialize(mask=True)
            held = nothing * (200_000 // len(nothing))
            mine.data_received(held)
            while held:
                longest = max(longest, len(held) - len(mine._unread))
                held, turns = mine._unread, turns + 1
                await asyncio.sleep(0)
        assert 0 < longest <= 2 * web_socket.PIECE_BYTES
        assert turns > 200_000 // (2 * web_socket.PIECE_BYTES)


async def test_a_flood_of_messages_is_told_apart_as_they_are_taken(gateway: Gateway) -> None:
    message = Frame(Opcode.TEXT, b'{"type":"ping"}').serialize(mask=True)
    number = 200_000 // len(message)
    most = 0
    async with speaking(gateway.app) as server:
        async with deaf(server, *SPOKEN) as own:
            (mine,) = sockets(server)
            loop = asyncio.get_running_loop()
            mine.data_received(message * number)
            while mine.writable.is_set():
                most = max(most, mine.queue.qsize())
                await asyncio.sleep(0)
            most = max(most, mine.queue.qsize())
            assert mine._unread, "the client takes nothing, so nor does the gateway"
            taken = b""
            while taken.count(b'{"type": "pong"}') < number:
                taken += await loop.sock_recv(own, 1_000_000)
        assert 0 < most < 2 * web_socket.MOST_WAITING
