"""HTTP to the broker: of an httpx client as much as pinotdb's cursor asks for, on aiohttp's pool.

With an httpx client between them, that took as much CPU as all else about a statement.
"""

from __future__ import annotations

import json as json_text
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp

from gateway.errors import DeadlineExceededError, StoreUnavailableError

IDLE_S = 20.0


class Reply(Protocol):
    """What the broker sent back."""

    @property
    def content(self) -> bytes:
        """The body."""
        ...

    def raise_for_status(self) -> Any:
        """Raise `StoreUnavailableError` unless the status is a success."""
        ...


class BrokerSession(Protocol):
    """Connections to the broker, as pinotdb's cursor uses them."""

    @property
    def headers(self) -> dict[str, str]:
        """Headers of each request; the cursor sets the content type here."""
        ...

    async def post(
        self, url: str, *, json: Mapping[str, str], headers: Mapping[str, str], timeout_s: float
    ) -> Reply:
        """The reply within `timeout_s` seconds, or a `StoreError`."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


@dataclass(frozen=True, slots=True)
class BrokerReply:
    """A status and a body."""

    status: int
    content: bytes

    def raise_for_status(self) -> None:
        """Raise `StoreUnavailableError` unless the status is a success."""
        if not 200 <= self.status < 300:
            raise StoreUnavailableError(f"the broker answers with status {self.status}")


class AiohttpSession:
    """So many connections at most; nothing is connected to yet."""

    def __init__(self, connections: int) -> None:
        self.headers: dict[str, str] = {}
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections, keepalive_timeout=IDLE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )

    async def post(
        self, url: str, *, json: Mapping[str, str], headers: Mapping[str, str], timeout_s: float
    ) -> BrokerReply:
        """The reply within `timeout_s` seconds, or a `StoreError`."""
        try:
            async with self._session.post(
                url,
                data=json_text.dumps(json),
                headers={**self.headers, **headers},
                timeout=aiohttp.ClientTimeout(total=timeout_s),
                allow_redirects=False,
            ) as response:
                return BrokerReply(response.status, await response.read())
        except TimeoutError as error:
            raise DeadlineExceededError(f"no answer in {timeout_s:.3f} s") from error
        except (aiohttp.ClientError, RuntimeError) as error:  # the latter when it is closed
            raise StoreUnavailableError(f"the broker cannot be reached: {error!r}") from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._session.close()
