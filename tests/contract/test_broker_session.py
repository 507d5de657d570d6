"""HTTP to the broker over real sockets: what a broker that is slow, half dead, lying or gone comes out as."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from gateway.errors import DeadlineExceededError, GatewayError, StoreUnavailableError
from gateway.store.pinot.broker_session import AiohttpSession
from gateway.store.pinot.client import PinotClient
from tests.unit.gateway.fakes import broker_answer

pytestmark = pytest.mark.anyio

ANSWER = json.dumps(broker_answer([["naïve", 3, "1.50"]], ["STRING", "LONG", "STRING"])).encode()
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"

Say = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]
"""What a broker does with a request's body."""


class GoneError(Exception):
    """The broker listens no longer."""


def closed_after(say: Say) -> Say:
    """Answers once, and then is gone."""
    asked = 0

    async def once(body: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        if asked > 1:
            raise GoneError
        await say(body, writer)

    return once


@asynccontextmanager
async def broker(say: Say) -> AsyncIterator[PinotClient]:
    """A client of a broker on loopback."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                await say(await reader.readexactly(length), writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except GoneError:
            server.close()
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = PinotClient(f"http://127.0.0.1:{port}", AiohttpSession(4))
    try:
        yield client
    finally:
        await client.close()
        server.close()


async def well(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(OK % len(ANSWER) + ANSWER)


async def hung(_: bytes, __: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def half(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(OK % len(ANSWER) + ANSWER[:50])
    await asyncio.Event().wait()


async def cut(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(OK % len(ANSWER) + ANSWER[:50])
    writer.close()


async def closed(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def no_http(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-nonsense\r\n\r\n")


async def failing(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\n{}")


def elsewhere() -> Say:
    """Sends away once; whoever follows would be answered well."""
    asked = 0

    async def say(body: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        if asked > 1:
            await well(body, writer)
        else:
            writer.write(b"HTTP/1.1 307 Go\r\nLocation: /query/sql\r\nContent-Length: 0\r\n\r\n")

    return say


async def garbage(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(OK % 3 + b"\xff\xfe{")


async def test_statements_go_over_kept_connections_as_they_are() -> None:
    bodies: list[dict[str, str]] = []
    writers: set[asyncio.StreamWriter] = set()

    async def note(body: bytes, writer: asyncio.StreamWriter) -> None:
        bodies.append(json.loads(body))
        writers.add(writer)
        await well(body, writer)

    statement = "SELECT '100%% naïve %(x)s' FROM t LIMIT 1"
    async with broker(note) as client:
        for _ in range(3):
            answer = await client.run(statement, 5.0, {"useStarTree": "false"})
            assert answer.rows == (["naïve", 3, "1.50"],)
    assert [body["sql"] for body in bodies] == [statement] * 3
    assert bodies[0]["queryOptions"] == "timeoutMs=4900;useStarTree=false"
    assert len(writers) == 1


@pytest.mark.parametrize(
    ("say", "error"),
    [
        (hung, DeadlineExceededError),
        (half, DeadlineExceededError),
        (cut, StoreUnavailableError),
        (closed, StoreUnavailableError),
        (no_http, StoreUnavailableError),
        (failing, StoreUnavailableError),
        (elsewhere(), StoreUnavailableError),
        (garbage, StoreUnavailableError),
    ],
    ids=lambda value: value.__name__,
)
async def test_a_broker_that_does_not_answer_well_is_an_error_of_the_store(
    say: Say, error: type[GatewayError]
) -> None:
    # Only who never answers is waited for until the deadline.
    deadline_s = 0.3 if error is DeadlineExceededError else 30.0
    async with broker(say) as client:
        with pytest.raises(error):
            await client.run("SELECT 1 FROM t LIMIT 1", deadline_s)


async def test_a_broker_that_is_gone_is_unavailable_at_once() -> None:
    async with broker(closed_after(well)) as client:
        assert (await client.run("SELECT 1 FROM t LIMIT 1", 5.0)).rows
        for _ in range(2):  # the connection that was kept, and new ones
            with pytest.raises(StoreUnavailableError):
                async with asyncio.timeout(20):
                    await client.run("SELECT 1 FROM t LIMIT 1", 30.0)


async def test_what_is_asked_after_the_end_is_unavailable() -> None:
    async with broker(well) as client:
        await client.close()
        with pytest.raises(StoreUnavailableError):
            await client.run("SELECT 1 FROM t LIMIT 1", 5.0)


async def test_half_a_surrogate_pair_which_no_id_may_have_is_not_answered() -> None:
    async with broker(well) as client:
        with pytest.raises(StoreUnavailableError):
            await client.run("SELECT '\ud800' FROM t LIMIT 1", 5.0)


@pytest.mark.parametrize("rows", [[["a", 1]], [["a", 1, "1", 2]], ["abc"], None])
async def test_rows_that_are_not_as_wide_as_their_columns_are_no_answer(rows: Any) -> None:
    content = json.dumps(broker_answer(rows, ["STRING", "LONG", "STRING"])).encode()

    async def say(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(OK % len(content) + content)

    async with broker(say) as client:
        with pytest.raises(StoreUnavailableError):
            await client.run("SELECT 1 FROM t LIMIT 1", 5.0)


async def test_numbers_keep_their_digits_and_doubles_are_doubles() -> None:
    content = json.dumps(broker_answer([[0.5, 0.25]], ["BIG_DECIMAL", "DOUBLE"])).replace(
        "0.5", "999999999999999999.99999999"
    )

    async def say(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(OK % len(content) + content.encode())

    async with broker(say) as client:
        ((amount, estimate),) = (await client.run("SELECT 1 FROM t LIMIT 1", 5.0)).rows
    assert Decimal(amount) == Decimal("999999999999999999.99999999")
    assert estimate == 0.25
