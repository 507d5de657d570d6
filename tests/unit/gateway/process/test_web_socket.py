"""WebSockets on a socket of the loopback: what is handed on by HTTP counts, is bounded, and ends."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, cast

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.typing import Subprotocol

from gateway.process import web_socket
from gateway.process.connections import Limits
from gateway.process.web_socket import BoundedWebSocket
from tests.unit.gateway.process.listening import Listening, listening, until
from tests.unit.gateway.served import TOTALS, Gateway
from tests.unit.gateway.subscribed import TOTALS as SUBSCRIPTION

pytestmark = pytest.mark.anyio
SPOKEN = [Subprotocol("graphql-transport-ws")]
HANDSHAKE = [
    b"GET /graphql HTTP/1.1",
    b"host: localhost",
    b"connection: upgrade",
    b"upgrade: websocket",
    b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
    b"sec-websocket-version: 13",
]


@pytest.fixture
def anyio_backend() -> str:
    """The client's library fails on uvloop where it is refused before it has said anything."""
    return "asyncio"


@asynccontextmanager
async def connected(to: Listening, **more: Any) -> AsyncIterator[ClientConnection]:
    """A connection that is acknowledged."""
    url = f"ws://127.0.0.1:{to.port}/graphql"
    async with connect(url, subprotocols=SPOKEN, **more) as client:
        await client.send('{"type":"connection_init"}')
        assert json.loads(await client.recv()) == {"type": "connection_ack"}
        yield client


async def asks(client: ClientConnection, query: str) -> None:
    payload = {"query": query}
    await client.send(json.dumps({"id": "a", "type": "subscribe", "payload": payload}))


def sockets(of: Listening) -> list[BoundedWebSocket]:
    """The server's side of each."""
    return [each for each in of.state.connections if isinstance(each, BoundedWebSocket)]


async def test_an_operation_over_a_real_socket_which_counts_as_a_connection(
    gateway: Gateway,
) -> None:
    async with listening(gateway.app, Limits(most=1)) as server:
        async with connected(server, compression="deflate") as client:
            assert client.protocol.extensions == [], "a small message could become a large one"
            assert server.among.open == 1
            await asks(client, TOTALS)
            answers = [json.loads(await client.recv()) for _ in range(2)]
            assert [each["type"] for each in answers] == ["next", "complete"]
            with pytest.raises(InvalidStatus, match="503"):
                async with connected(server):
                    pass
        # It is looked at with the others.
        await until(lambda: not sockets(server))
        server.look()
        server.look()
        assert server.among.open == 0


async def test_a_message_beyond_the_limit_ends_the_connection(gateway: Gateway) -> None:
    async with listening(gateway.app) as server:
        async with connected(server) as client:
            await asks(client, "#" * 200_000 + TOTALS)
            with pytest.raises(ConnectionClosed) as ended:
                await client.recv()
            assert ended.value.rcvd is not None
            assert ended.value.rcvd.code == 1009
        server.look()
        server.look()


async def test_other_paths_and_protocols_do_not_speak(gateway: Gateway) -> None:
    async with listening(gateway.app) as server:
        with pytest.raises(InvalidStatus, match=r"40[34]"):
            async with connect(f"ws://127.0.0.1:{server.port}/docs"):
                pass
        async with connect(f"ws://127.0.0.1:{server.port}/graphql") as client:
            with pytest.raises(ConnectionClosed) as ended:
                await client.recv()
            assert ended.value.rcvd is not None
            assert ended.value.rcvd.code == 4406
        await until(lambda: not sockets(server))
        server.look()
        server.look()


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
    async with listening(gateway.app) as server:
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
        server.look()
        server.look()


