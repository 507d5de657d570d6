"""The provider's keys by address: rotation under load, outages, and floods of unknown keys."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

import httpx
import pytest

from gateway.access.auth import jwks
from gateway.access.auth.key_source import (
    FETCH_TIMEOUT_S,
    MAX_BYTES,
    FileKeys,
    HttpFetch,
    RemoteKeys,
)
from gateway.access.auth.watched import WatchedFile
from gateway.process import logs
from tests.identity_provider import Clock, ed_key, key_set, public_jwk

pytestmark = pytest.mark.anyio


def published(*names: str) -> bytes:
    return key_set(*(public_jwk(ed_key(name), name) for name in names))


@dataclass
class Provider:
    """An identity provider's address; it answers when it is let."""

    content: bytes
    fetches: int = 0
    error: Exception | None = None
    open: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.open.set()

    async def __call__(self) -> bytes:
        self.fetches += 1
        await self.open.wait()
        if self.error is not None:
            raise self.error
        return self.content


async def settled() -> None:
    """Let what runs in the background go on until it waits or ends."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_flood_of_unknown_keys_asks_once_in_ten_seconds() -> None:
    clock, provider = Clock(0), Provider(published("a"))
    source = RemoteKeys(provider, clock.monotonic)
    assert await source.key("a")
    for second in range(100):
        clock.now_s = 10 + second / 10
        found = await asyncio.gather(*(source.key(f"unknown-{n}") for n in range(20)))
        assert found == [None] * 20
    assert provider.fetches == 2
    clock.now_s = 20.1
    assert await source.key("unknown") is None
    assert provider.fetches == 3


async def test_all_who_wait_for_the_first_keys_share_one_fetch() -> None:
    provider = Provider(published("a"))
    provider.open.clear()
    source = RemoteKeys(provider, Clock(0).monotonic)
    waiting = [asyncio.ensure_future(source.key("a")) for _ in range(50)]
    await settled()
    waiting[0].cancel()
    provider.open.set()
    found = await asyncio.gather(*waiting[1:])
    assert all(found)
    assert provider.fetches == 1


async def test_a_rotation_under_load_rejects_nobody() -> None:
    """Keys overlap as a provider publishes them: old, old and new, new; tokens follow each step."""
    clock, provider = Clock(0), Provider(published("old"))
    source = RemoteKeys(provider, clock.monotonic)
    assert await source.key("old")
    rejected = 0
    for second in range(1, 400):
        clock.now_s = second
        if second == 100:
            provider.content = published("old", "new")
        if second == 300:
            provider.content = published("new")
        signed_by = "old" if second < 200 else "new"
        found = await asyncio.gather(*(source.key(signed_by) for _ in range(10)))
        rejected += sum(key is None for key in found)
    assert rejected == 0
    assert await source.key("old") is None
    assert provider.fetches < 400 / 10
    assert source.version == 3


async def test_a_key_published_a_moment_ago_is_found_at_its_first_use() -> None:
    clock, provider = Clock(0), Provider(published("old"))
    source = RemoteKeys(provider, clock.monotonic)
    assert await source.key("old")
    provider.content = published("old", "new")
    clock.now_s = 10
    assert all(await asyncio.gather(*(source.key("new") for _ in range(10))))


async def test_known_keys_serve_while_newer_ones_are_fetched() -> None:
    clock, provider = Clock(0), Provider(published("a"))
    source = RemoteKeys(provider, clock.monotonic)
    await source.key("a")
    provider.open.clear()
    clock.now_s = 61
    async with asyncio.timeout(10):
        assert await source.key("a")
    await settled()
    assert await source.key("a")
    assert provider.fetches == 2
    provider.open.set()
    await settled()


async def test_a_key_that_was_removed_long_ago_is_not_believed_once_more() -> None:
    clock, provider = Clock(0), Provider(published("a"))
    source = RemoteKeys(provider, clock.monotonic)
    assert await source.key("a")
    provider.content = published("b")
    clock.now_s = 121
    assert await source.key("a") is None


@pytest.mark.parametrize(
    "broken",
    [b"<html>", b"[]", b'{"keys": []}', b'{"keys": 7}', b"\xff", b"[" * 60_000, None],
)
async def test_an_outage_keeps_the_last_keys_for_an_hour(broken: bytes | None) -> None:
    clock, provider = Clock(0), Provider(published("a"))
    source = RemoteKeys(provider, clock.monotonic)
    assert not source.fails
    assert await source.key("a")
    if broken is None:
        provider.error = OSError("unreachable")
    else:
        provider.content = broken
    assert not source.fails
    for minute in range(1, 61):
        clock.now_s = minute * 60
        assert await source.key("a")
        await settled()
    assert source.fails
    clock.now_s = 3_601
    assert await source.key("a") is None
    provider.content, provider.error = published("a"), None
    clock.now_s = 3_620
    assert await source.key("a")
    assert not source.fails


async def test_known_keys_are_fetched_anew_after_a_minute_and_waited_for_after_two() -> None:
    clock, provider = Clock(0), Provider(published("a"))
    source = RemoteKeys(provider, clock.monotonic)
    await source.key("a")
    clock.now_s = 60
    await source.key("a")
    await settled()
    assert provider.fetches == 1
    provider.content = published("b")
    clock.now_s = 120
    assert await source.key("a"), "not waited for yet"
    await settled()
    assert provider.fetches == 2
    assert await source.key("a") is None


async def test_an_outage_is_logged_with_a_bounded_cause() -> None:
    told = StringIO()
    logs.configure("info", told)
    provider = Provider(b"", error=OSError("x" * 300))
    assert await RemoteKeys(provider, Clock(0).monotonic).key("a") is None
    (line,) = map(json.loads, told.getvalue().splitlines())
    assert (line["event"], line["level"], line["cause"]) == (
        "jwks_not_fetched",
        "warning",
        "x" * 200,
    )


async def test_keys_of_a_file_are_those_of_its_last_look(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(published("a"))
    source = FileKeys(WatchedFile(path, jwks.parse))
    found = await source.key("a")
    assert found is not None
    assert await source.key("b") is None


async def in_parts(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@pytest.mark.parametrize(
    "response",
    [
        lambda: httpx.Response(500),
        lambda: httpx.Response(302, headers={"location": "https://evil.example/"}),
        lambda: httpx.Response(200, content=in_parts(b" " * (MAX_BYTES + 1))),
        lambda: httpx.Response(200, content=in_parts(b" " * MAX_BYTES, b" ")),
    ],
)
async def test_only_a_plain_and_short_answer_is_taken(
    response: Callable[[], httpx.Response],
) -> None:
    transport = httpx.MockTransport(lambda _: response())
    fetch = HttpFetch("https://id.example/jwks.json", transport)
    with pytest.raises(OSError, match="the provider"):
        await fetch()
    await fetch.close()


async def test_what_the_provider_serves_is_fetched_and_a_dead_one_is_an_outage() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    # As long as may be.
    whole = published("a").ljust(MAX_BYTES)

    def serve(request: httpx.Request) -> httpx.Response:
        assert (request.method, str(request.url)) == ("GET", "https://id.example/keys")
        assert set(request.extensions["timeout"].values()) == {FETCH_TIMEOUT_S}
        return httpx.Response(200, content=in_parts(whole[:10], whole[10:]))

    served = httpx.MockTransport(serve)
    fetch = HttpFetch("https://id.example/keys", served)
    assert await fetch() == whole
    await fetch.close()
    dead = HttpFetch("https://id.example/", httpx.MockTransport(refuse))
    with pytest.raises(OSError, match="does not answer"):
        await dead()
    await dead.close()
