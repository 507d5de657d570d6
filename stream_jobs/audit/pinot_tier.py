"""What Pinot has of some raw offsets or of some hours: its own counts, sums and hashes, or the rows; only complete answers."""

# ruff: noqa: S608 - statements are put together out of our own words and numbers, and of ids that are UUIDs

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final, Protocol

from stream_jobs.audit.stretches import Stretch, of_stretches
from stream_jobs.audit.sums import HOUR_MS, SEPARATOR, Cell, CellSums, Row, Sums
from stream_jobs.events.money import scaled
from stream_jobs.json_http import pinot_http
from stream_jobs.one_of import one_of
from stream_jobs.progress.pinot_served import HttpPinotServed, consumed_offsets, refuse_partial
from stream_jobs.progress.row_counts import PinotTable
from stream_jobs.progress.segments import NotServedError, partition_of
from stream_jobs.topics.offsets import Offsets, Reached, all_at_least

MAX_GROUPS: Final = 1_000_000
TIMEOUT_MS: Final = 30_000
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch

_TEXT = "CASE WHEN direction = 'RECEIVED' THEN account_id ELSE counterparty_id END"
for _column in (
    "CASE WHEN direction = 'RECEIVED' THEN counterparty_id ELSE account_id END",
    *("transaction_id", "CAST(event_time_ms AS VARCHAR)", "kind", "reverses"),
    *("CAST(kafka_partition AS VARCHAR)", "CAST(kafka_offset AS VARCHAR)"),
):
    _TEXT = f"CONCAT({_TEXT}, {_column}, '{SEPARATOR}')"
# A decimal as Pinot writes it: two bytes of scale, then the number; a byte of zeros more keeps it positive.
_HASH = f"bytesToBigDecimal(hexToBytes(CONCAT('000000', SUBSTR(MD5(TOUTF8({_TEXT})), 0, 16), '')))"
# sums.Row.mix in Pinot's words; its functions are there in 0.11 and since.
ROW_MIX: Final = f"MULT(amount, {_HASH})"
_COLUMNS = (
    "account_id, counterparty_id, direction, transaction_id, event_time_ms, kind, reverses, "
    "kafka_partition, kafka_offset, amount"
)


class PinotTier(Protocol):
    """What the audit asks of Pinot. Raises NotServedError where an answer may not be whole."""

    def has_reached(self, entry_ends: Offsets) -> bool:
        """Whether every kafka partition of the entries is consumed so far."""

    def sums(self, hours: Sequence[int], stretches: Sequence[Stretch]) -> CellSums:
        """Counts, sums and hashes of the rows of some hours that come from these raw records."""

    def coarse(self, hours: Sequence[int]) -> dict[tuple[int, str], tuple[int, int]]:
        """Count and amount by hour and direction, without hashes."""

    def rows(self, hour_ms: int, stretches: Sequence[Stretch], limit: int) -> Counter[Row] | None:
        """The rows of an hour that come from these raw records; None if there are more than `limit`."""

    def strange(self, hour_ms: int, stretches: Sequence[Stretch], limit: int) -> list[Row]:
        """Rows of an hour that come from none of these raw records."""

    def rows_of_ids(self, transaction_ids: Sequence[str]) -> list[Row]:
        """The rows of some transactions and of their reversals."""


