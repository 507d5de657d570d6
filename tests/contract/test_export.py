"""Exports over the embedded store, against the plain-Python reference and against paging by GraphQL.

Any entries with ties and odd ids, any window, filters, order, zone and page size, seen by who sees all
ids and by who gets masks; rows that arrive in the middle, and a cut at any row.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import httpx
import pytest
from graphql import GraphQLObjectType, build_schema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import ASGIApp, Message

from gateway.access.caller import SCOPE_KEY, Caller, Role
from gateway.access.masking import Masking
from gateway.analytics.model import Direction, Entry, Interval, TransactionKind, TransactionSort
from gateway.analytics.query_plan import EntriesPlan
from gateway.app import create_app
from gateway.execution.sdl import sdl
from gateway.http.export.asked import NEEDED, PARAMETERS
from gateway.http.export.rows import FIELDS
from gateway.settings import Settings
from gateway.store.duckdb.store import DuckdbStore
from tests.patience import PATIENCE_MS
from tests.reference import evaluate
from tests.store_cases import (
    SPAN_MS,
    START_MS,
    amounts,
    anyone,
    entry_lists,
    ids,
    intervals,
    kinds,
    times_ms,
)
from tests.unit.gateway.exported import Rows, rows_of, rows_of_csv

KEY = b"k" * 32
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ALL = 100_000
PAGE = """query ($account: ID!, $start: DateTime!, $end: DateTime!, $after: String, $direction: Direction,
    $kind: TransactionKind, $counterpartyId: ID, $minAmount: Decimal, $maxAmount: Decimal,
    $sortBy: TransactionSort!, $timeZone: TimeZone!) {
  account(id: $account) { transactions(window: {between: {start: $start, end: $end}}, first: 7, after: $after,
      direction: $direction, kind: $kind, counterpartyId: $counterpartyId, minAmount: $minAmount,
      maxAmount: $maxAmount, sortBy: $sortBy, timeZone: $timeZone) {
    edges { cursor node { transactionId kind reverses time direction counterpartyId amount } }
    pageInfo { hasNextPage endCursor } } } }"""


@dataclass(frozen=True)
class Case:
    """One list: what there is and what comes late, who asks, for what."""

    entries: list[Entry]
    late: list[Entry]
    now_ms: int
    account: str
    interval: Interval
    direction: Direction | None
    other: str | None
    kind: TransactionKind | None
    order: TransactionSort
    least: Decimal | None
    most: Decimal | None
    zone: str
    page_rows: int
    masked: bool

    @property
    def caller(self) -> Caller:
        return Caller("key:one", Role.PARTNER, frozenset({self.account}), not self.masked)

    def shown(self, account_id: str) -> str:
        return Masking(KEY).for_caller(self.caller)(account_id)

    @property
    def asked(self) -> dict[str, str]:
        """The list's arguments, by the names that address and document have for them."""
        given = {
            "account": self.account,
            "start": utc(self.interval.start_ms),
            "end": utc(self.interval.end_ms),
            "direction": self.direction and self.direction.value,
            "counterpartyId": None if self.other is None else self.shown(self.other),
            "kind": self.kind and self.kind.value,
            "minAmount": None if self.least is None else f"{self.least:f}",
            "maxAmount": None if self.most is None else f"{self.most:f}",
            "sortBy": self.order.value,
            "timeZone": self.zone,
        }
        return {name: value for name, value in given.items() if value is not None}

    def expected(self, entries: list[Entry]) -> Rows:
        """The reference's rows, told in plain Python."""
        end_ms = max(self.interval.start_ms, min(self.interval.end_ms, self.now_ms))
        plan = EntriesPlan(
            self.caller.may_read({self.account}),
            self.direction,
            self.other,
            Interval(self.interval.start_ms, end_ms),
            None,
            ALL,
            self.kind,
            self.order,
            self.least,
            self.most,
        )
        return [self._told(each) for each in evaluate(plan, entries)]

    def _told(self, entry: Entry) -> dict[str, Any]:
        amount = f"{entry.amount:f}"
        at = (EPOCH + timedelta(milliseconds=entry.event_time_ms)).astimezone(ZoneInfo(self.zone))
        return {
            "transactionId": entry.transaction_id,
            "kind": entry.kind.value,
            "reverses": entry.reverses,
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "direction": entry.direction.value,
            "counterpartyId": self.shown(entry.counterparty_id),
            "amount": amount.rstrip("0").rstrip(".") if "." in amount else amount,
        }


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Lists of any kind."""
    entries = draw(entry_lists())
    late = draw(entry_lists(max_transfers=6))
    some = [each.account_id for each in entries] or ["alice"]
    signed = st.one_of(st.none(), amounts, amounts.map(lambda amount: -amount))
    whole = Interval(START_MS, START_MS + SPAN_MS)
    return Case(
        entries,
        late,
        draw(st.one_of(times_ms, st.just(START_MS + 2 * SPAN_MS))),
        draw(st.one_of(st.sampled_from(some), ids)),
        draw(st.one_of(st.just(whole), intervals())),
        draw(st.one_of(st.none(), st.sampled_from(Direction))),
        draw(st.one_of(st.none(), anyone)),
        draw(kinds),
        draw(st.sampled_from(TransactionSort)),
        draw(signed),
        draw(signed),
        draw(st.sampled_from(["UTC", "Asia/Kathmandu", "America/St_Johns", "Europe/London"])),
        draw(st.sampled_from([1, 2, 3, 5, 500])),
        draw(st.booleans()),
    )


def utc(at_ms: int) -> str:
    return (EPOCH + timedelta(milliseconds=at_ms)).isoformat(timespec="milliseconds")


class Served:
    """A gateway over the case's entries, asked as its caller."""

    def __init__(self, case: Case, store: DuckdbStore, app: ASGIApp) -> None:
        self.case, self.store = case, store
        self._app = app
        transport = httpx.ASGITransport(self._as_caller)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://localhost")

    async def _as_caller(self, scope: Any, receive: Any, send: Any) -> None:
        scope[SCOPE_KEY] = self.case.caller
        await self._app(scope, receive, send)

    async def export(self, **more: str) -> tuple[int, bytes]:
        """Status and whole body; what is late comes behind the first page, if `late` is said."""
        late = more.pop("late", "")
        sent = bytearray()
        status = 0

        async def receive() -> Message:
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: Message) -> None:
            nonlocal status, late
            status = message.get("status", status)
            sent.extend(message.get("body", b""))
            if sent and late:
                late = ""
                self.store.load(self.case.late)

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/export/transactions",
            "query_string": urlencode(self.case.asked | more).encode(),
            "headers": [(b"host", b"localhost")],
        }
        await self._as_caller(scope, receive, send)
        return status, bytes(sent)

    async def by_pages(self) -> Rows:
        """The list as GraphQL pages it."""
        found: Rows = []
        variables = dict(self.case.asked)
        while True:
            body = {"query": PAGE, "variables": variables}
            answer = (await self._client.post("/graphql", json=body)).json()
            assert "errors" not in answer, answer
            page = answer["data"]["account"]["transactions"]
            found += [{**edge["node"], "cursor": edge["cursor"]} for edge in page["edges"]]
            if not page["pageInfo"]["hasNextPage"]:
                return found
            variables["after"] = page["pageInfo"]["endCursor"]


