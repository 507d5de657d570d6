"""Over raw sockets: one request has one answer, headers end where the body begins, and everything has an end."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterable
from itertools import repeat

import pytest

from gateway.process.bounded_http import MAX_HEAD_BYTES, MAX_HEADERS, MAX_PIPELINED, MAX_REST_BYTES
from gateway.settings import Settings
from tests.unit.gateway.process.listening import (
    BODY,
    CHUNKED,
    HEAD,
    LINE,
    Answer,
    Listening,
    listening,
    post,
    until,
)
from tests.unit.gateway.served import TOTALS, Gateway

pytestmark = pytest.mark.anyio

GET = b"GET /graphql?query={limits{maxFirst}} HTTP/1.1\r\nhost: localhost\r\n\r\n"
SOCKET = b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==", b"sec-websocket-version: 13"
HOSTILE = 4_000_000
"""Bytes that are sent of what has no end."""


@pytest.fixture
async def served(anyio_backend: object) -> AsyncIterator[Listening]:
    async with listening(Gateway().app) as made:
        yield made


async def only_answer(served: Listening, *segments: bytes) -> Answer:
    """The one answer, after which the connection serves one more request."""
    client = await served.connect()
    await client.send(*segments)
    answer = await client.answer()
    await client.send(
        post(b'{"query":"{__typename}"}', b"x-request-id: the-next", b"connection: close")
    )
    after = await client.answer()
    assert (after.status, after.headers["x-request-id"]) == (200, "the-next")
    assert await client.end() == b""
    return answer


def offers(protocol: bytes) -> tuple[bytes, ...]:
    return (
        b"connection: Upgrade, HTTP2-Settings",
        b"upgrade: " + protocol,
        b"http2-settings: AAMAAABk",
    )


def joined(lines: Iterable[bytes]) -> bytes:
    return b"\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


@pytest.mark.parametrize(
    "protocol", [b"h2c", b"x", b"TLS/1.0, HTTP/1.1", b"websocket", b"h2c\r\nupgrade: x"]
)
@pytest.mark.parametrize("size", [1, 40, 1_000])
async def test_an_offer_to_speak_something_else_is_not_taken_up(
    served: Listening, protocol: bytes, size: int
) -> None:
    request = post(BODY, *offers(protocol))
    segments = [request[at : at + size] for at in range(0, len(request), size)]
    assert (await only_answer(served, *segments)).status == 200
    chunked = HEAD + b"\r\n".join(offers(protocol)) + b"\r\ntransfer-encoding: chunked\r\n\r\n"
    request = chunked + b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
    segments = [request[at : at + size] for at in range(0, len(request), size)]
    assert (await only_answer(served, *segments)).status == 200


@pytest.mark.parametrize("protocol", [b"x", b"h2c", b"websocket"])
@pytest.mark.parametrize("apart", [True, False])
async def test_a_body_that_looks_like_a_request_is_a_body(
    served: Listening, protocol: bytes, apart: bool
) -> None:
    request = post(GET, *offers(protocol))
    segments = (request[: -len(GET)], GET) if apart else (request,)
    assert (await only_answer(served, *segments)).status == 400


async def test_requests_in_a_row_that_offer_something_else_are_answered_in_turn(
    served: Listening,
) -> None:
    client = await served.connect()
    await client.send(post(BODY, *offers(b"h2c"), b"x-request-id: a") * 5)
    assert [(await client.answer()).status for _ in range(5)] == [200] * 5
    await client.send(post(BODY, b"expect: 100-continue", *offers(b"h2c")))
    assert (await client.answer()).status == 100
    assert (await client.answer()).status == 200


@pytest.mark.parametrize("trailer", [b"authorization: Bearer x", b"x-api-key: x", b"host: evil"])
async def test_what_comes_after_a_body_is_no_header(served: Listening, trailer: bytes) -> None:
    """A credential that is not valid would be refused, were it one."""
    chunks = b"%x\r\n%s\r\n0\r\n" % (len(BODY), BODY)
    answer = await only_answer(served, CHUNKED, chunks, trailer + b"\r\nexpect: x\r\n\r\n")
    assert answer.status == 200
    client = await served.connect()
    before = CHUNKED.replace(b"host: localhost", trailer + b"\r\nhost: localhost")
    await client.send(before + chunks + b"\r\n")
    assert (await client.answer()).status in (401, 421)


@pytest.mark.parametrize("asked", [BODY, b"no JSON", b" " * 70_000])
async def test_a_connection_that_a_trailer_ends_is_closed_behind_its_answer(
    served: Listening, asked: bytes
) -> None:
    """Nothing sent behind it is left without an answer on a connection that seems to stand."""
    client = await served.connect()
    chunks = b"%x\r\n%s\r\n0\r\n" % (len(asked), asked)
    await client.send(post() + CHUNKED + chunks, b"x: y\r\nconnection: close\r\n\r\n")
    assert (await client.answer()).status == 200
    assert (await client.answer()).status in (200, 400, 413)
    await client.send(GET)
    assert await client.end() == b""


async def test_a_client_of_before_1_1_is_told_nothing_but_its_answer(served: Listening) -> None:
    for lines in ([b"expect: 100-continue"], [*offers(b"websocket"), *SOCKET]):
        for request in (post(BODY, *lines), GET.replace(b"\r\n\r\n", joined(lines))):
            client = await served.connect()
            await client.send(request.replace(b"HTTP/1.1", b"HTTP/1.0"))
            answer = await client.answer()
            assert (answer.status, answer.headers["connection"]) == (200, "close")
            assert await client.end() == b""


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (b"http://localhost", 200),
        (b"HTTP://127.0.0.1:8000", 200),
        (b"http://rebound.example", 421),
        (b"https://rebound.example:443", 421),
        (b"http://localhost@rebound.example", 421),
    ],
)
async def test_a_target_that_names_its_host_counts_before_the_header(
    served: Listening, target: bytes, status: int
) -> None:
    client = await served.connect()
    for lines in ((), offers(b"h2c")):
        await client.send(post(BODY, *lines).replace(b" /graphql", b" " + target + b"/graphql"))
        assert (await client.answer()).status == status
    await client.send(post().replace(b"localhost", b"rebound.example"))
    assert (await client.answer()).status == 421


@pytest.mark.parametrize("coding", [b"gzip, chunked", b"x, CHUNKED"])
async def test_a_body_that_is_coded_for_its_transfer_is_refused(
    served: Listening, coding: bytes
) -> None:
    client = await served.connect()
    request = CHUNKED.replace(b"chunked", coding)
    assert request != CHUNKED
    await client.send(request + b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY) + GET)
    answer = await client.answer()
    assert (answer.status, answer.code) == (501, "BAD_USER_INPUT")
    assert await client.end() == b""


async def test_chunks_are_chunks_by_any_case(served: Listening) -> None:
    client = await served.connect()
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
    await client.send(CHUNKED.replace(b"chunked", b"Chunked ") + chunks)
    assert (await client.answer()).status == 200


ENDLESS: dict[str, tuple[bytes, Callable[[int], bytes], int]] = {
    "head": (HEAD, lambda n: b"x-%d: a\r\n" % n, 431),
    "header": (HEAD + b"accept: ", lambda _: b"a" * 20, 431),
    "name of a header": (HEAD, lambda _: b"a" * 20, 431),
    "target": (b"GET /", lambda _: b"a" * 20, 431),
    "empty lines": (b"", lambda _: b"\r\n" * 10, 431),
    "empty lines between requests": (post(), lambda _: b"\r\n" * 10, 431),
    "trailers": (CHUNKED + b"0\r\n", lambda n: b"x-%d: a\r\n" % n, 431),
    "trailer": (CHUNKED + b"0\r\nx: ", lambda _: b"a" * 20, 431),
    "trailers of a body": (CHUNKED + b"2\r\n{}\r\n0\r\n", lambda n: b"x-%d: a\r\n" % n, 431),
    "extension of a chunk": (CHUNKED + b"1;a=", lambda _: b"a" * 20, 431),
    "extensions of chunks": (CHUNKED, lambda _: b"1;a=" + b"a" * 90 + b"\r\nx\r\n", 431),
    "size of a chunk": (CHUNKED, lambda _: b"0" * 20, 431),
}


@pytest.mark.parametrize("what", ENDLESS)
async def test_what_does_not_end_is_answered_and_ended(served: Listening, what: str) -> None:
    beginning, more, status = ENDLESS[what]
    client = await served.connect()
    tracemalloc.start()
    try:
        await client.send(beginning)
        if what.endswith("between requests"):
            assert (await client.answer()).status == 200
        sending = asyncio.ensure_future(send_endless(client.send, more))
        answer = await client.answer()
        await sending
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
    assert (answer.status, answer.code) == (status, "BAD_USER_INPUT")
    assert answer.headers["connection"] == "close"
    assert await client.end() == b""
    assert served.ended == ["unreadable"]


async def send_endless(send: Callable[[bytes], object], more: Callable[[int], bytes]) -> None:
    sent = number = 0
    while sent < HOSTILE:
        piece = b"".join(more(number + each) for each in range(500))
        await send(piece)  # type: ignore[misc]
        sent, number = sent + len(piece), number + 500


@pytest.mark.parametrize("size", [1_000, 20_000, 1_000_000])
async def test_a_head_may_be_as_large_as_that_and_no_larger(served: Listening, size: int) -> None:
    for excess, status in ((-100, 200), (1, 431)):
        request = head_of(MAX_HEAD_BYTES + excess) + BODY
        client = await served.connect()
        await client.send(*(request[at : at + size] for at in range(0, len(request), size)))
        assert (await client.answer()).status == status


@pytest.mark.parametrize("excess", [-100, 1])
async def test_a_large_head_counts_the_same_behind_another_request(
    served: Listening, excess: int
) -> None:
    client = await served.connect()
    await client.send(post() + head_of(MAX_HEAD_BYTES + excess) + BODY)
    statuses = [(await client.answer()).status for _ in range(2)]
    assert statuses == [200, 200 if excess < 0 else 431]


def head_of(size: int) -> bytes:
    counted = len(b"/graphql") + len(HEAD) - len(b"POST /graphql HTTP/1.1\r\n")
    length = b"content-length: %d\r\n" % len(BODY)
    return HEAD + length + b"x: ".ljust(size - counted - len(length) - 2, b"a") + b"\r\n\r\n"


async def test_a_request_may_have_so_many_headers(served: Listening) -> None:
    for more, status in ((0, 200), (1, 431)):
        lines = [b"x-%d: a" % each for each in range(MAX_HEADERS - 3 + more)]
        client = await served.connect()
        await client.send(post(BODY, *lines))
        assert (await client.answer()).status == status


async def test_a_body_in_chunks_of_a_byte_is_a_body() -> None:
    body = b'{"query":"{ limits { maxFirst } }%s"}' % (b" " * 15_000)
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
    async with listening(Gateway().app) as served:
        assert (await only_answer(served, CHUNKED, chunks, b"0\r\n\r\n")).status == 200


async def test_of_a_body_that_is_refused_some_is_still_read() -> None:
    async with listening(Gateway(Settings(max_body_bytes=1_000)).app) as served:
        assert (await only_answer(served, post(b" " * (MAX_REST_BYTES // 2)))).status == 413
        client = await served.connect()
        head = HEAD + b"content-length: %d\r\n\r\n" % HOSTILE
        await client.send(head, *repeat(b" " * 10_000, HOSTILE // 10_000))
        assert (await client.answer()).status == 413
        assert await client.end() == b""


UNREADABLE: dict[bytes, int] = {
    b"nonsense\r\n\r\n": 405,
    b"\x00\x01\x02\r\n\r\n": 405,
    b"BREW /graphql HTTP/1.1\r\nhost: localhost\r\n\r\n": 405,
    b"CONNECT localhost:80 HTTP/1.1\r\nhost: localhost\r\n\r\n" + GET: 405,
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n": 400,
    b"GET /graphql HTTP/2.0\r\nhost: localhost\r\n\r\n": 505,
    b"GET /graphql\r\n\r\n": 505,
    b"GET /graphql HTTP/1.1\r\nhost: localhost\r\nx y: a\r\n\r\n": 400,
    b"GET /graphql HTTP/1.1\r\nhost: localhost\r\nx: a\r\n folded\r\n\r\n": 400,
    b"GET /graphql\xff HTTP/1.1\r\nhost: localhost\r\n\r\n": 400,
    LINE + b"content-length: 1\r\ncontent-length: 2\r\n\r\n": 400,
    LINE + b"content-length: -1\r\n\r\n": 400,
    LINE + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n": 400,
    LINE + b"transfer-encoding: gzip\r\n\r\n": 501,
    LINE + b"transfer-encoding: chunked, chunked\r\n\r\n": 400,
    CHUNKED + b"zz\r\n": 400,
    CHUNKED + b"1\r\nabc\r\n": 400,
    CHUNKED + b"fffffffffffffffff\r\n": 400,
}


@pytest.mark.parametrize("sent", UNREADABLE)
@pytest.mark.parametrize("before", [0, 2])
async def test_what_is_no_request_is_answered_in_its_turn(
    served: Listening, sent: bytes, before: int
) -> None:
    client = await served.connect()
    await client.send(post() * before + sent)
    for _ in range(before):
        assert (await client.answer()).status == 200
    answer = await client.answer()
    assert (answer.status, answer.code) == (UNREADABLE[sent], "BAD_USER_INPUT")
    assert answer.headers["connection"] == "close"
    await client.send(GET)
    assert await client.end() == b""


async def test_of_requests_in_a_row_so_many_wait_and_the_rest_is_not_answered() -> None:
    gateway = Gateway()
    gateway.store.may_answer = asyncio.Event()
    async with listening(gateway.app) as served:
        client = await served.connect()
        asked = post(json.dumps({"query": TOTALS}).encode())
        await client.send(asked + post() * 500)
        assert await client.silent()
        gateway.store.may_answer.set()
        answers = [await client.answer() for _ in range(1 + MAX_PIPELINED)]
        assert {each.status for each in answers} == {200}
        assert [each.headers.get("connection") for each in answers] == [
            *repeat(None, MAX_PIPELINED),
            "close",
        ]
        assert await client.end() == b""


async def test_who_hangs_up_with_requests_in_a_row_stops_the_one_at_work() -> None:
    gateway = Gateway()
    gateway.store.may_answer = asyncio.Event()
    async with listening(gateway.app) as served:
        client = await served.connect()
        asked = post(json.dumps({"query": TOTALS}).encode())
        await client.send(asked)
        assert await client.silent()
        await client.send(post() * 3)
        client.cut()
        await until(lambda: gateway.store.cancelled == 1)
