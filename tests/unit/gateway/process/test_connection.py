"""Over raw sockets, on a clock that the test moves: no connection stays for ever, and there are not too many."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from gateway.http.forwarded import Forwarded
from gateway.process.addresses import networks
from gateway.process.connections import LINGER_S, Limits
from gateway.process.drain import Drain
from gateway.process.server import DrainingServer
from gateway.settings import Settings
from tests.unit.gateway.process.listening import (
    CHUNKED,
    HEAD,
    LINE,
    Client,
    Listening,
    listening,
    post,
    until,
)
from tests.unit.gateway.served import TOTALS, Gateway

pytestmark = pytest.mark.anyio

LIMITS = Limits(head_s=10, body_s=20, idle_s=75, send_s=30)
HELD = json.dumps({"query": TOTALS}).encode()


@pytest.fixture
async def served(anyio_backend: object) -> AsyncIterator[Listening]:
    async with listening(Gateway().app, LIMITS) as made:
        yield made


def held() -> Gateway:
    """A gateway whose store does not answer."""
    gateway = Gateway()
    gateway.store.may_answer = asyncio.Event()
    return gateway


async def still_open_until(served: Listening, client: Client, after_s: float) -> None:
    """Nothing happens before that time, and something then."""
    served.look()
    served.look(after_s - 0.1)
    assert await client.silent()
    served.look(0.1)


async def test_a_connection_that_says_nothing_is_closed(served: Listening) -> None:
    client = await served.connect()
    await served.until(1)
    await still_open_until(served, client, LIMITS.head_s)
    assert await client.end() == b""
    await served.until(0)
    assert served.ended == ["opened"]


async def test_the_server_looks_after_its_connections() -> None:
    async with listening(Gateway().app, LIMITS) as served:
        server = DrainingServer(
            served.config,
            Drain(),
            served.among,
            accept_s=0,
            drain_s=0,
            monotonic=lambda: served.now_s,
            on_started=lambda: None,
            on_tick=lambda: None,
        )
        server.server_state = served.state
        client = await served.connect()
        await served.until(1)
        for tick in range(2):
            assert not await server.on_tick(tick)
            served.now_s += LIMITS.head_s
        assert await client.end() == b""


@pytest.mark.parametrize("begun", [b"P", LINE, HEAD + b"accept: appl"])
async def test_half_a_head_is_answered_and_closed(served: Listening, begun: bytes) -> None:
    client = await served.connect()
    await client.send(post())
    assert (await client.answer()).status == 200
    await client.send(begun)
    await until(lambda: all(each.in_head for each in served.connections))
    await still_open_until(served, client, LIMITS.head_s)
    answer = await client.answer()
    assert (answer.status, answer.code) == (408, "DEADLINE_EXCEEDED")
    assert answer.headers["connection"] == "close"
    assert await client.end() == b""
    assert served.ended == ["head"]


async def test_the_time_of_a_first_head_runs_from_the_opening(served: Listening) -> None:
    client = await served.connect()
    await served.until(1)
    served.look()
    served.look(LIMITS.head_s - 1)
    await client.send(LINE)
    await until(lambda: any(each.in_head for each in served.connections))
    served.look()
    assert await client.silent()
    served.look(1)
    assert (await client.answer()).status == 408


async def test_a_head_in_drops_has_no_more_time(served: Listening) -> None:
    client = await served.connect()
    await client.send(LINE)
    await until(lambda: any(each.in_head for each in served.connections))
    served.look()
    for number in range(9):
        await client.send(b"x-%d: a\r\n" % number)
        assert await client.silent()
        served.look(1)
    served.look(1)
    assert (await client.answer()).status == 408


@pytest.mark.parametrize(
    "begun", [post()[:-1], CHUNKED, CHUNKED + b"1\r\n{\r\n", CHUNKED + b"2\r\n{}\r\n0\r\nx: a\r\n"]
)
async def test_half_a_body_is_answered_and_closed(served: Listening, begun: bytes) -> None:
    client = await served.connect()
    await client.send(begun)
    await until(lambda: any(each.in_body for each in served.connections))
    await still_open_until(served, client, LIMITS.body_s)
    answer = await client.answer()
    assert (answer.status, answer.code) == (408, "DEADLINE_EXCEEDED")
    assert await client.end() == b""
    await until(lambda: not served.state.tasks)


async def test_the_rest_of_a_body_that_is_answered_has_a_deadline_too(served: Listening) -> None:
    client = await served.connect()
    await client.send(HEAD + b"authorization: Bearer x\r\ncontent-length: 100\r\n\r\n")
    assert (await client.answer()).status == 401
    await still_open_until(served, client, LIMITS.body_s)
    assert await client.end() == b""


async def test_a_connection_without_requests_is_closed(served: Listening) -> None:
    client = await served.connect()
    for _ in range(3):
        await client.send(post())
        assert (await client.answer()).status == 200
        await still_open_until(served, client, LIMITS.idle_s - 0.1)
        assert await client.silent()
    served.look(0.1)
    assert await client.end() == b""
    assert served.ended == ["idle"]


async def test_an_answer_has_the_time_it_takes() -> None:
    gateway = held()
    assert gateway.store.may_answer is not None
    async with listening(gateway.app, LIMITS) as served:
        client = await served.connect()
        await client.send(post(HELD) + post() + post()[:-1])
        for _ in range(10):
            served.look(100)
        assert await client.silent()
        gateway.store.may_answer.set()
        assert [(await client.answer()).status for _ in range(2)] == [200, 200]
        # Only now can what is left of the third one be waited for.
        await client.send(post()[-1:])
        assert (await client.answer()).status == 200


async def test_a_client_that_does_not_read_its_answer_is_cut() -> None:
    async with listening(large_answers, LIMITS) as served:
        client = await served.connect(receive_bytes=1_000)
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await client.send(post())
        await until(lambda: any(each.flow.write_paused for each in served.connections))
        served.look()
        served.look(LIMITS.send_s - 0.1)
        assert served.among.open == 1
        served.look(0.1)
        await served.until(0)
        assert set(served.ended) == {"sending"}
        await until(lambda: not served.state.tasks)


async def test_a_client_that_does_not_read_its_last_answer_is_cut() -> None:
    """Its connection closes, but not before all is taken."""
    async with listening(large_answers, LIMITS) as served:
        client = await served.connect(receive_bytes=1_000)
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await client.send(post(b"{}", b"connection: close"))
        await until(lambda: any(each.transport.is_closing() for each in served.connections))
        served.look()
        served.look(LIMITS.send_s)
        await served.until(0)


async def large_answers(scope: Scope, receive: Receive, send: Send) -> None:
    body = b" " * 10_000_000
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def test_who_was_refused_and_goes_on_sending_is_cut(served: Listening) -> None:
    client = await served.connect()
    await client.send(b"nonsense\r\n\r\n")
    assert (await client.answer()).status == 405
    served.look()
    await client.send(b"more")
    assert served.among.open == 1
    served.look(LINGER_S)
    await served.until(0)


async def test_who_sends_no_more_is_answered_and_then_closed() -> None:
    gateway = held()
    assert gateway.store.may_answer is not None
    async with listening(gateway.app, LIMITS) as served:
        client = await served.connect()
        await client.send(post(HELD) + post())
        client.writer.write_eof()
        assert await client.silent()
        gateway.store.may_answer.set()
        answers = [await client.answer() for _ in range(2)]
        assert [(each.status, each.headers.get("connection")) for each in answers] == [
            (200, None),
            (200, "close"),
        ]
        assert await client.end() == b""
        await served.until(0)


@pytest.mark.parametrize("begun", [b"P", LINE, post()[:-1], CHUNKED + b"1\r\n{\r\n"])
async def test_who_sends_no_more_in_the_middle_of_a_request_is_told(
    served: Listening, begun: bytes
) -> None:
    client = await served.connect()
    await client.send(post(), begun)
    client.writer.write_eof()
    assert (await client.answer()).status == 200
    answer = await client.answer()
    assert (answer.status, answer.code) == (400, "BAD_USER_INPUT")
    assert await client.end() == b""
    await served.until(0)


@pytest.mark.parametrize("asked", [b"", post()])
async def test_who_sends_no_more_between_requests_is_gone(served: Listening, asked: bytes) -> None:
    client = await served.connect()
    if asked:
        await client.send(asked)
        assert (await client.answer()).status == 200
    client.writer.write_eof()
    assert await client.end() == b""
    await served.until(0)


async def test_who_sends_no_more_counts_as_gone_after_a_while() -> None:
    gateway = held()
    async with listening(gateway.app, Limits(half_closed_s=0.01)) as served:
        client = await served.connect()
        await client.send(post(HELD) + post())
        client.writer.write_eof()
        assert await client.end() == b""
        await until(lambda: gateway.store.cancelled == 1)


async def test_so_many_connections_and_no_more() -> None:
    async with listening(Gateway().app, Limits(most=3)) as served:
        clients = [await served.connect() for _ in range(3)]
        await served.until(3)
        refused = await (late := await served.connect()).answer()
        assert (refused.status, refused.code) == (503, "RATE_LIMITED")
        assert (refused.headers["retry-after"], refused.headers["connection"]) == ("1", "close")
        assert await late.end() == b""
        assert served.ended == ["too_many"]
        for each in clients:
            await each.send(post())
            assert (await each.answer()).status == 200
        clients[0].cut()
        await served.until(2)
        again = await served.connect()
        await again.send(post())
        assert (await again.answer()).status == 200


@pytest.mark.parametrize(
    ("proxies", "status"), [((), 503), (("10.0.0.0/8",), 503), (("10.0.0.1", "127.0.0.1"), 200)]
)
async def test_so_many_connections_of_an_address_that_is_no_balancers(
    proxies: tuple[str, ...], status: int
) -> None:
    limits = Limits(most_of_address=2, proxies=networks(proxies))
    async with listening(Gateway().app, limits) as served:
        for _ in range(2):
            await served.connect()
        await served.until(2)
        client = await served.connect()
        await client.send(post())
        assert (await client.answer()).status == status
        assert served.ended == (["too_many_of_address"] if status == 503 else [])


@pytest.mark.parametrize(
    ("proxies", "sent", "client"),
    [
        ((), b"203.0.113.9", "127.0.0.1"),
        (("127.0.0.0/8",), b"198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (("127.0.0.0/8", "10.1.0.0/16"), b"203.0.113.9, 10.1.2.3", "203.0.113.9"),
        (("127.0.0.1",), b"evil, 203.0.113.9", "203.0.113.9"),
        (("127.0.0.1",), b"203.0.113.9, unknown", "127.0.0.1"),
        (("127.0.0.1",), b"", "127.0.0.1"),
        (("127.0.0.1",), b"2001:db8::7", "2001:db8::7"),
    ],
)
async def test_a_request_that_a_proxy_brings_is_its_clients(
    proxies: tuple[str, ...], sent: bytes, client: str
) -> None:
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["client"][0])
        await large_answers(scope, receive, send)

    async with listening(Forwarded(app, networks(proxies))) as served:
        asking = await served.connect()
        await asking.send(post(b"{}", *([b"x-forwarded-for: " + sent] if sent else [])))
        assert (await asking.answer()).status == 200
    assert seen == [client]


def test_the_settings_say_all_of_it() -> None:
    settings = Settings(
        max_connections=7,
        max_connections_per_address=0,
        trusted_proxies="10.0.0.0/8, ::1",
        head_ms=1_500,
    )
    limits = settings.connection_limits
    assert (limits.most, limits.most_of_address, limits.head_s) == (7, 0, 1.5)
    assert limits.proxies == networks(["10.0.0.0/8", "::1"])
