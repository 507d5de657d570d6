"""What is counted and logged of an operation: one place, so that every answer leaves its trace."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from gateway import logs
from gateway.admission import Asker
from gateway.budget.balance import Balance
from gateway.logs import OperationLog
from gateway.metrics import Metrics
from gateway.outcome import Outcome
from gateway.reading import About
from gateway.response_cache.cache import Status
from graphql_schema.error_codes import ErrorCode

_REFUSED = [ErrorCode.RATE_LIMITED.name]
"""The codes of an operation that was turned away: under a flood of those, too, lines come by the thousands."""

_READY = (
    b'"request_id":"%s","status":%d,"outcome":"ok","milliseconds":%.2f,%s'
    b',"cache":"hit","caller":%s,"cost":%d'
)
"""A ready answer's line, which is written more often than all others; ids of requests are harmless."""


@dataclass(frozen=True, slots=True)
class OperationRecord:
    """Counts operations and writes their lines."""

    metrics: Metrics
    log: OperationLog
    tells_trust: bool

    def ready(
        self,
        request_id: str,
        about: About,
        status: int,
        seconds: float,
        asker: Asker,
        balance: Balance,
    ) -> None:
        """A kept answer that was fresh: the most frequent, and the cheapest to record."""
        self.metrics.operations.add("ok")
        self.metrics.operation_seconds.observe("ok", seconds)
        if not self.log.skips():
            facts = _READY % (
                request_id.encode(),
                status,
                seconds * 1000,
                _about(about, self.tells_trust),
                _json(asker.caller.subject),
                balance.requested,
            )
            self.log.write_ready(facts)

    def answered(
        self,
        request_id: str,
        about: About | None,
        outcome: Outcome | None,
        how: Status | None,
        status: int,
        seconds: float,
        balance: Balance | None = None,
    ) -> None:
        """Any other answer; without an outcome of its own it came out of the cache."""
        label = "ok" if outcome is None or how is Status.RESCUED else outcome.label
        self.metrics.operations.add(label)
        self.metrics.operation_seconds.observe(label, seconds)
        told = self._told(request_id, about, status, label, seconds)
        if how is not None:
            told["cache"] = how.value
        if balance is not None:
            told["cost"] = balance.requested
        if outcome is not None:
            if how is not Status.COALESCED:
                self._causes(request_id, outcome)
            self._add(told, outcome)
        if told.get("codes") in (None, _REFUSED):
            self.log.write_soon(told)
        else:
            self.log.write(told)

    def _add(self, told: dict[str, Any], outcome: Outcome) -> None:
        if outcome.codes:
            for code in outcome.codes:
                self.metrics.errors.add(code)
            told["codes"] = sorted(set(outcome.codes))
        if outcome.refusal is not None:
            told["refusal"] = outcome.refusal
        if outcome.balance is not None:
            told["cost"] = outcome.balance.requested
        if outcome.work is not None:
            told["caller"] = outcome.work.caller
            told["accounts"] = outcome.work.accounts[: logs.MAX_ACCOUNTS]
            told["store_queries"] = outcome.work.store_queries
            told["store_milliseconds"] = round(outcome.work.store_s * 1000, 2)

    def _causes(self, request_id: str, outcome: Outcome) -> None:
        for cause in {str(each): each for each in outcome.causes}.values():
            logs.logger().error(
                "store_or_gateway_error",
                request_id=request_id,
                cause=str(cause)[: logs.MAX_CAUSE],
                exc_info=_unexpected(cause),
            )

    def _told(
        self, request_id: str, about: About | None, status: int, label: str, seconds: float
    ) -> dict[str, Any]:
        told: dict[str, Any] = {
            "request_id": request_id,
            "status": status,
            "outcome": label,
            "milliseconds": round(seconds * 1000, 2),
        }
        return told if about is None else told | _document(about, self.tells_trust)


@lru_cache(maxsize=1024)
def _about(about: About, tells_trust: bool) -> bytes:
    told = _document(about, tells_trust)
    return json.dumps(told, separators=(",", ":"))[1:-1].encode()


@lru_cache(maxsize=1024)
def _json(text: str) -> bytes:
    return json.dumps(text).encode()


def _document(about: About, tells_trust: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"document": about.document}
    if about.operation:
        told["operation"] = about.operation
    if tells_trust:
        told["trusted"] = about.trusted
    return told


def _unexpected(cause: BaseException) -> BaseException | None:
    code = getattr(cause, "code", ErrorCode.INTERNAL_SERVER_ERROR)
    return cause if code is ErrorCode.INTERNAL_SERVER_ERROR else None