@pytest.mark.parametrize(
    ("line", "version"),
    [
        (b"x-trace: " + b"a" * 9_000, "13"),
        (b"cookie: " + b"a" * 20_000, "13"),
        (b"x\xe9: a", None),
        (b"x[: a", None),
        (b"sec-websocket-version: 8", "13"),
        (b"sec-websocket-version: 13", "13"),
        (b"sec-websocket-key: zz", "13"),
    ],
)
async def test_a_handshake_that_cannot_be_read_is_answered_and_ended(
    gateway: Gateway, line: bytes, version: str | None
) -> None:
    async with listening(gateway.app) as server:
        client = await server.connect()
        await client.send(b"\r\n".join([*HANDSHAKE, line, b"", b""]))
        answer = await client.answer()
        assert (answer.status, answer.code) == (400, "BAD_USER_INPUT")
        assert answer.headers.get("sec-websocket-version") == version
        assert await client.end() == b""
        await until(lambda: not sockets(server))
        server.look()
        server.look()


@pytest.mark.parametrize(
    ("path", "line", "status", "code"),
    [
        (b"/graphql", b"origin: https://elsewhere.example", 403, "FORBIDDEN"),
        (b"/docs", b"origin: null", 403, "FORBIDDEN"),
        (b"/graphql", b"host: rebound.example", 421, "FORBIDDEN"),
        (b"/export/transactions", b"x: y", 404, "BAD_USER_INPUT"),
        (b"/graphql/live", b"x: y", 404, "BAD_USER_INPUT"),
    ],
)
async def test_a_handshake_that_is_refused_is_told_why_as_any_request(
    gateway: Gateway, path: bytes, line: bytes, status: int, code: str
) -> None:
    host = [] if line.startswith(b"host") else [b"host: localhost"]
    sent = [b"GET " + path + b" HTTP/1.1", *host, *HANDSHAKE[2:], line, b"x-request-id: mine"]
    async with listening(gateway.app) as server:
        client = await server.connect()
        await client.send(b"\r\n".join([*sent, b"", b""]))
        answer = await client.answer()
        assert (answer.status, answer.code, answer.headers["x-request-id"]) == (
            status,
            code,
            "mine",
        )
        assert await client.end() == b""
        await until(lambda: not sockets(server))
        server.look()
        server.look()


@asynccontextmanager
async def deaf(to: Listening, *spoken: str) -> AsyncIterator[socket.socket]:
    """A client's own socket behind the handshake; it sends what it likes and takes nothing."""
    with socket.socket() as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        own.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(own, ("127.0.0.1", to.port))
        lines = (
            "GET /graphql HTTP/1.1",
            "host: localhost",
            "connection: upgrade",
            "upgrade: websocket",
            "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
            "sec-websocket-version: 13",
            *(f"sec-websocket-protocol: {each}" for each in spoken),
        )
        await loop.sock_sendall(own, ("\r\n".join(lines) + "\r\n\r\n").encode())
        assert (await loop.sock_recv(own, 12)) == b"HTTP/1.1 101"
        yield own


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
    async with listening(gateway.app) as server:
        async with deaf(server, *spoken) as own:
            (mine,) = sockets(server)
            mine.close_timeout = 0.05
            await flooded(own, PING)
            assert 0 < mine.transport.get_write_buffer_size() < 1_000_000
            if spoken:
                mine.keepalive_timeout()
            # Though it has not taken all of it.
            await until(lambda: not sockets(server))
        server.look()
        server.look()


async def test_who_takes_its_pongs_late_is_read_on(gateway: Gateway) -> None:
    async with listening(gateway.app) as server:
        async with deaf(server, *SPOKEN) as own:
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
        await until(lambda: not sockets(server))
        server.look()
        server.look()


@pytest.mark.parametrize("content", [b"", b"x"])
async def test_a_message_of_too_many_parts_ends_the_connection(
    gateway: Gateway, content: bytes
) -> None:
    async with listening(gateway.app) as server:
        async with deaf(server, *SPOKEN) as own:
            begun = Frame(Opcode.TEXT, b"{", fin=False).serialize(mask=True)
            part = Frame(Opcode.CONT, content, fin=False).serialize(mask=True)
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(own, begun + part * web_socket.MAX_PARTS)
            taken = b""
            while b"parts" not in taken:
                taken += await loop.sock_recv(own, 1_000)
            await until(lambda: not sockets(server))
        server.look()
        server.look()


