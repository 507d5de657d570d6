"""Serves one contestant: `python -m tests.load.gateway.servers NAME … PORT`, all with the same server settings."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import httpx
import orjson
from starlette.types import ASGIApp

from gateway import settings as gateway_settings
from gateway.app import create_app
from gateway.process.clock import EpochMs, system_epoch_ms
from tests.load.gateway import mix, rivals
from tests.load.gateway.stub_store import NOW_MS, StubStore
from tests.load.serving import serve

NAMES = ("ours", "constant", "strawberry", "strawberry-cached")


def main() -> int:
    """Serve until stopped."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--store-ms", type=float, default=0.0)
    parser.add_argument("--places", type=int, default=0)
    parser.add_argument("--fixed-clock", action="store_true")
    parser.add_argument("port", type=int)
    options = parser.parse_args()
    store = StubStore(options.store_ms / 1000, options.places)
    epoch_ms = _fixed if options.fixed_clock else system_epoch_ms
    serve(_app(options.name, store, epoch_ms), options.port)
    return 0


def _app(name: str, store: StubStore, epoch_ms: EpochMs) -> ASGIApp:
    if name == "ours":
        keys = {gateway_settings.variable("signing_keys"): rivals.SIGNING_KEY}
        settings = gateway_settings.read({**os.environ, **keys})
        return create_app(settings, store, epoch_ms=epoch_ms)
    if name == "constant":
        return rivals.constant_app(asyncio.run(_answer(mix.body("top_senders", mix.LAST_30_DAYS))))
    return rivals.strawberry_app(store, epoch_ms, caches=name == "strawberry-cached")


async def _answer(body: dict[str, Any]) -> bytes:
    """Our own answer in this process, to be sent as a constant."""
    store = StubStore()
    await store.open()
    app = create_app(gateway_settings.Settings(log_level="error"), store, epoch_ms=_fixed)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://localhost"
    ) as client:
        answer = await client.post("/graphql", content=orjson.dumps(body), headers=_JSON)
    return answer.content


_JSON = {"content-type": "application/json"}


def _fixed() -> int:
    return NOW_MS


def command(name: str, *flags: str) -> list[str]:
    """The command that serves a contestant."""
    return [sys.executable, "-P", "-m", "tests.load.gateway.servers", name, *flags, "{port}"]


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    sys.exit(main())
