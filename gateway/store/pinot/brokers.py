"""Several brokers that answer alike: statements go to those that answer, in turn; who hangs is found out beside them.

A broker that is gone refuses a connection at once. One that stands still takes every statement and answers none, so
each is asked for its health all the while, and what it holds when it is found out is asked again elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from gateway.errors import StoreUnavailableError
from gateway.process import logs
from gateway.store.pinot.broker_session import BrokerReply, BrokerSession

LOOK_EVERY_S = 0.5
LOOK_LIMIT_S = 1.0
MISSES = 2
"""A broker that misses so many looks in a row is asked nothing, as long as another is not as silent."""


class Connections(BrokerSession, Protocol):
    """A session that can also ask whether anybody is there."""

    async def answers(self, url: str, timeout_s: float) -> bool:
        """Whether a GET is answered with 200 within `timeout_s` seconds."""
        ...


@dataclass(slots=True)
class _Broker:
    url: str
    session: Connections
    misses: int = 0
    is_cut: bool = False
    """What waited there when it was found away has failed, and nothing was asked there since it was away."""

    @property
    def is_away(self) -> bool:
        return self.misses >= MISSES


class Brokers:
    """A `BrokerSession` to one of several; `connect` makes the connections to one of them."""

    def __init__(
        self,
        urls: list[str],
        connect: Callable[[], Connections],
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._connect = connect
        self._look_every_s = look_every_s
        self._brokers = [_Broker(url, connect()) for url in urls]
        # Connections of its own: a look must not queue behind statements.
        self._looking = connect()
        self._turn = itertools.count()
        self._watching: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look after them."""
        self._watching = asyncio.create_task(self._watch())

    async def post(
        self, url: str, *, json: Mapping[str, str], headers: Mapping[str, str], timeout_s: float
    ) -> BrokerReply:
        """The reply of one of them within `timeout_s` seconds, or a `StoreError`; the host in `url` is no matter."""
        broker = self._next()
        try:
            return await broker.session.post(
                broker.url + urlsplit(url).path, json=json, headers=headers, timeout_s=timeout_s
            )
        except StoreUnavailableError:
            broker.misses = max(broker.misses, MISSES)  # until it answers a look
            raise

    async def aclose(self) -> None:
        """Look no more and close the connections."""
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
        for session in (self._looking, *(each.session for each in self._brokers)):
            await session.aclose()

    def _next(self) -> _Broker:
        least = min(each.misses for each in self._brokers)
        # If all are away, who has been for the shortest time is most likely slow, not gone.
        there = [each for each in self._brokers if each.misses <= max(least, MISSES - 1)]
        return there[next(self._turn) % len(there)]

    async def _watch(self) -> None:
        while True:
            looks = (self._look(each) for each in self._brokers)
            for failure in await asyncio.gather(*looks, return_exceptions=True):
                # Whatever a look fails for, the next ones must go on.
                if isinstance(failure, Exception):
                    logs.logger().error("look_failed", error=logs.described(failure))
            await asyncio.sleep(self._look_every_s)

    async def _look(self, broker: _Broker) -> None:
        """Ask one whether it is there."""
        if await self._looking.answers(f"{broker.url}/health", LOOK_LIMIT_S):
            broker.misses, broker.is_cut = 0, False
            return
        broker.misses += 1
        others = any(not each.is_away for each in self._brokers)
        if broker.is_away and others and not broker.is_cut:
            broker.is_cut = True
            # What waits there fails at once, as if the broker had died, and is asked again elsewhere.
            silent, broker.session = broker.session, self._connect()
            await silent.aclose()