async def test_a_message_may_have_parts(gateway: Gateway) -> None:
    async with listening(gateway.app) as server:
        async with deaf(server, *SPOKEN) as own:
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
        await until(lambda: not sockets(server))
        server.look()
        server.look()


async def test_a_flood_of_frames_leaves_others_their_turns(gateway: Gateway) -> None:
    longest, turns = 0, 0
    async with listening(gateway.app) as server:
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
        await until(lambda: not sockets(server))
        server.look()
        server.look()


async def test_a_flood_of_messages_is_told_apart_as_they_are_taken(gateway: Gateway) -> None:
    message = Frame(Opcode.TEXT, b'{"type":"ping"}').serialize(mask=True)
    number = 200_000 // len(message)
    most = 0
    async with listening(gateway.app) as server:
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
        await until(lambda: not sockets(server))
        server.look()
        server.look()


async def test_a_server_that_ends_says_so(gateway: Gateway) -> None:
    async with listening(gateway.app) as server:
        async with connected(server) as client:
            await asks(client, SUBSCRIPTION)
            assert json.loads(await client.recv())["type"] == "next"
            (mine,) = sockets(server)
            mine.shutdown()
            with pytest.raises(ConnectionClosed) as ended:
                await client.recv()
            assert ended.value.rcvd is not None
            assert ended.value.rcvd.code == 1012
        await until(lambda: not sockets(server))
        server.look()
        server.look()


async def test_who_is_asked_to_come_back_at_its_own_moment_is_not_cut_as_the_server_ends(
    gateway: Gateway,
) -> None:
    async with listening(gateway.app, leave_s=3_600) as server:
        async with AsyncExitStack() as clients:
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
                assert client.close_reason == "Service restart: connect again"
            assert {client.state for client in held[2:]} == {State.OPEN}
        await until(lambda: not sockets(server))
        server.look()
        server.look()


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
    async with listening(gateway.app) as server:
        client = await server.connect()
        spoken = b"sec-websocket-protocol: " + SPOKEN[0].encode()
        await client.send(b"\r\n".join([*HANDSHAKE, spoken, b"", b""]))
        assert (await client._reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        await client.send(*(each.serialize(mask=True) for each in sent))
        assert await client.end() == closing
        await until(lambda: not sockets(server))
        server.look()
        server.look()
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


@pytest.mark.parametrize(
    ("path", "header", "status"),
    [
        ("/", ("x-nothing", "1"), 404),
        ("/graphql/more", ("x-nothing", "1"), 404),
        ("/graphql", ("origin", "https://evil.example"), 403),
        ("/graphql", ("host", "evil.example"), 421),
    ],
)
async def test_a_handshake_that_is_refused_is_no_error_of_ours(
    gateway: Gateway,
    caplog: pytest.LogCaptureFixture,
    path: str,
    header: tuple[str, str],
    status: int,
) -> None:
    lines = [each for each in HANDSHAKE if not each.startswith(b"host:") or header[0] != "host"]
    lines[0] = f"GET {path} HTTP/1.1".encode()
    async with listening(gateway.app) as server:
        client = await server.connect()
        await client.send(b"\r\n".join([*lines, ": ".join(header).encode(), b"", b""]))
        assert (await client.end()).startswith(b"HTTP/1.1 %d " % status)
        await until(lambda: not sockets(server))
        server.look()
        server.look()
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


async def test_the_system_gives_up_a_client_that_is_gone_without_a_word(gateway: Gateway) -> None:
    async with listening(gateway.app, Limits(send_s=7)) as server:
        async with connected(server):
            (mine,) = sockets(server)
            own = mine.transport.get_extra_info("socket")
            assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 7_000
        await until(lambda: not sockets(server))
        server.look()
        server.look()
