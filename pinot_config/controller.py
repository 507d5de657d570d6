"""The few calls of Pinot's controller REST API that applying tables needs; standard library only."""

from __future__ import annotations

import errno
import json
import socket
import ssl
import urllib.error
import urllib.request
from contextlib import suppress
from typing import Any, Protocol
from urllib.parse import quote

from pinot_config.tables import Json, TableFiles
from stream_jobs.http_access import NOBODY, HttpAccess
from stream_jobs.json_http import told
from stream_jobs.secret_files import AccessError


class ControllerError(Exception):
    """The controller could not be reached, or refused; the message is what it said."""


class Controller(Protocol):
    """What `apply` asks of a controller."""

    def validated(self, table: TableFiles) -> tuple[Json, list[str]]:
        """The table config in Pinot's own normal form, and the keys that this version ignores."""

    def schema(self, name: str) -> Json | None: ...

    def table_config(self, name: str) -> Json | None: ...

    def put_schema(self, name: str, schema: Json, *, create: bool) -> None: ...

    def put_table_config(self, name: str, table_config: Json, *, create: bool) -> None: ...

    def reload_segments(self, name: str) -> None: ...

    def finish_segments(self, name: str) -> None:
        """Have the segments that are being filled committed, and new ones begun."""


class HttpController:
    """A controller at `url`, or one of several with commas between; a call to each ends within `timeout_s`."""

    def __init__(self, url: str, timeout_s: float = 30.0, access: HttpAccess = NOBODY) -> None:
        self._urls = [each.strip().rstrip("/") for each in url.split(",")]
        self._timeout_s = timeout_s
        self._access = access
        # Pinot is inside the cluster: never by way of a proxy that the environment names.
        handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
        if url.startswith("https://"):
            handlers.append(urllib.request.HTTPSHandler(context=access.tls()))
        self._opener = urllib.request.build_opener(*handlers)

    def validated(self, table: TableFiles) -> tuple[Json, list[str]]:
        body = {"tableName": table.name, "schema": table.schema, "realtime": table.table_config}
        answer = self._call("POST", "/tableConfigs/validate", body)
        ignored = sorted(answer.get("unrecognizedProperties") or {})
        return answer["realtime"], ignored

    def schema(self, name: str) -> Json | None:
        return self._get_or_none(f"/schemas/{quote(name)}")

    def table_config(self, name: str) -> Json | None:
        answer = self._get_or_none(f"/tables/{quote(name)}?type=realtime")
        return None if answer is None else answer.get("REALTIME")

    def put_schema(self, name: str, schema: Json, *, create: bool) -> None:
        if create:
            self._call("POST", "/schemas", schema)
        else:
            self._call("PUT", f"/schemas/{quote(name)}?reload=true", schema)

    def put_table_config(self, name: str, table_config: Json, *, create: bool) -> None:
        if create:
            self._call("POST", "/tables", table_config)
        else:
            self._call("PUT", f"/tables/{quote(name)}", table_config)

    def reload_segments(self, name: str) -> None:
        self._call("POST", f"/segments/{quote(name)}_REALTIME/reload", None)

    def finish_segments(self, name: str) -> None:
        self._call("POST", f"/tables/{quote(name)}_REALTIME/forceCommit", None)

    def _get_or_none(self, path: str) -> Json | None:
        try:
            return self._call("GET", path, None)
        except _NotFoundError:
            return None

    def _call(self, method: str, path: str, body: Json | None) -> Json:
        """The answer of the first that takes a connection: by one that does not, nothing was done."""
        for url in self._urls[:-1]:
            with suppress(_NobodyThereError):
                return self._call_at(url, method, path, body)
        return self._call_at(self._urls[-1], method, path, body)

    def _call_at(self, url: str, method: str, path: str, body: Json | None) -> Json:
        try:
            credentials = self._access.headers()
        except AccessError as fault:
            raise ControllerError(str(fault)) from None
        request = urllib.request.Request(  # noqa: S310 # the operator's own address
            url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Content-Type": "application/json",
                "Accept": "application/json",
                **credentials,
            },
        )
        try:
            with self._opener.open(request, timeout=self._timeout_s) as response:
                said = response.read()
            answer: Any = json.loads(said) if said else {}
        except urllib.error.HTTPError as refusal:
            reason = _message(refusal.read())
            if refusal.code in (401, 403):
                reason = f"it refuses {self._access.who}"
            error = _NotFoundError if refusal.code == 404 else ControllerError
            raise error(f"{method} {path}: HTTP {refusal.code}: {reason}") from None
        except (OSError, ValueError) as failure:
            cause = getattr(failure, "reason", failure)
            why = told(cause) if isinstance(cause, ssl.SSLError) else failure
            nobody = _is_nobody(cause)
            error = _NobodyThereError if nobody else ControllerError
            raise error(f"{method} {url}{path}: {why}") from None
        return answer if isinstance(answer, dict) else {"answer": answer}


def _is_nobody(cause: object) -> bool:
    """Whether no request can have arrived: its name is not known, its host is away, or nothing listens there."""
    away = isinstance(cause, OSError) and cause.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH)
    return away or isinstance(cause, (ConnectionRefusedError, socket.gaierror))


class _NotFoundError(ControllerError):
    pass


class _NobodyThereError(ControllerError):
    pass


def _message(body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return text[:500]
