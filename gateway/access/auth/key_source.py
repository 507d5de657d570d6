"""Where the provider's keys come from: a file, or an address that is asked seldom and survives outages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import httpx

from gateway.access.auth import jwks
from gateway.access.auth.jwks import KeySet, PinnedKey
from gateway.access.auth.watched import WatchedFile
from gateway.process import logs
from gateway.process.clock import Monotonic

FETCH_TIMEOUT_S = 2.0
MAX_BYTES = 262_144

Fetch = Callable[[], Awaitable[bytes]]
"""The key set as the provider serves it; raises `OSError` or `ValueError`."""


class KeySource(Protocol):
    """Finds a key by its id. `version` grows with every change of the keys.

    `fails`: whether keys could not be had at the last try, so that those of before serve.
    """

    version: int
    fails: bool

    async def key(self, key_id: str) -> PinnedKey | None:
        """The key, if the provider has one of that id."""
        ...


class FileKeys:
    """Keys of a file, as they were at the authenticator's last look."""

    version = 0
    fails = False
    """What a file says is told of all files alike."""

    def __init__(self, file: WatchedFile[KeySet]) -> None:
        self._file = file

    async def key(self, key_id: str) -> PinnedKey | None:
        """The key in the file."""
        return self._file.content.get(key_id)


class RemoteKeys:
    """Keys of an address.

    Once known keys are `fresh_s` old, newer ones are fetched while these serve; at twice that age
    they are waited for. An unknown id fetches, too. Fetches are `floor_s` apart or more, and all who
    wait share one. While the address fails, the last keys serve for `keep_s`.
    """

    def __init__(
        self,
        fetch: Fetch,
        monotonic: Monotonic,
        fresh_s: float = 60,
        floor_s: float = 10,
        keep_s: float = 3_600,
    ) -> None:
        self._fetch = fetch
        self._monotonic = monotonic
        self._fresh_s, self._floor_s, self._keep_s = fresh_s, floor_s, keep_s
        self._keys: KeySet = {}
        self._content = b""
        self._fetched_s = self._tried_s = float("-inf")
        self._fetching: asyncio.Task[None] | None = None
        self.version = 0
        self.fails = False

    async def key(self, key_id: str) -> PinnedKey | None:
        """The key; waits for a fetch only if the id is unknown, or the keys are old."""
        age_s, known = self._age_s(), self._known(key_id)
        fetching = self._refresh() if known is None or age_s > self._fresh_s else None
        if fetching is not None and (known is None or age_s > 2 * self._fresh_s):
            await asyncio.shield(fetching)
            known = self._known(key_id)
        return known

    def _known(self, key_id: str) -> PinnedKey | None:
        return self._keys.get(key_id) if self._age_s() <= self._keep_s else None

    def _age_s(self) -> float:
        return self._monotonic() - self._fetched_s

    def _refresh(self) -> asyncio.Task[None] | None:
        if self._fetching is not None:
            return self._fetching
        if self._monotonic() - self._tried_s < self._floor_s:
            return None
        self._tried_s = self._monotonic()
        self._fetching = asyncio.ensure_future(self._fetch_once())
        return self._fetching

    async def _fetch_once(self) -> None:
        try:
            content = await self._fetch()
            keys = jwks.parse(content)
        except Exception as error:  # noqa: BLE001 # whatever is fetched, the last keys serve on
            logs.logger().warning("jwks_not_fetched", cause=str(error)[:200])
            self.fails = True
            return
        finally:
            self._fetching = None
        self.fails = False
        self._fetched_s = self._monotonic()
        if content != self._content:
            self._keys, self._content = keys, content
            self.version += 1


class HttpFetch:
    """Fetches a key set over HTTP: no redirects, no proxies of the environment, a bound on its size and time.

    `timeout_s` is for all of it, however often a byte comes.
    """

    def __init__(
        self,
        address: str,
        transport: httpx.AsyncBaseTransport | None = None,
        timeout_s: float = FETCH_TIMEOUT_S,
    ) -> None:
        self._address = address
        self._timeout_s = timeout_s
        self._client = httpx.AsyncClient(
            transport=transport,
            timeout=timeout_s,
            trust_env=False,
            # What is packed would be unpacked before its size is known.
            headers={"accept-encoding": "identity"},
        )

    async def __call__(self) -> bytes:
        """The body of a 200."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._body()
        except TimeoutError:
            raise OSError(f"the provider does not answer within {self._timeout_s:g} s") from None
        except httpx.HTTPError as error:
            raise OSError(f"the provider does not answer ({type(error).__name__})") from error

    async def _body(self) -> bytes:
        async with self._client.stream("GET", self._address) as response:
            if response.status_code != 200:
                raise OSError(f"the provider answered {response.status_code}")
            body = b""
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise OSError(f"the provider's keys have over {MAX_BYTES} bytes")
            return body

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
