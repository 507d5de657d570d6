"""HTTP to the broker: of an httpx client as much as pinotdb's cursor asks for, on aiohttp's pool.

With an httpx client, on which pinotdb's own connection insists, a statement takes five times the CPU.
"""

from __future__ import annotations

import json as json_text
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp

from gateway.errors import DeadlineExceededError, StoreUnavailableError
from gateway.store.pinot.broker_access import BrokerAccess

IDLE_S = 20.0


@dataclass(slots=True)
class BrokerReply:
    """What the broker sent back; `rows` once it was read as JSON."""

    status_code: int
    content: bytes
    rows: Any = field(default=(), init=False)

    @property
    def text(self) -> str:
        """The body as text, whatever it is."""
        return self.content.decode(errors="replace")

    def raise_for_status(self) -> None:
        """Raise `StoreUnavailableError` unless the status is a success."""
        if not 200 <= self.status_code < 300:
            raise StoreUnavailableError(f"the broker answers with status {self.status_code}")

    def json(self) -> Any:
        """The body without its rows, which pinotdb would copy three times, cell by cell."""
        payload = exact_json(self.content)
        table = payload.get("resultTable") if isinstance(payload, dict) else None
        if isinstance(table, dict):
            self.rows, table["rows"] = table.get("rows"), []
        return payload


class BrokerSession(Protocol):
    """Connections to the broker."""

    async def post(
        self, url: str, *, json: Mapping[str, str], headers: Mapping[str, str], timeout_s: float
    ) -> BrokerReply:
        """The reply within `timeout_s` seconds, or a `StoreError`."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


class AiohttpSession:
    """So many connections at most; nothing is connected to yet."""

    def __init__(self, connections: int, access: BrokerAccess | None = None) -> None:
        self._access = access or BrokerAccess()
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
                headers={**headers, **self._access.headers()},
                ssl=self._access.tls(),
                timeout=aiohttp.ClientTimeout(total=timeout_s),
                allow_redirects=False,
            ) as response:
                if response.status in (401, 403):
                    raise StoreUnavailableError(f"the broker refuses {self._access.who}")
                return BrokerReply(response.status, await response.read())
        except TimeoutError as error:
            raise DeadlineExceededError(f"no answer in {timeout_s:.3f} s") from error
        except (aiohttp.ClientError, RuntimeError) as error:  # the latter when it is closed
            raise StoreUnavailableError(f"the broker cannot be reached: {_kind(error)}") from error

    async def answers(self, url: str, timeout_s: float) -> bool:
        """Whether a GET is answered with 200 within `timeout_s` seconds."""
        try:
            async with self._session.get(
                url,
                ssl=self._access.tls(),
                timeout=aiohttp.ClientTimeout(total=timeout_s),
                allow_redirects=False,
            ) as response:
                return response.status == 200
        except (TimeoutError, aiohttp.ClientError, RuntimeError, StoreUnavailableError):
            return False

    async def aclose(self) -> None:
        """Close the connections."""
        await self._session.close()


def _kind(error: Exception) -> str:
    """What went wrong, without what the broker has sent: that may be quoted in an error's words."""
    name = type(error).__name__
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        cause = error.certificate_error
        return (
            f"its certificate is refused: {getattr(cause, 'verify_message', type(cause).__name__)}"
        )
    return f"{name} ({error.strerror})" if isinstance(error, OSError) and error.strerror else name


def exact_json(content: bytes) -> Any:
    """JSON with fractions as their text, but in columns of doubles as the doubles they are."""
    payload = json_text.loads(content, parse_float=str)
    table = payload.get("resultTable") if isinstance(payload, dict) else None
    if not isinstance(table, dict):
        return payload
    types = table.get("dataSchema", {}).get("columnDataTypes", ())
    for column, name in enumerate(types):
        if name in ("DOUBLE", "FLOAT"):
            for row in table.get("rows", ()):
                if not isinstance(row[column], bool):
                    row[column] = float(row[column])
    return payload
