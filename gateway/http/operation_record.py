"""What is counted and logged of an operation: one place, so that every answer leaves its trace."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from gateway.access.budget.balance import Balance
from gateway.access.caller import Caller
from gateway.errors import GatewayError
from gateway.execution.outcome import Outcome
from gateway.http import traced
from gateway.http.reading import About
from gateway.process import logs
from gateway.process.audit_log import AuditLog
from gateway.process.logs import OperationLog
from gateway.process.metrics import OTHER, Metrics
from gateway.response_cache.cache import Status
from graphql_schema.error_codes import ErrorCode

_REFUSED = [ErrorCode.RATE_LIMITED.name]
"""The codes of an operation that was turned away: under a flood of those, too, lines come by the thousands."""

_READY = (
    b'"request_id":"%s","status":%d,"outcome":"ok","milliseconds":%.2f,%s'
    b',"cache":"hit",%s%s,"cost":%d'
)
"""A ready answer's line, which is written more often than all others; ids of requests are harmless."""


class Recorded(NamedTuple):
    """Who asked for what, as far as that came to be known: of a request that was not read, who."""

    caller: Caller | None
    about: About | None = None
    accounts: tuple[str, ...] = ()
    """Digests of the accounts that it names."""


@dataclass(frozen=True, slots=True)
class OperationRecord:
    """Counts operations, writes their lines and, where tracing is on, tells their spans.

    `audit` gets a line of each request, with all accounts; the log is told a few of them, and may
    leave out ready answers.
    """

    metrics: Metrics
    log: OperationLog
    tells_trust: bool
    traced: bool = False
    audit: AuditLog | None = None

    def ready(
        self,
        request_id: str,
        address: str,
        asked: Recorded,
        status: int,
        seconds: float,
        balance: Balance,
    ) -> None:
        """A kept answer that was fresh: the most frequent, and the cheapest to record."""
        caller, about, accounts = asked
        assert caller is not None
        assert about is not None
        self.metrics.operations.add(about.label, "ok")
        self.metrics.operation_seconds.observe("ok", seconds)
        trace_id = traced.tell(about, Status.HIT, status) if self.traced else None
        skipped = self.log.skips()
        if skipped and self.audit is None:
            return
        facts = _READY % (
            request_id.encode(),
            status,
            seconds * 1000,
            _about(about, self.tells_trust),
            _by(caller.subject, caller.credential, address),
            _accounts(accounts[: logs.MAX_ACCOUNTS]),
            balance.requested,
        )
        if trace_id is not None:
            facts += b',"trace_id":"%s"' % trace_id.encode()
        if len(accounts) > logs.MAX_ACCOUNTS:
            facts += b',"account_count":%d' % len(accounts)
        if not skipped:
            self.log.write_ready(facts)
        if self.audit is not None:
            self.audit.write_ready(
                facts + _accounts(accounts[logs.MAX_ACCOUNTS :], b"more_accounts")
            )

    def not_let_in(self, request_id: str, address: str, status: int) -> None:
        """Refused for where it came from or went to: nobody has looked at who asked, or for what."""
        outcome = Outcome(status=status, codes=(ErrorCode.FORBIDDEN.name,))
        self.answered(request_id, address, Recorded(None), outcome, None, status, 0.0)

    def answered(
        self,
        request_id: str,
        address: str,
        asked: Recorded,
        outcome: Outcome | None,
        how: Status | None,
        status: int,
        seconds: float,
        balance: Balance | None = None,
    ) -> None:
        """Any other answer; without an outcome of its own it came out of the cache."""
        about = asked.about
        label = "ok" if outcome is None or how is Status.RESCUED else outcome.label
        self.metrics.operations.add(OTHER if about is None else about.label, label)
        self.metrics.operation_seconds.observe(label, seconds)
        told = self._told(request_id, about, status, label, seconds)
        told |= _who(asked, address)
        if how is not None:
            told["cache"] = how.value
        if balance is not None:
            told["cost"] = balance.requested
        if self.traced:
            trace_id = traced.tell(about, how, status, None if label == "ok" else outcome)
            told |= {} if trace_id is None else {"trace_id": trace_id}
        if outcome is not None:
            if how is not Status.COALESCED:
                self._causes(request_id, outcome)
            self._add(told, outcome)
        if told.get("codes") in (None, _REFUSED):
            self.log.write_soon(told)
        else:
            self.log.write(told)
        if self.audit is not None:
            more = asked.accounts[logs.MAX_ACCOUNTS :]
            self.audit.write(told | {"more_accounts": more} if more else told)

    def ended(
        self,
        request_id: str,
        address: str,
        asked: Recorded,
        because: str,
        counted: Mapping[str, int],
        seconds: float,
    ) -> None:
        """What lasts long, and whose beginning was recorded as any answer, ended: why, after how many of what."""
        told: dict[str, Any] = {"request_id": request_id, "outcome": "ended", "because": because}
        told |= {**counted, "seconds": round(seconds, 1)}
        told |= {} if asked.about is None else _document(asked.about, self.tells_trust)
        told |= _who(asked, address)
        self.log.write(told)
        if self.audit is not None:
            self.audit.write(told)

    def causes(self, request_id: str, outcome: Outcome) -> None:
        """Log what the store or the gateway itself is to blame for."""
        self._causes(request_id, outcome)

    def close(self) -> None:
        """Write what is still to be written."""
        self.log.flush()
        if self.audit is not None:
            self.audit.close()

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
            told["store_queries"] = outcome.work.store_queries
            told["store_milliseconds"] = round(outcome.work.store_s * 1000, 2)

    def _causes(self, request_id: str, outcome: Outcome) -> None:
        for cause in {str(each): each for each in outcome.causes}.values():
            logs.logger().error(
                "store_or_gateway_error",
                request_id=request_id,
                cause=_cause(cause),
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


@lru_cache(maxsize=4096)
def _by(subject: str, credential: str, address: str) -> bytes:
    told = {"caller": subject, "credential": credential, "address": address}
    return json.dumps(told, separators=(",", ":"))[1:-1].encode()


def _accounts(digests: tuple[str, ...], name: bytes = b"accounts") -> bytes:
    return b',"%s":["%s"]' % (name, '","'.join(digests).encode()) if digests else b""


def _who(asked: Recorded, address: str) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if asked.caller is not None:
        told |= {"caller": asked.caller.subject, "credential": asked.caller.credential}
    told["address"] = address
    if asked.accounts:
        told["accounts"] = asked.accounts[: logs.MAX_ACCOUNTS]
    if len(asked.accounts) > logs.MAX_ACCOUNTS:
        told["account_count"] = len(asked.accounts)
    return told


def _document(about: About, tells_trust: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"document": about.document}
    if about.operation:
        told["operation"] = about.operation
    if tells_trust:
        told["trusted"] = about.trusted
    return told


def _cause(cause: BaseException) -> str:
    """Our own words for what went wrong; of what was not foreseen, which may quote the store, the kind."""
    if isinstance(cause, GatewayError):
        return str(cause)[: logs.MAX_CAUSE]
    return type(cause).__name__


def _unexpected(cause: BaseException) -> BaseException | None:
    return None if isinstance(cause, GatewayError) else cause
