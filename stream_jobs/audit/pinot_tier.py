"""What Pinot has of some intervals: its own counts, sums and mixed hashes, or the rows; only complete answers."""

# ruff: noqa: S608 - statements are put together out of our own words and numbers

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple, Protocol

from stream_jobs.audit.intervals import INTERVAL_MS, Cell, Sums
from stream_jobs.audit.rows import SEPARATOR
from stream_jobs.json_http import JsonHttp
from stream_jobs.offsets import Offsets, Reached, all_at_least
from stream_jobs.pinot_served import (
    HttpPinotServed,
    NotServedError,
    consumed_offsets,
    refuse_silent,
)
from stream_jobs.recount import scaled

MAX_GROUPS: Final = 1_000_000
TIMEOUT_MS: Final = 30_000
NO_PARTITION: Final = -1  # of a segment that no kafka partition was read into
_SEGMENT = re.compile(r".+__(\d+)__\d+__\w+").fullmatch

_TEXT = "account_id"
for _column in (
    *("counterparty_id", "direction", "transaction_id", "CAST(event_time_ms AS VARCHAR)"),
    *("kind", "reverses"),
):
    _TEXT = f"CONCAT({_TEXT}, {_column}, '{SEPARATOR}')"
_DIGITS = f"MD5(TOUTF8({_TEXT}))"
for _letter, _digit in zip("abcdef", "012345", strict=True):
    _DIGITS = f"REPLACE({_DIGITS}, '{_letter}', '{_digit}')"
# rows.mix in Pinot's words; its functions are there in 0.11 and since.
ROW_MIX: Final = f"MULT(amount, CAST({_DIGITS} AS BIG_DECIMAL))"


class Row(NamedTuple):
    """One row of Pinot, or one entry as Pinot should have it; `amount` in units of 10^-8."""

    partition: int
    account_id: str
    counterparty_id: str
    direction: str
    transaction_id: str
    amount: int
    time_ms: int
    kind: str = "TRANSFER"
    reverses: str = ""


class PinotTier(Protocol):
    """What the audit asks of Pinot. Raises NotServedError where an answer may not be whole."""

    def has_reached(self, entry_ends: Offsets) -> bool:
        """Whether every kafka partition is consumed so far."""

    def sums(self, start_ms: int, end_ms: int) -> dict[Cell, Sums]:
        """Pinot's sums of the intervals between two instants."""

    def hours(self) -> dict[tuple[int, str], tuple[int, int]]:
        """Count and amount of every hour there is."""

    def coarse(self, start_ms: int, end_ms: int) -> dict[tuple[int, str], tuple[int, int]]:
        """Count and amount by interval and direction, without hashes."""

    def rows(self, start_ms: int, end_ms: int, limit: int) -> Counter[Row] | None:
        """The rows between two instants; None if there are more than `limit`."""


