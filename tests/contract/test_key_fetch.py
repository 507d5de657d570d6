"""The provider's keys over a real socket: whatever proxy the environment names is not asked."""

from __future__ import annotations

import asyncio

import pytest

from gateway.auth.key_source import HttpFetch

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
