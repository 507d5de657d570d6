"""The second level: answers shared by processes, kept by aiocache in Redis.

aiocache has no bound, so what goes there is small and expires by itself. It does not keep many from
loading one thing, so it is only asked inside a flight. Its serializers decode text, so it is given
bytes. A command that it gives up may leave its reply to the next one, so every value names itself.
Its failures are never ours: past a short deadline an answer is made as if there were no second
level, and after a failure it is left alone for a while.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import orjson
from aiocache import RedisCache
from aiocache.serializers import NullSerializer
from redis.exceptions import RedisError

from gateway.clock import Monotonic
from gateway.response_cache.entry import Entry, etag_of

VERSION = 1
LARGEST_BYTES = 262_144
LEFT_ALONE_S = 1.0
MOST_WRITES = 64
EpochS = Callable[[], float]
Count = Callable[[str], None]


class SharedStore(Protocol):
    """Bytes by name, for a time."""

    async def get(self, key: str) -> bytes | None:
        """What is kept, if it is."""
        ...

    async def set(self, key: str, value: bytes, ttl: float) -> object:
        """Keep for `ttl` seconds."""
        ...

    async def close(self) -> object:
        """Give connections back."""
        ...


def redis_store(url: str, timeout_s: float) -> SharedStore:
    """The Redis of a URL, through aiocache; connects when it is first asked."""
    address = urlsplit(url)
    options: dict[str, Any] = {}
    if address.username:
        options["connection_pool_kwargs"] = {"username": unquote(address.username)}
    store: SharedStore = RedisCache(
        serializer=NullSerializer(encoding=None),
        namespace="gateway:answers",
        timeout=timeout_s,
        endpoint=address.hostname or "127.0.0.1",
        port=address.port or 6379,
        db=int(address.path.strip("/") or 0),
        password=unquote(address.password) if address.password else None,
        ssl=address.scheme == "rediss",
        create_connection_timeout=timeout_s,
        pool_max_size=MOST_WRITES * 2,
        **options,
    )
    return store


class SecondLevel:
    """Entries in a shared store; never the reason why an answer fails, or is late."""

    def __init__(
        self, store: SharedStore, monotonic: Monotonic, epoch_s: EpochS, count: Count
    ) -> None:
        self._store = store
        self._monotonic = monotonic
        self._epoch_s = epoch_s
        self._count = count
        self._left_alone_until_s = float("-inf")
        self._writing: set[asyncio.Task[None]] = set()

    async def get(self, name: str) -> Entry | None:
        """The entry of a name, as old as the two machines' clocks say."""
        content = await self._call(lambda: self._store.get(name))
        if content is None:
            return None
        found = decode(name, content, self._monotonic(), self._epoch_s())
        self._count("hit" if found is not None else "malformed")
        return found

    def put(self, name: str, entry: Entry) -> None:
        """Keep an entry, in the background."""
        if entry.size > LARGEST_BYTES or len(self._writing) >= MOST_WRITES:
            self._count("not_written")
            return
        now_s = self._monotonic()
        content = encode(name, entry, now_s, self._epoch_s())
        writing = asyncio.ensure_future(self._write(name, content, entry.rescue_until_s - now_s))
        self._writing.add(writing)
        writing.add_done_callback(self._writing.discard)

    async def close(self) -> None:
        """Finish what is being written, and close."""
        await asyncio.gather(*self._writing)
        await self._store.close()

    async def _write(self, name: str, content: bytes, ttl_s: float) -> None:
        await self._call(lambda: self._store.set(name, content, max(0.001, float(ttl_s))))

    async def _call(self, call: Callable[[], Awaitable[Any]]) -> Any:
        if self._monotonic() < self._left_alone_until_s:
            self._count("left_alone")
            return None
        try:
            return await call()
        except (RedisError, OSError, TimeoutError):
            self._count("failed")
            self._left_alone_until_s = self._monotonic() + LEFT_ALONE_S
            return None


def encode(name: str, entry: Entry, now_s: float, epoch_s: float) -> bytes:
    """An entry as bytes that other processes understand: its times on the machines' clock."""
    to_epoch = epoch_s - now_s
    head = {
        "version": VERSION,
        "name": name,
        "length": len(entry.body),
        "born_s": entry.born_s + to_epoch,
        "fresh_until_s": entry.fresh_until_s + to_epoch,
        "stale_until_s": entry.stale_until_s + to_epoch,
        "rescue_until_s": entry.rescue_until_s + to_epoch,
        "max_age_s": int(entry.max_age),
    }
    return orjson.dumps(head) + b"\n" + entry.body


def decode(name: str, content: bytes, now_s: float, epoch_s: float) -> Entry | None:
    """The entry that was kept under this name; `None` if these bytes are not one."""
    head_text, _, body = content.partition(b"\n")
    try:
        head = orjson.loads(head_text)
        if (head["version"], head["name"], head["length"]) != (VERSION, name, len(body)):
            return None
        to_monotonic = now_s - epoch_s
        # A clock that is behind the writer's must not make an entry live longer than it may.
        too_young_s = max(0.0, head["born_s"] - epoch_s)
        born_s, fresh_s, stale_s, rescue_s = (
            float(head[each]) + to_monotonic - too_young_s
            for each in ("born_s", "fresh_until_s", "stale_until_s", "rescue_until_s")
        )
        max_age = str(int(head["max_age_s"])).encode()
    except (ValueError, KeyError, TypeError):
        return None
    length = str(len(body)).encode()
    return Entry(body, length, etag_of(body), born_s, fresh_s, stale_s, rescue_s, max_age)
