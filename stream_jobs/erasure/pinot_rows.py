"""Which segments hold an account's id, and what a segment's rows sum up to; only whole answers are believed."""

# ruff: noqa: S608 - statements are put together out of our own words, and of conditions that quote the id

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from stream_jobs.erasure.tables import Held
from stream_jobs.json_http import JsonHttp
from stream_jobs.progress.pinot_served import refuse_partial
from stream_jobs.progress.segments import NotServedError

MAX_SEGMENTS: Final = 100_000
TIMEOUT_MS: Final = 60_000


class PinotRows:
    """Asks one cluster's broker. Raises NotServedError where an answer may not be whole.

    A LIMIT stands at every statement's end, which keeps an id from being read as a trailing OPTION(...) clause.
    """

    def __init__(self, broker: JsonHttp) -> None:
        self._broker = broker

    def holding(self, table: str, held: Held, account_id: str) -> dict[str, int]:
        """How many rows of each segment hold the id."""
        rows = self._ask(
            f"SELECT $segmentName, COUNT(*) FROM {table} WHERE {held.where(account_id)} "
            f"GROUP BY $segmentName ORDER BY $segmentName LIMIT {MAX_SEGMENTS}"
        )
        if len(rows) >= MAX_SEGMENTS:
            raise NotServedError(f"there are more than {MAX_SEGMENTS} segments")
        return {segment: int(count) for segment, count in rows}

    def held_in(self, table: str, held: Held, segment: str, account_id: str) -> int:
        """How many rows of one segment hold the id."""
        where = f"$segmentName = '{segment}' AND ({held.where(account_id)})"
        return int(self._ask(f"SELECT COUNT(*) FROM {table} WHERE {where} LIMIT 1")[0][0])

    def sums(self, table: str, held: Held, segment: str) -> list[str]:
        """What must stay as it is in a segment, its number of rows first."""
        rows = self._ask(
            f"SELECT {', '.join(held.sums)} FROM {table} WHERE $segmentName = '{segment}' LIMIT 1"
        )
        return [format(Decimal(str(each)), "f") for each in rows[0]]

    def _ask(self, statement: str) -> list[list[Any]]:
        body = {"sql": statement, "queryOptions": f"timeoutMs={TIMEOUT_MS}"}
        answer = self._broker.post("/query/sql", body, parse_float=Decimal)
        refuse_partial(answer)
        if answer.get("numGroupsLimitReached"):
            raise NotServedError("Pinot cut the groups")
        rows: list[list[Any]] = answer.get("resultTable", {}).get("rows", [])
        return rows
