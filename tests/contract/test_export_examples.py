"""The examples of docs/export.md, as they stand there, against a gateway that listens."""

from __future__ import annotations

import asyncio
import re
import shlex
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise

import pytest

from gateway.analytics.model import Direction
from gateway.settings import Settings
from local_stack.settings import CHECKOUT
from tests.unit.gateway.exported import paid, rows_of_csv
from tests.unit.gateway.process.listening import Listening, listening
from tests.unit.gateway.served import Gateway, HeldStore

pytestmark = pytest.mark.anyio
PAGE = (CHECKOUT / "docs" / "export.md").read_text()
ACCOUNT = "acct-000001"
ROWS = 100
DATA = [
    replace(each, account_id=ACCOUNT) for each in paid(ROWS) if each.direction is Direction.RECEIVED
]


def block(language: str) -> str:
    """The one block of code in a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)
    return str(found)


@pytest.fixture
async def served(anyio_backend: str) -> AsyncIterator[Listening]:
    """It breaks each export off behind 30 rows."""
    gateway = Gateway(Settings(export_rows=30, export_page_rows=7), HeldStore(DATA))
    async with listening(gateway.app) as made:
        yield made


@asynccontextmanager
async def cutting(port: int, cuts: Iterable[int]) -> AsyncIterator[int]:
    """A port that hands on what the gateway answers, of one request after the other only so many bytes of the body."""
    left = iter(cuts)

    async def hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asking, asked = await asyncio.open_connection("127.0.0.1", port)
        asked.write(await reader.readuntil(b"\r\n\r\n"))
        head = await asking.readuntil(b"\r\n\r\n")
        body = await asking.read()
        writer.write(head + body[: next(left, None)])
        for each in (writer, asked):
            each.close()
            await each.wait_closed()

    server = await asyncio.start_server(hand_on, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
    assert next(left, None) is None, "all were cut"


async def test_the_program_has_all_rows_though_responses_break_off(served: Listening) -> None:
    await has_all_rows(served.port)


async def test_it_has_them_though_chunks_are_cut(served: Listening) -> None:
    async with cutting(served.port, [2, 100, 1_000, 3_333]) as port:
        await has_all_rows(port)


async def has_all_rows(port: int) -> None:
    """The program asks there, and does not wait before it asks again."""
    program = block("python").replace("127.0.0.1:8000", f"127.0.0.1:{port}")
    assert program.count("time.sleep(5)") == 1
    program = program.replace("time.sleep(5)", "time.sleep(0)")
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    told, wrong = await asyncio.wait_for(running.communicate(), 60)
    assert wrong == b""
    lines = [line.split() for line in told.decode().splitlines()]
    assert [(who, amount) for _, _, who, amount in lines] == [
        ("bob", str(number + 1)) for number in range(ROWS)
    ]


async def test_what_curl_is_told_is_answered(served: Listening) -> None:
    words = shlex.split(block("sh"))
    said = [value for word, value in pairwise(words) if word == "-d"]
    client = await served.connect()
    path = f"/export/transactions?{'&'.join(said)}&minAmount=94"
    assert any(word.endswith(path.partition("?")[0]) for word in words)
    await client.send(f"GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())
    came = await client.answer()
    assert came.status == 200
    assert came.headers["content-type"].startswith("text/csv")
    assert [row["amount"] for row in rows_of_csv(came.body)] == [str(n) for n in range(94, 101)]
