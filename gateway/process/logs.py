"""Structured logs: one JSON line an event on standard output, account ids as digests only, no exception's words."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import sys
import time
import traceback
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any, TextIO

import orjson
import structlog

MAX_ACCOUNTS = 10
"""Account digests told of one operation."""

MAX_CAUSE = 500
"""Characters of an error's cause."""

MAX_CHAIN = 5
MAX_PLACES = 8
"""Of an exception: those that led to it, and places in the code, that are told."""

DIGEST_CHARACTERS = 12
"""Of a SHA-256 in hex that are told."""

FLUSH_AFTER_S = 0.1
SINGLE_LINES = 10
MOST_LINES = 500


class Stamps:
    """Instants as log lines have them."""

    def __init__(self) -> None:
        self._second = -1
        self._stamp = ""

    def text(self, now_s: float) -> str:
        """Epoch seconds as RFC 3339, to the millisecond."""
        second = int(now_s)
        if second != self._second:
            self._second = second
            self._stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._stamp}.{int((now_s - second) * 1000):03d}Z"


class OperationLog:
    """Writes the one line that an operation leaves.

    Lines of answers come by the thousands: past a few in a tenth of a second they are written many
    at once, and of those that were ready only each `every`-th. What failed is written at once.
    """

    def __init__(self, every: int) -> None:
        self._every = every
        self._ready = 0
        self._lines: list[bytes] = []
        self._written = 0
        self._window_s = 0.0
        self._stamps = Stamps()

    def skips(self) -> bool:
        """Whether the line of one more ready answer is left out."""
        self._ready += 1
        return self._ready % self._every != 0

    def write(self, told: Mapping[str, Any]) -> None:
        """Write a line of these facts."""
        self._add(told, time.time())
        self.flush()

    def write_soon(self, told: Mapping[str, Any]) -> None:
        """Write a line of these facts, with others if there are many."""
        now_s = time.time()
        self._add(told, now_s)
        self._flush_in_time(now_s)

    def write_ready(self, facts: bytes) -> None:
        """The same for facts that are JSON already, but for the braces around them."""
        now_s = time.time()
        line = b'{%s,"event":"operation","level":"info","time":"%s"}'
        self._lines.append(line % (facts, self._stamps.text(now_s).encode()))
        self._flush_in_time(now_s)

    def flush(self) -> None:
        """Write what has been told so far."""
        lines, self._lines = self._lines, []
        if lines and logger().is_enabled_for(logging.INFO):
            structlog.get_config()["logger_factory"]().msg(b"\n".join(lines).decode())

    def _flush_in_time(self, now_s: float) -> None:
        if now_s - self._window_s > FLUSH_AFTER_S:
            self._window_s, self._written = now_s, 0
        self._written += 1
        if self._written <= SINGLE_LINES or len(self._lines) >= MOST_LINES:
            self.flush()
        elif len(self._lines) == 1:
            asyncio.get_running_loop().call_later(FLUSH_AFTER_S, self.flush)

    def _add(self, told: Mapping[str, Any], now_s: float) -> None:
        more = {"event": "operation", "level": "info", "time": self._stamps.text(now_s)}
        self._lines.append(as_line({**told, **more}))


def as_line(told: Mapping[str, Any]) -> bytes:
    """A line of JSON in ASCII: a caller's own words may hold what some readers take for the end of a line."""
    text = orjson.dumps(told)
    return text if text.isascii() else json.dumps(told).encode()


def configure(level: str, stream: TextIO | None = None) -> None:
    """Log JSON lines from `level` on; what libraries have to say, from warnings on, is JSON too."""
    output = stream or sys.stdout
    stamped: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _without_words,
    ]
    structlog.configure(
        processors=[*stamped, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.WriteLoggerFactory(output),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=stamped,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _first_line,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _without_words(_: Any, __: str, told: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Tell an exception by its kind and its places: its words may quote the store, ids and SQL."""
    given = told.pop("exc_info", None)
    if isinstance(given, BaseException):
        told["exception"] = described(given)
    elif given:
        found = given[1] if isinstance(given, tuple) else sys.exc_info()[1]
        if found is not None:
            told["exception"] = described(found)
    return told


def _first_line(_: Any, __: str, told: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """What a library says; below its first line asyncio, for one, tells what it is about, exceptions and all."""
    told["event"] = str(told["event"]).partition("\n")[0][:MAX_CAUSE]
    return told


def described(error: BaseException) -> list[str]:
    """The kinds of an exception and of those that led to it, each with its innermost places."""
    told: list[str] = []
    found: BaseException | None = error
    while found is not None and len(told) < MAX_CHAIN:
        places = traceback.extract_tb(found.__traceback__)[-MAX_PLACES:]
        where = (f"{Path(each.filename).name}:{each.lineno} {each.name}" for each in places)
        told.append(f"{type(found).__name__} at {' < '.join([*where][::-1])}")
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)
    return told


def logger() -> structlog.typing.FilteringBoundLogger:
    """The gateway's logger."""
    bound: structlog.typing.FilteringBoundLogger = structlog.get_logger("gateway")
    return bound


def digest(text: str) -> str:
    """A short digest, to recognise a document by without telling it."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST_CHARACTERS]