class HttpPinotTier:
    """`PinotTier` by the controller's REST API and the broker's SQL."""

    def __init__(self, controller_url: str, broker_url: str, reached: Reached, table: str) -> None:
        self._served = HttpPinotServed(controller_url, broker_url)
        self._broker = one_of(broker_url, lambda url: pinot_http(url, TIMEOUT_MS / 1000 + 5))
        self._reached = reached
        self._table = table
        # What Pinot was seen to have read: a server that starts anew reads some of it again.
        self._seen: Offsets = {}

    def close(self) -> None:
        """Give its connections back."""
        self._served.close()
        self._broker.close()

    def has_reached(self, entry_ends: Offsets) -> bool:
        consumed = self._consumed()
        missing = sorted(entry_ends.keys() - consumed.keys())
        if missing:
            raise NotServedError(f"kafka partitions {missing} are not being consumed")
        reached = all_at_least(consumed, entry_ends) or self._reached(consumed, entry_ends)
        if reached:
            self._seen = {p: max(at, self._seen.get(p, 0)) for p, at in consumed.items()}
        return reached

    def sums(self, hours: Sequence[int], stretches: Sequence[Stretch]) -> CellSums:
        rows = self._ask(
            "SELECT event_hour_ms, kafka_partition, direction, COUNT(*), SUMPRECISION(amount), "
            f"SUMPRECISION({ROW_MIX}) FROM {self._table} WHERE {_of_hours(hours)} AND "
            f"{of_stretches(stretches)} GROUP BY event_hour_ms, kafka_partition, direction",
            MAX_GROUPS,
        )
        return {
            Cell(int(hour_ms), int(partition), direction): Sums(
                int(count), _scaled(amount), _scaled(mix)
            )
            for hour_ms, partition, direction, count, amount, mix in rows
        }

    def coarse(self, hours: Sequence[int]) -> dict[tuple[int, str], tuple[int, int]]:
        # All between them: only then can the sums of whole hours be used that are kept ready.
        rows = self._ask(
            f"SELECT event_hour_ms, direction, COUNT(*), SUMPRECISION(amount) FROM {self._table} "
            f"WHERE event_hour_ms >= {min(hours)} AND event_hour_ms <= {max(hours)} "
            "GROUP BY event_hour_ms, direction",
            MAX_GROUPS,
        )
        return {(int(h), d): (int(count), _scaled(amount)) for h, d, count, amount in rows}

    def rows(self, hour_ms: int, stretches: Sequence[Stretch], limit: int) -> Counter[Row] | None:
        where = f"{_of_hours([hour_ms])} AND {of_stretches(stretches)}"
        found = self._ask(f"SELECT {_COLUMNS} FROM {self._table} WHERE {where}", limit + 1)
        return None if len(found) > limit else Counter(map(row_of, found))

    def strange(self, hour_ms: int, stretches: Sequence[Stretch], limit: int) -> list[Row]:
        where = f"{_of_hours([hour_ms])} AND NOT {of_stretches(stretches)}"
        found = self._ask(f"SELECT {_COLUMNS} FROM {self._table} WHERE {where}", limit)
        return [row_of(each) for each in found]

    def rows_of_ids(self, transaction_ids: Sequence[str]) -> list[Row]:
        if not all(map(_UUID, transaction_ids)):
            raise ValueError("an id is no UUID")
        ids = ", ".join(f"'{each}'" for each in transaction_ids)
        where = f"transaction_id IN ({ids}) OR reverses IN ({ids})"
        return [
            row_of(each)
            for each in self._ask(f"SELECT {_COLUMNS} FROM {self._table} WHERE {where}", MAX_GROUPS)
        ]

    def _consumed(self) -> Offsets:
        consuming = self._served.consuming(self._table)
        if len({partition_of(each.name) for each in consuming}) < len(consuming):
            # Asked after the others, so that the end of what is filled is known.
            consuming = PinotTable(
                self._table, consuming, self._served.segments(self._table)
            ).filling
        return consumed_offsets(consuming)

    def _ask(self, statement: str, limit: int) -> list[list[Any]]:
        """The rows of a whole answer, from servers that did not start anew meanwhile."""
        before = self._consumed()
        if not all_at_least(before, self._seen):
            raise NotServedError("Pinot has gone back to before what it had read")
        body = {"sql": f"{statement} LIMIT {limit}", "queryOptions": f"timeoutMs={TIMEOUT_MS}"}
        answer = self._broker.post("/query/sql", body, parse_float=Decimal)
        refuse_partial(answer)
        if answer.get("numGroupsLimitReached"):
            raise NotServedError("Pinot cut the groups")
        rows: list[list[Any]] = answer.get("resultTable", {}).get("rows", [])
        if len(rows) >= limit and limit == MAX_GROUPS:
            raise NotServedError(f"there are more than {limit} groups")
        if not all_at_least(self._consumed(), before):
            raise NotServedError("Pinot's offsets went back during the query")
        return rows


def _of_hours(hours: Sequence[int]) -> str:
    # The time column, by which segments are left out unread.
    within = f"event_time_ms >= {min(hours)} AND event_time_ms < {max(hours) + HOUR_MS}"
    if len(hours) == 1:
        return within
    return f"{within} AND event_hour_ms IN ({', '.join(map(str, hours))})"


def row_of(cells: Sequence[Any]) -> Row:
    """A row out of its columns, in the order of Row."""
    *texts, partition, offset, amount = cells
    account, other, direction, id_, time_ms, kind, reverses = texts
    what = (int(time_ms), kind, reverses or "", int(partition), int(offset), _scaled(amount))
    return Row(account, other, direction, id_, *what)


def _scaled(amount: object) -> int:
    """Pinot's decimal, a number or a text, of any sign and size, in units of 10^-8."""
    return scaled(format(amount if isinstance(amount, Decimal) else Decimal(str(amount)), "f"))