SAID_OTHERWISE = {"window", "first", "last", "before", "calendar"}
"""Of the field's arguments: by `start` and `end`, by the export itself; it goes forward; and of weeks and years it has none."""


def test_it_takes_what_the_field_takes_and_tells_what_the_field_tells() -> None:
    types = build_schema(sdl()).type_map
    account, transaction = types["Account"], types["Transaction"]
    assert isinstance(account, GraphQLObjectType)
    assert isinstance(transaction, GraphQLObjectType)
    arguments = set(account.fields["transactions"].args) - SAID_OTHERWISE
    assert set(PARAMETERS) == arguments | {*NEEDED, "format"}
    assert set(FIELDS) == set(transaction.fields) - {"reversedBy"} | {"cursor", "hasNext"}


@pytest.fixture(scope="module")
def masking_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("masks") / "masking.key"
    path.write_bytes(KEY)
    path.chmod(0o600)
    return path


def serve(case: Case, key: Path, entries: list[Entry]) -> tuple[DuckdbStore, Served]:
    store = DuckdbStore(epoch_ms=lambda: case.now_ms)
    asyncio.run(store.open())
    store.load(entries)
    chosen = Settings(
        log_level="error",
        deadline_ms=PATIENCE_MS,
        export_page_rows=case.page_rows,
        masking_key_file=str(key),
        budget_burst=10_000_000,
    )
    return store, Served(case, store, create_app(chosen, store, epoch_ms=lambda: case.now_ms))


def without_place(rows: Rows) -> Rows:
    return [
        {name: value for name, value in row.items() if name not in ("cursor", "hasNext")}
        for row in rows
    ]


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases(), data=st.data())
def test_an_export_is_the_list_that_the_reference_and_pages_have(
    masking_key: Path, case: Case, data: st.DataObject
) -> None:
    store, served = serve(case, masking_key, case.entries)

    async def run() -> None:
        status, body = await served.export()
        assert status == 200, body
        rows = rows_of(body)
        assert without_place(rows) == case.expected(case.entries)
        assert [row["hasNext"] for row in rows] == [True] * (len(rows) - 1) + [False] * bool(rows)
        paged = await served.by_pages()
        assert [{**row, "hasNext": row is not paged[-1]} for row in paged] == rows
        assert rows_of_csv((await served.export(format="csv"))[1]) == rows
        if rows:
            at = data.draw(st.integers(0, len(rows) - 1), "cut behind row")
            assert rows_of((await served.export(after=rows[at]["cursor"]))[1]) == rows[at + 1 :]
        await store.close()

    asyncio.run(run())


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases())
def test_what_comes_late_neither_hides_nor_doubles_what_was_there(
    masking_key: Path, case: Case
) -> None:
    store, served = serve(case, masking_key, case.entries)

    async def run() -> None:
        status, body = await served.export(late="yes")
        assert status == 200, body
        rows = rows_of(body)
        there, both = case.expected(case.entries), case.expected([*case.entries, *case.late])
        found = without_place(rows)
        kept = list(found)
        for row in there:
            kept.remove(row)
        # What comes late may say the same as what was there: each row of both stands for one at most.
        left = iter(both)
        assert all(row in left for row in found), "in the list's order, each once"
        await store.close()

    asyncio.run(run())
