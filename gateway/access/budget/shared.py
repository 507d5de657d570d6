"""Buckets that all gateways share, in Redis: taken from in small leases, so that few charges wait.

By redis-py itself: aiocache, which shares answers, has nothing that looks, takes and answers in one step.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from redis import asyncio as redis

from gateway.access.budget.balance import Balance, Rate, balance
from gateway.access.budget.local import MAX_SUBJECTS, LocalBudget
from gateway.process import logs
from gateway.process.clock import Monotonic
from gateway.process.redis_tls import NO_FILES, RedisTls

SCRIPT = (Path(__file__).parent / "take.lua").read_text("utf-8")
TIMEOUT_S = 0.1
"""A charge waits for Redis at most this long."""

RETRY_S = 1.0
"""After a failure Redis is left alone this long."""

CONNECTIONS = 16
"""More charges at once than this wait for a connection instead of opening one each."""

LEASE_S = 1.0
LEASE_SHARE = 0.1
"""A lease is up to the points of this part of a second, and ends after `LEASE_S`."""


@dataclass(slots=True)
class _Lease:
    """Points taken from the shared bucket, to be spent here; `left` is what the bucket had then."""

    tokens: float
    until_s: float
    left: float


class SharedBudget:
    """Charges shared buckets; while Redis is away, local ones of the same rate."""

    def __init__(
        self,
        rate: Rate,
        client: redis.Redis,
        monotonic: Monotonic,
        count: Callable[[str], None],
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._rate = rate
        self._timeout_s = timeout_s
        self._client = client
        self._monotonic = monotonic
        self._count = count
        self._local = LocalBudget(rate, monotonic)
        self._leases: OrderedDict[str, _Lease] = OrderedDict()
        self._take = client.register_script(SCRIPT)
        self._away_until_s = 0.0
        self._told = False

    def charge(self, subject: str, cost: int) -> Balance | Awaitable[Balance]:
        """Out of a lease at once, else out of Redis."""
        if not self._rate.limited:
            return Balance(cost)
        now_s = self._monotonic()
        lease = self._leases.get(subject)
        if lease is not None and lease.until_s > now_s and lease.tokens >= cost:
            lease.tokens -= cost
            self._count("lease")
            return balance(self._rate, cost, lease.left + lease.tokens, granted=True)
        if now_s < self._away_until_s:
            return self._locally(subject, cost)
        return self._ask(subject, cost)

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()

    async def _ask(self, subject: str, cost: int) -> Balance:
        lease = self._leases.pop(subject, None)
        now_s = self._monotonic()
        # What is left of a lease that ended has flowed in again elsewhere: only a live one counts.
        back = lease.tokens if lease is not None and lease.until_s > now_s else 0.0
        rate, price = self._rate, min(cost, self._rate.burst)
        wanted = max(0, int(rate.per_s * LEASE_SHARE))
        try:
            async with asyncio.timeout(self._timeout_s):
                granted, extra, left = await self._take(
                    keys=[key_of(subject)], args=[rate.per_s, rate.burst, price, wanted, back]
                )
            lease = _Lease(float(extra), now_s + LEASE_S, float(left))
            made = balance(rate, cost, lease.left + lease.tokens, granted=int(granted) > 0)
        except Exception as error:  # noqa: BLE001 # whatever answers there, no charge fails of it
            self._went_away(error)
            return self._locally(subject, cost)
        self._came_back()
        self._count("asked")
        if lease.tokens:
            self._keep(subject, lease)
        return made

    def _keep(self, subject: str, lease: _Lease) -> None:
        other = self._leases.get(subject)
        if other is not None:  # of a charge that was under way at the same time
            lease.tokens += other.tokens
        self._leases[subject] = lease
        if len(self._leases) > MAX_SUBJECTS:
            self._leases.popitem(last=False)

    def _locally(self, subject: str, cost: int) -> Balance:
        self._count("fallback")
        return self._local.charge(subject, cost)

    def _went_away(self, error: Exception) -> None:
        self._away_until_s = self._monotonic() + RETRY_S
        if not self._told:
            self._told = True
            logs.logger().warning("budget_redis_away", cause=type(error).__name__)

    def _came_back(self) -> None:
        if self._told:
            self._told = False
            logs.logger().info("budget_redis_back")


def key_of(subject: str) -> str:
    """The bucket's key: a digest, as a subject may be of any length and form."""
    return f"gateway:budget:{hashlib.sha256(subject.encode()).hexdigest()[:32]}"


def connect(url: str, timeout_s: float = TIMEOUT_S, tls: RedisTls = NO_FILES) -> redis.Redis:
    """A client that gives up quickly; nothing is connected yet."""
    pool = redis.BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS,
        timeout=timeout_s,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        **tls.options(url),
    )
    return redis.Redis.from_pool(pool)
