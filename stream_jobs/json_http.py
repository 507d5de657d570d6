"""JSON over one kept-alive HTTP connection; standard library only."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit


class JsonHttpError(Exception):
    """The other side did not answer, or not with a JSON document and a 2xx status."""


class JsonHttp:
    """A connection to `url` (scheme, host and port); every call ends within about `timeout_s`."""

    def __init__(
        self, url: str, timeout_s: float = 5.0, headers: Mapping[str, str] | None = None
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"not an http address: {url}")
        sent = {"Accept": "application/json", "Content-Type": "application/json"}
        self._headers = {**sent, **(headers or {})}
        self._url = f"http://{parts.netloc}"
        self._connection = http.client.HTTPConnection(
            parts.hostname, parts.port or 80, timeout=timeout_s
        )

    def get(self, path: str) -> Any:
        """The document at `path`."""
        return self._call("GET", path, None)

    def post(self, path: str, body: object, parse_float: Callable[[str], object] = float) -> Any:
        """The answer to `body` as JSON; `parse_float` keeps the digits that a float would lose."""
        return self._call("POST", path, json.dumps(body).encode(), parse_float)

    def _call(
        self,
        method: str,
        path: str,
        body: bytes | None,
        parse_float: Callable[[str], object] = float,
    ) -> Any:
        reused = self._connection.sock is not None
        try:
            return self._once(method, path, body, parse_float)
        except (OSError, http.client.HTTPException) as failure:
            self._connection.close()
            if not reused or isinstance(failure, TimeoutError):
                raise JsonHttpError(f"{method} {self._url}{path}: {failure!r}") from None
        try:  # The other side had closed the idle connection: once more on a new one.
            return self._once(method, path, body, parse_float)
        except (OSError, http.client.HTTPException) as failure:
            self._connection.close()
            raise JsonHttpError(f"{method} {self._url}{path}: {failure!r}") from None

    def _once(
        self, method: str, path: str, body: bytes | None, parse_float: Callable[[str], object]
    ) -> Any:
        self._connection.request(method, path, body, self._headers)
        response = self._connection.getresponse()
        content = response.read()
        if not 200 <= response.status < 300:
            said = content[:300].decode("utf-8", "replace")
            raise JsonHttpError(f"{method} {self._url}{path}: HTTP {response.status}: {said}")
        try:
            return json.loads(content, parse_float=parse_float)
        except ValueError as failure:
            raise JsonHttpError(f"{method} {self._url}{path}: {failure}") from None
