"""What GraphQL says of an account in a window, as the recount's own values; knows GraphQL, not the recount."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from stream_jobs.events.instants import rfc_3339
from stream_jobs.events.money import scaled
from stream_jobs.json_http import JsonHttp, JsonHttpError
from stream_jobs.tools.reference_answers import DIRECTIONS, RANKINGS, Direction, Row, Totals, Window

FIRST = 10
ASK_AGAIN_FOR_S = 60.0
LONGEST_WAIT_S = 10.0

PIPELINE = "{ pipeline { asOf entries rejected } limits { maxWindowDays } }"
NETWORK = """
query Network($window: WindowInput!) { network {
  RECEIVED: totals(window: $window, direction: RECEIVED) { asOf exact transactionCount transactionAmount }
  SENT: totals(window: $window, direction: SENT) { asOf exact transactionCount transactionAmount }
} }
"""
_TOTALS = "asOf exact transactionCount transactionAmount counterpartyCount"
_RANKING = """asOf exact
    rows { rank accountId transactionCount transactionAmount }
    others { transactionCount transactionAmount counterpartyCount }
    total { transactionCount transactionAmount counterpartyCount }"""
_PARTS = "\n".join(
    [
        f"  {direction}: totals(window: $window, direction: {direction}) {{ {_TOTALS} }}"
        for direction in DIRECTIONS
    ]
    + [
        f"  {direction}_{ranking}: topCounterparties(window: $window, direction: {direction}, "
        f"first: {FIRST}, orderBy: {ranking}) {{ {_RANKING} }}"
        for direction in DIRECTIONS
        for ranking in RANKINGS
    ]
)
ACCOUNT = "query Account($id: ID!, $window: WindowInput!) { account(id: $id) {\n" + _PARTS + "\n} }"


class GraphQLError(Exception):
    """GraphQL did not answer whole and exact until the deadline."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The first rows, what they leave out, and all of it."""

    rows: tuple[Row, ...]
    others: Totals
    total: Totals


@dataclass(frozen=True, slots=True)
class AccountAnswer:
    """All that is compared of one account in one window."""

    totals: Mapping[Direction, Totals]
    rankings: Mapping[tuple[Direction, str], Ranking]


@dataclass(frozen=True, slots=True)
class PipelineAnswer:
    """The whole system's counters."""

    as_of_ms: int
    entries: int
    rejected: int
    max_window_days: int


class Ask(Protocol):
    """Sends one operation; returns the whole response document."""

    def __call__(self, document: str, variables: Mapping[str, object]) -> Any: ...


class Gateway:
    """Answers that are complete: whole, exact, and no older than asked for."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def pipeline(self) -> PipelineAnswer:
        """The counters, however old."""
        data = self._data(PIPELINE, {})
        pipeline = data["pipeline"]
        return PipelineAnswer(
            milliseconds(pipeline["asOf"]),
            int(pipeline["entries"]),
            int(pipeline["rejected"]),
            data["limits"]["maxWindowDays"],
        )

    def account(self, account_id: str, window: Window, newer_than_ms: int) -> AccountAnswer:
        """Raises GraphQLError if there is no complete answer for a minute."""
        variables = {"id": account_id, "window": window_input(window)}
        answer = self._complete(ACCOUNT, variables, "account", newer_than_ms)
        return AccountAnswer(
            {direction: _totals(answer[direction]) for direction in DIRECTIONS},
            {
                (direction, ranking): _ranking(answer[f"{direction}_{ranking}"])
                for direction in DIRECTIONS
                for ranking in RANKINGS
            },
        )

    def network(self, window: Window, newer_than_ms: int) -> dict[Direction, tuple[int, int]]:
        """Count and amount of all accounts together, by direction."""
        variables = {"window": window_input(window)}
        answer = self._complete(NETWORK, variables, "network", newer_than_ms)
        return {
            direction: (
                int(answer[direction]["transactionCount"]),
                scaled(answer[direction]["transactionAmount"]),
            )
            for direction in DIRECTIONS
        }

    def _complete(
        self, document: str, variables: Mapping[str, object], field: str, newer_than_ms: int
    ) -> dict[str, Any]:
        give_up_at_s = time.monotonic() + ASK_AGAIN_FOR_S
        while True:
            answer: dict[str, Any] = self._data(document, variables)[field]
            parts = answer.values()
            if all(part["exact"] and milliseconds(part["asOf"]) > newer_than_ms for part in parts):
                return answer
            if time.monotonic() > give_up_at_s:
                raise GraphQLError(f"no exact and new enough answer for {variables}")
            time.sleep(0.2)

    def _data(self, document: str, variables: Mapping[str, object]) -> Any:
        give_up_at_s = time.monotonic() + ASK_AGAIN_FOR_S
        while True:
            response = self._ask(document, variables)
            errors = response.get("errors")
            if not errors:
                return response["data"]
            passing = all(
                error.get("extensions", {}).get("code")
                in ("BACKEND_UNAVAILABLE", "DEADLINE_EXCEEDED", "RATE_LIMITED")
                for error in errors
            )
            if not passing or time.monotonic() > give_up_at_s:
                raise GraphQLError(f"GraphQL: {errors[0].get('message')}")
            time.sleep(_wait_s(errors))


def http_ask(url: str, headers: Mapping[str, str] | None = None) -> Ask:
    """`Ask` over HTTP; ValueError if `url` is not an http address."""
    http = JsonHttp(url, timeout_s=30.0, headers=headers)
    path = urlsplit(url).path or "/"

    def ask(document: str, variables: Mapping[str, object]) -> Any:
        try:
            return http.post(path, {"query": document, "variables": variables})
        except JsonHttpError as refused:
            # What GraphQL refuses has a status of its own, and its errors say whether to ask again.
            if isinstance(refused.answer, dict) and refused.answer.get("errors"):
                return refused.answer
            raise

    return ask


def _wait_s(errors: Sequence[Mapping[str, Any]]) -> float:
    """Until to ask again, as the errors wish it."""
    told = [each.get("extensions", {}).get("retryAfterSeconds") or 0 for each in errors]
    return float(min(max(0.5, *told), LONGEST_WAIT_S))


def window_input(window: Window) -> dict[str, object]:
    """The window as GraphQL takes it."""
    return {"between": {"start": rfc_3339(window.start_ms), "end": rfc_3339(window.end_ms)}}


def milliseconds(instant: str) -> int:
    """Epoch milliseconds of an RFC 3339 instant."""
    whole = datetime.fromisoformat(instant)
    return int(whole.timestamp()) * 1000 + whole.microsecond // 1000


def _totals(answer: Mapping[str, Any]) -> Totals:
    return Totals(
        int(answer["transactionCount"]),
        scaled(answer["transactionAmount"]),
        int(answer["counterpartyCount"]),
    )


def _ranking(answer: Mapping[str, Any]) -> Ranking:
    rows = tuple(
        Row(row["accountId"], int(row["transactionCount"]), scaled(row["transactionAmount"]))
        for row in sorted(answer["rows"], key=lambda row: int(row["rank"]))
    )
    return Ranking(rows, _totals(answer["others"]), _totals(answer["total"]))
