"""Structured logs: one JSON line an event on standard output, account ids as digests only."""

from __future__ import annotations

import hashlib
import logging
import sys
from typing import TextIO

import structlog


def configure(level: str, stream: TextIO | None = None) -> None:
    """Log JSON lines from `level` on; the libraries' own loggers only warn."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.WriteLoggerFactory(stream or sys.stdout),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=stream or sys.stdout)


def logger() -> structlog.typing.FilteringBoundLogger:
    """The gateway's logger."""
    bound: structlog.typing.FilteringBoundLogger = structlog.get_logger("gateway")
    return bound


def digest(text: str) -> str:
    """A short digest, to recognise an id or a document by without telling it."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
