"""Structured logs: one JSON line an event on standard output, account ids as digests only."""

from __future__ import annotations

import hashlib
import logging
import sys
from typing import TextIO

import structlog

MAX_ACCOUNTS = 10
"""Account digests told of one operation."""

MAX_CAUSE = 500
"""Characters of an error's cause."""


def configure(level: str, stream: TextIO | None = None) -> None:
    """Log JSON lines from `level` on; what libraries have to say, from warnings on, is JSON too."""
    output = stream or sys.stdout
    stamped: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.format_exc_info,
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
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def logger() -> structlog.typing.FilteringBoundLogger:
    """The gateway's logger."""
    bound: structlog.typing.FilteringBoundLogger = structlog.get_logger("gateway")
    return bound


def digest(text: str) -> str:
    """A short digest, to recognise an id or a document by without telling it."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
