"""The provider's keys over a real socket: whatever proxy the environment names is not asked, and drops are not waited for."""

from __future__ import annotations

import asyncio
import gzip
from itertools import count

import pytest

from gateway.access.auth.key_source import HttpFetch

pytestmark = pytest.mark.anyio

KEYS = b'{"keys": []}'


async def test_no_proxy_of_the_environment_gets_between_the_gateway_and_the_keys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(KEYS), KEYS))
        await writer.drain()
        writer.close()

    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        fetch = HttpFetch(f"http://127.0.0.1:{port}/jwks.json")
        assert await fetch() == KEYS
        await fetch.close()
    assert asked == [b"GET /jwks.json HTTP/1.1\r\n"]


@pytest.mark.parametrize("where", ["head", "body", "chunks"])
async def test_a_provider_that_sends_in_drops_is_not_waited_for(where: str) -> None:
    """Each drop comes in good time; all of them never do."""
    beginning = {
        "head": b"HTTP/1.1 200 OK\r\n",
        "body": b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    }[where]
    drop = {"head": b"a: b\r\n", "body": b" ", "chunks": b"1\r\n \r\n"}[where]
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        try:
            writer.write(beginning)
            for _ in count():
                writer.write(drop)
                await writer.drain()
                await asyncio.sleep(0.02)
        except ConnectionError:
            gone.set()
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        fetch = HttpFetch(f"http://127.0.0.1:{port}/jwks.json", timeout_s=0.2)
        with pytest.raises(OSError, match="does not answer within"):
            await fetch()
        async with asyncio.timeout(60):
            await gone.wait()
        await fetch.close()


async def test_packed_keys_are_not_asked_for_and_not_unpacked() -> None:
    packed = gzip.compress(b" " * 10_000_000)
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
        writer.write(head % len(packed) + packed)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        fetch = HttpFetch(f"http://127.0.0.1:{port}/jwks.json")
        assert await fetch() == packed
        await fetch.close()
    assert b"accept-encoding: identity\r\n" in asked[0].lower()