class HttpPinotTier:
    """`PinotTier` by the controller's REST API and the broker's SQL."""

    def __init__(
        self,
        controller_url: str,
        broker_url: str,
        reached: Reached,
        table: str = "account_entries",
    ) -> None:
        self._served = HttpPinotServed(controller_url, broker_url)
        self._broker = JsonHttp(broker_url, TIMEOUT_MS / 1000 + 5)
        self._reached = reached
        self._table = table

    def has_reached(self, entry_ends: Offsets) -> bool:
        consumed = self._consumed()
        missing = sorted(entry_ends.keys() - consumed.keys())
        if missing:
            raise NotServedError(f"kafka partitions {missing} are not being consumed")
        return all_at_least(consumed, entry_ends) or self._reached(consumed, entry_ends)

    def sums(self, start_ms: int, end_ms: int) -> dict[Cell, Sums]:
        found: dict[Cell, Sums] = {}
        slot = f"event_time_ms - MOD(event_time_ms, {INTERVAL_MS})"
        for segment, direction, start, count, amount, mixed in self._ask(
            f"SELECT $segmentName, direction, {slot}, COUNT(*), SUMPRECISION(amount), "
            f"SUMPRECISION({ROW_MIX}) FROM {self._table} {_between(start_ms, end_ms)} "
            f"GROUP BY $segmentName, direction, {slot}",
            MAX_GROUPS,
        ):
            cell = Cell(int(start), _partition(segment), direction)
            sums = (int(count), _scaled(amount), _scaled(mixed))
            found[cell] = found.get(cell, Sums()).plus(*sums)
        return found

    def hours(self) -> dict[tuple[int, str], tuple[int, int]]:
        rows = self._ask(
            "SELECT event_hour_ms, direction, COUNT(*), SUMPRECISION(amount) "
            f"FROM {self._table} GROUP BY event_hour_ms, direction",
            MAX_GROUPS,
        )
        return {(int(h), d): (int(count), _scaled(amount)) for h, d, count, amount in rows}

    def coarse(self, start_ms: int, end_ms: int) -> dict[tuple[int, str], tuple[int, int]]:
        slot = f"event_time_ms - MOD(event_time_ms, {INTERVAL_MS})"
        rows = self._ask(
            f"SELECT {slot}, direction, COUNT(*), SUMPRECISION(amount) FROM {self._table} "
            f"{_between(start_ms, end_ms)} GROUP BY {slot}, direction",
            MAX_GROUPS,
        )
        return {(int(slot), d): (int(count), _scaled(amount)) for slot, d, count, amount in rows}

    def rows(self, start_ms: int, end_ms: int, limit: int) -> Counter[Row] | None:
        found = self._ask(
            "SELECT $segmentName, account_id, counterparty_id, direction, transaction_id, amount, "
            f"event_time_ms, kind, reverses FROM {self._table} {_between(start_ms, end_ms)}",
            limit + 1,
        )
        if len(found) > limit:
            return None
        return Counter(
            Row(_partition(name), account, other, side, id_, _scaled(amount), int(time_ms), *what)
            for name, account, other, side, id_, amount, time_ms, *what in found
        )

    def _consumed(self) -> Offsets:
        return consumed_offsets(self._served.consuming(self._table))

    def _ask(self, statement: str, limit: int) -> list[list[Any]]:
        """The rows of an answer that covers every segment, from servers that did not start anew meanwhile."""
        consuming = self._served.consuming(self._table)
        segments = self._served.segments(self._table)
        refuse_silent(consuming, segments)
        before = consumed_offsets(consuming)
        body = {"sql": f"{statement} LIMIT {limit}", "queryOptions": f"timeoutMs={TIMEOUT_MS}"}
        answer = self._broker.post("/query/sql", body, parse_float=Decimal)
        _refuse_partial(answer, len(segments.ideal))
        rows: list[list[Any]] = answer["resultTable"]["rows"]
        if len(rows) >= limit and limit == MAX_GROUPS:
            raise NotServedError(f"there are more than {limit} groups")
        if not all_at_least(self._consumed(), before):
            raise NotServedError("Pinot's offsets went back during the query")
        return rows


def _refuse_partial(answer: Mapping[str, Any], segments: int) -> None:
    if answer.get("exceptions"):
        raise NotServedError(f"the broker answered with {str(answer['exceptions'][0])[:200]}")
    if answer["numServersResponded"] != answer["numServersQueried"] or answer.get("partialResult"):
        raise NotServedError("not every server responded")
    if answer.get("numGroupsLimitReached"):
        raise NotServedError("Pinot cut the groups")
    if answer["numSegmentsQueried"] != segments:
        raise NotServedError(f"{answer['numSegmentsQueried']} of {segments} segments were queried")


def _between(start_ms: int, end_ms: int) -> str:
    return f"WHERE event_time_ms >= {start_ms} AND event_time_ms < {end_ms}"


def _partition(segment: str) -> int:
    parts = _SEGMENT(segment)
    return NO_PARTITION if parts is None else int(parts[1])


def _scaled(amount: object) -> int:
    """Pinot's decimal, a number or a text, of any sign and size, in units of 10^-8."""
    return scaled(format(amount if isinstance(amount, Decimal) else Decimal(str(amount)), "f"))
