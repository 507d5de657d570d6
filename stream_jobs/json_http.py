"""JSON over one kept-alive HTTP connection; standard library only."""

from __future__ import annotations

import http.client
import json
import shutil
import ssl
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from stream_jobs.http_access import NOBODY, HttpAccess, pinot_access
from stream_jobs.secret_files import AccessError

ACCESS_DENIED = 180
CHUNK_BYTES = 1 << 20
# Between the parts of a form; no packed file holds it.
BOUNDARY = "c4f0a5d2b8e94f6b9a1d7e3c5b2f8a60"


class JsonHttpError(Exception):
    """The other side did not answer, or not with a JSON document and a 2xx status.

    `answer`: the document that came with another status, if one did. `is_answer`: another one would say the same.
    """

    answer: Any = None
    is_answer = False


class JsonHttp:
    """A connection to `url` (scheme, host and port); every call ends within about `timeout_s`.

    Over https the certificate must name the host, and be from whom `access` believes.
    """

    def __init__(
        self,
        url: str,
        timeout_s: float = 5.0,
        headers: Mapping[str, str] | None = None,
        access: HttpAccess = NOBODY,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"not an http or https address: {url}")
        if parts.username or parts.password:
            raise ValueError(f"a password in the address would be logged: {parts.hostname}")
        sent = {"Accept": "application/json", "Content-Type": "application/json"}
        self._headers = {**sent, **(headers or {})}
        self._url = f"{parts.scheme}://{parts.netloc}"
        self._access = access
        self._is_tls = parts.scheme == "https"
        self._place = parts.hostname, parts.port or (443 if self._is_tls else 80), timeout_s
        self._connection = self._fresh()

    def _fresh(self) -> http.client.HTTPConnection:
        host, port, timeout_s = self._place
        if not self._is_tls:
            return http.client.HTTPConnection(host, port, timeout=timeout_s)
        return http.client.HTTPSConnection(
            host, port, timeout=timeout_s, context=self._access.tls()
        )

    def close(self) -> None:
        """Give the connection back; the next call makes another."""
        self._connection.close()

    def get(self, path: str) -> Any:
        """The document at `path`."""
        return self._call("GET", path, None)

    def post(self, path: str, body: object, parse_float: Callable[[str], object] = float) -> Any:
        """The answer to `body` as JSON; `parse_float` keeps the digits that a float would lose."""
        return self._call("POST", path, json.dumps(body).encode(), parse_float)

    def download(self, path: str, into: Path) -> None:
        """Write the bytes at `path` into a file."""
        self._connection.close()  # it may have been idle for longer than the other side keeps it
        try:
            response = self._answer("GET", path, None, {"Accept": "application/octet-stream"})
            with into.open("wb") as file:
                shutil.copyfileobj(response, file, CHUNK_BYTES)
        except (OSError, http.client.HTTPException) as failure:
            self._connection.close()
            raise JsonHttpError(f"GET {self._url}{path}: {told(failure)}") from None

    def upload(self, path: str, file: Path, headers: Mapping[str, str]) -> Any:
        """The answer to a form that holds a file."""
        head = (
            f"--{BOUNDARY}\r\nContent-Disposition: form-data; name=file; filename={file.name}\r\n"
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        tail = f"\r\n--{BOUNDARY}--\r\n".encode()
        size = len(head) + file.stat().st_size + len(tail)
        form = {
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
            "Content-Length": str(size),
        }
        self._connection.close()
        try:
            with file.open("rb") as content:
                chunks = iter(lambda: content.read(CHUNK_BYTES), b"")
                body = chain([head], chunks, [tail])
                return json.loads(self._answer("POST", path, body, {**form, **headers}).read())
        except (OSError, http.client.HTTPException, ValueError) as failure:
            self._connection.close()
            raise JsonHttpError(f"POST {self._url}{path}: {told(failure)}") from None

    def send(self, method: str, path: str) -> None:
        """A request without a body, whose answer may be no document."""
        self._connection.close()
        try:
            self._answer(method, path, b"", {}).read()
        except (OSError, http.client.HTTPException) as failure:
            self._connection.close()
            raise JsonHttpError(f"{method} {self._url}{path}: {told(failure)}") from None

    def patch(self, path: str) -> Any:
        """The answer to a PATCH without a body."""
        return self._call("PATCH", path, None)

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
                raise JsonHttpError(f"{method} {self._url}{path}: {told(failure)}") from None
        try:  # The other side had closed the idle connection: once more on a new one.
            return self._once(method, path, body, parse_float)
        except (OSError, http.client.HTTPException) as failure:
            self._connection.close()
            raise JsonHttpError(f"{method} {self._url}{path}: {told(failure)}") from None

    def _once(
        self, method: str, path: str, body: bytes | None, parse_float: Callable[[str], object]
    ) -> Any:
        response = self._answer(method, path, body, {})
        content = response.read()
        try:
            answer = json.loads(content, parse_float=parse_float)
        except ValueError as failure:
            raise JsonHttpError(f"{method} {self._url}{path}: {failure}") from None
        if _is_denied(answer):
            raise JsonHttpError(f"{method} {self._url}{path}: it refuses {self._access.who}")
        return answer

    def _answer(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None,
        more: Mapping[str, str],
    ) -> http.client.HTTPResponse:
        """An answer with a 2xx status, unread."""
        try:
            if self._connection.sock is None:
                self._connection = self._fresh()
            headers = {**self._headers, **more, **self._access.headers()}
        except AccessError as fault:
            raise JsonHttpError(f"{method} {self._url}{path}: {fault}") from None
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        if 200 <= response.status < 300:
            return response
        content = response.read()
        said = content[:300].decode("utf-8", "replace")
        if response.status in (401, 403):
            said = f"it refuses {self._access.who}"
        refused = JsonHttpError(f"{method} {self._url}{path}: HTTP {response.status}: {said}")
        refused.is_answer = response.status < 500
        with suppress(ValueError):
            refused.answer = json.loads(content)
        raise refused


def _is_denied(answer: Any) -> bool:
    """Pinot's broker refuses whom it does not know with HTTP 200 and an error of its own."""
    exceptions = answer.get("exceptions") if isinstance(answer, dict) else None
    return isinstance(exceptions, list) and any(
        isinstance(each, dict) and each.get("errorCode") == ACCESS_DENIED for each in exceptions
    )


def pinot_http(url: str, timeout_s: float = 5.0) -> JsonHttp:
    """A connection to a part of Pinot, as `PINOT_*` says. Raises AccessError for settings that cannot work."""
    return JsonHttp(url, timeout_s, access=pinot_access())


def told(failure: BaseException) -> str:
    """What a connection has failed for, in one line: with TLS, whose certificate is refused and why."""
    if isinstance(failure, ssl.SSLCertVerificationError):
        return f"its certificate is refused: {failure.verify_message}"
    if isinstance(failure, ssl.SSLError):
        return f"no TLS: {(failure.reason or str(failure)).replace('_', ' ').lower()}"
    return repr(failure)
