"""The shared store in Redis, through aiocache; its connections know users, TLS and a server's own name."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from aiocache import RedisCache
from aiocache.serializers import NullSerializer

from gateway.process.redis_tls import RedisTls
from gateway.response_cache.second_level import MOST_WRITES, Found


@dataclass(frozen=True, slots=True)
class RedisStore:
    """Bytes by name in Redis; what takes over `timeout_s` raises `TimeoutError`."""

    cache: Any
    timeout_s: float

    async def get(self, key: str, most_bytes: int) -> Found:
        """Both in one round trip, and no more of a value than is asked for: others may write there.

        aiocache's own reading is of whole values, and tells no time.
        """
        async with asyncio.timeout(self.timeout_s):
            pipeline = self.cache.client.pipeline(transaction=False)
            pipeline.getrange(self.cache.build_key(key), 0, most_bytes - 1)
            pipeline.time()
            content, (seconds, microseconds) = await pipeline.execute()
            if not isinstance(content, bytes):
                raise TypeError("Redis answers something else than was asked")
            return Found(content, seconds + microseconds / 1e6)

    async def set(self, key: str, value: bytes, ttl: float) -> object:
        """Keep for `ttl` seconds."""
        return await self.cache.set(key, value, ttl)

    async def close(self) -> object:
        """Give connections back."""
        return await self.cache.client.aclose()  # its own `close` warns of what it calls


def redis_store(url: str, timeout_s: float, tls: RedisTls) -> RedisStore:
    """The Redis of a URL, which aiocache's own reading of URLs would not take: users, TLS.

    Bytes go as they are: its serializers would decode text. It connects when it is first asked.
    """
    address = urlsplit(url)
    options = tls.options(url)
    if address.username:
        options["username"] = unquote(address.username)
    cache = RedisCache(
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
        connection_pool_kwargs=options,
    )
    return RedisStore(cache, timeout_s)
