"""Exports over raw sockets: what their ends look like, whole or not, and clients that do not read."""

from __future__ import annotations

import asyncio
import json
import re
from decimal import Decimal
from typing import Any

import pytest

from gateway.settings import Settings
from tests.store_cases import transfer
from tests.unit.gateway.exported import UUID, export, rows_of
from tests.unit.gateway.fakes import NOW_MS
from tests.unit.gateway.process.listening import LIMITS, Listening, listening, until
from tests.unit.gateway.served import Gateway, HeldStore

pytestmark = pytest.mark.anyio
ASK = (
    b"GET /export/transactions?account=alice&start=2025-11-01T00:00:00Z&end=2025-12-01T00:00:00Z%s"
    b" HTTP/1.1\r\nhost: localhost\r\n\r\n"
)
ROWS = 1_000
AMOUNTS = [Decimal(number + 1) for number in range(ROWS)]
DATA = [
    entry
    for number, amount in enumerate(AMOUNTS)
    for entry in transfer(
        "alice", "x" * 60, UUID.format(number), amount, NOW_MS - (number + 2) * 1_000
    )
]


def gateway_of(**settings: Any) -> Gateway:
    return Gateway(Settings(export_page_rows=100, **settings), HeldStore(DATA))


@pytest.fixture
async def gateway(anyio_backend: object) -> Gateway:
    return gateway_of()


def unchunked(came: bytes) -> tuple[bytes, bool]:
    """A chunked body as far as it came, and whether its end did."""
    rest, body = came, b""
    while size := re.match(rb"([0-9a-f]+)\r\n", rest):
        length = int(size[1], 16)
        if length == 0:
            return body, rest == b"0\r\n\r\n"
        body += rest[size.end() :][:length]
        rest = rest[size.end() + length + 2 :]
    return body, False


async def test_a_whole_export_has_an_end(served: Listening) -> None:
    client = await served.connect()
    await client.send(ASK % b"")
    head, _, rest = (await client.end()).partition(b"\r\n\r\n")
    assert b"transfer-encoding: chunked" in head
    assert b"connection: close" in head
    body, ended = unchunked(rest)
    assert ended
    assert [Decimal(row["amount"]) for row in rows_of(body)] == AMOUNTS


async def test_a_short_one_has_a_length_and_the_connection_goes_on(served: Listening) -> None:
    client = await served.connect()
    for _ in range(2):
        await client.send(ASK % b"&minAmount=901")
        answer = await client.answer()
        assert [Decimal(row["amount"]) for row in rows_of(answer.body)] == AMOUNTS[900:]


async def test_one_that_breaks_off_has_none_but_all_rows_before() -> None:
    gateway = gateway_of(export_rows=250)
    async with listening(gateway.app, LIMITS) as served:
        client = await served.connect()
        await client.send(ASK % b"")
        rest = (await client.end()).partition(b"\r\n\r\n")[2]
        body, ended = unchunked(rest)
        assert not ended
        assert body.endswith(b'"hasNext":true}\n')
        found = rows_of(body)
        assert [Decimal(row["amount"]) for row in found] == AMOUNTS[:250]
        assert served.ended == [], "it is not the client's fault"
    assert "without completing" not in gateway.log.getvalue()


async def test_cut_anywhere_it_goes_on_without_a_gap_or_a_double(
    served: Listening, gateway: Gateway
) -> None:
    client = await served.connect()
    await client.send(ASK % b"")
    whole = (await client.end()).partition(b"\r\n\r\n")[2]
    for cut_at in range(3_000, len(whole), len(whole) // 7):
        body, ended = unchunked(whole[:cut_at])
        assert not ended
        kept = rows_of(body)
        rest = await export(gateway, after=kept[-1]["cursor"])
        assert rest.whole
        assert [Decimal(row["amount"]) for row in [*kept, *rest.rows]] == AMOUNTS


async def test_a_client_that_does_not_read_has_one_page_made_and_is_cut(gateway: Gateway) -> None:
    async with listening(gateway.app, LIMITS) as served:
        client = await served.connect(4_096)
        await client.send(ASK % b"")
        await until(lambda: served.held_bytes > 0)
        asked, held = len(gateway.store.plans), served.held_bytes
        for _ in range(50):
            await asyncio.sleep(0.001)
        assert len(gateway.store.plans) == asked <= 3, "nothing more is fetched"
        assert held < 50_000, "and no more than a page is held"
        served.look()
        served.look(29)
        assert served.ended == []
        served.look(2)
        await served.until(0)
        assert set(served.ended) == {"sending"}
        await until(lambda: "client" in gateway.log.getvalue())


async def test_a_process_that_ends_does_not_wait_for_who_takes_nothing(gateway: Gateway) -> None:
    async with listening(gateway.app, LIMITS) as served:
        client = await served.connect(4_096)
        await client.send(ASK % b"")
        await until(lambda: served.held_bytes > 0)
        (mine,) = served.connections
        mine.shutdown()
        await served.until(0)


async def test_a_last_page_that_is_not_taken_is_not_told_as_complete() -> None:
    taken = ROWS // 2
    gateway = Gateway(Settings(export_page_rows=taken), HeldStore(DATA))
    async with listening(gateway.app, LIMITS) as served:
        client = await served.connect(4_096)
        await client.send(ASK % b"")
        came = b""
        while came.count(b'"hasNext"') <= taken:
            came += await client._reader.read(1_000)
        await until(lambda: served.held_bytes > 0)
        served.look()
        served.look(31)
        await served.until(0)
        await until(lambda: '"ended"' in gateway.log.getvalue())
    ended = json.loads(gateway.log.getvalue().splitlines()[-1])
    assert (ended["because"], ended["rows"]) == ("client", taken)


async def test_who_takes_no_page_in_time_is_cut_though_it_reads(gateway: Gateway) -> None:
    async with listening(gateway.app, LIMITS) as served:
        client = await served.connect(4_096)
        await client.send(ASK % b"")
        await until(lambda: served.held_bytes > 0)
        for _ in range(30):
            assert await client._reader.read(100)
            served.look(1)
        assert served.ended == []
        assert await client._reader.read(100)
        served.look(1)
        assert set(served.ended) == {"sending"}


async def test_who_reads_slowly_gets_it_all(gateway: Gateway) -> None:
    async with listening(gateway.app, LIMITS) as served:
        client = await served.connect(4_096)
        await client.send(ASK % b"")
        came = b""
        while data := await client._reader.read(20_000):
            came += data
            served.look(0.5)
            await asyncio.sleep(0.001)
        body, ended = unchunked(came.partition(b"\r\n\r\n")[2])
        assert ended
        assert len(rows_of(body)) == ROWS
        assert served.ended == []
