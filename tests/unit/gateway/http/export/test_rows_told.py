"""What an export tells: the rows that pages of GraphQL have, in both formats, with where each stands."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from gateway.analytics.model import Entry
from gateway.settings import Settings
from tests.store_cases import reversal, transfer
from tests.unit.gateway.exported import (
    HOUR_MS,
    UUID,
    WINDOW,
    Export,
    Rows,
    export,
    paid,
    rows_of_csv,
)
from tests.unit.gateway.fakes import NOW_MS
from tests.unit.gateway.served import Gateway, HeldStore, settle

pytestmark = pytest.mark.anyio
PAGE = """query ($start: DateTime!, $end: DateTime!, $after: String, $direction: Direction, $kind: TransactionKind,
    $counterpartyId: ID, $minAmount: Decimal, $maxAmount: Decimal, $sortBy: TransactionSort!, $timeZone: TimeZone!) {
  account(id: "alice") { transactions(window: {between: {start: $start, end: $end}}, first: 3, after: $after,
      direction: $direction, kind: $kind, counterpartyId: $counterpartyId, minAmount: $minAmount,
      maxAmount: $maxAmount, sortBy: $sortBy, timeZone: $timeZone) {
    edges { cursor node { transactionId kind reverses time direction counterpartyId amount } }
    pageInfo { hasNextPage endCursor } } } }"""
FORMULAS = ("=1+1", "+49", "-5", "@sum", '="a",b', "a\u2028b")
"""Account ids that a spreadsheet may take for something else, or that need quotes."""


def mixed() -> list[Entry]:
    """Transfers to alice and from her, some at one instant, some taken back, one to herself, with odd ids."""
    made: list[Entry] = []
    for number, other in enumerate((*FORMULAS, "bob", "bob", "alice")):
        at_ms = NOW_MS - (number // 2 + 1) * HOUR_MS
        sides = ("alice", other) if number % 3 else (other, "alice")
        moved = transfer(*sides, UUID.format(number), Decimal(number + 1) / 8, at_ms)
        made += moved
        if number % 4 == 0:
            made += reversal(moved, UUID.format(100 + number), at_ms + number * 1_000)
    return made


async def by_pages(gateway: Gateway, **asked: Any) -> Rows:
    """The same list as GraphQL pages it."""
    found: Rows = []
    variables = {"sortBy": "TIME_DESCENDING", "timeZone": "UTC"} | WINDOW | asked
    while True:
        answer = await gateway.ask(PAGE, **variables)
        assert "errors" not in answer, answer
        page = answer["data"]["account"]["transactions"]
        found += [{**edge["node"], "cursor": edge["cursor"]} for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        variables["after"] = page["pageInfo"]["endCursor"]
    return [{**row, "hasNext": row is not found[-1]} for row in found]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"direction": "SENT"},
        {"kind": "REVERSAL", "timeZone": "Asia/Kathmandu"},
        {"counterpartyId": "="},
        {"counterpartyId": "=1+1"},
        {"minAmount": "-0.5", "maxAmount": "0.75", "sortBy": "AMOUNT_ASCENDING"},
        {"sortBy": "TIME_ASCENDING", "timeZone": "America/New_York"},
        {"start": "2025-11-22T11:26:40+07:00", "end": "2025-11-22T07:26:40Z"},
    ],
    ids=str,
)
@pytest.mark.parametrize("page_rows", [1, 4, 500])
async def test_an_export_has_the_rows_of_all_pages_and_their_cursors(
    page_rows: int, asked: dict[str, str]
) -> None:
    gateway = Gateway(Settings(export_page_rows=page_rows), HeldStore(mixed()))
    expected = await by_pages(gateway, **asked)
    assert bool(expected) is (asked.get("counterpartyId") != "=")
    found = await export(gateway, **asked)
    assert (found.status, found.whole) == (200, True)
    assert found.rows == expected
    as_csv = await export(gateway, format="csv", **asked)
    assert (as_csv.status, as_csv.whole) == (200, True)
    assert rows_of_csv(as_csv.body) == expected


@pytest.mark.parametrize("asked", FORMULAS)
async def test_an_id_is_never_changed(asked: str) -> None:
    gateway = Gateway(store=HeldStore(mixed()))
    for format_ in ("ndjson", "csv"):
        found = await export(gateway, format=format_, counterpartyId=asked)
        rows = found.rows if format_ == "ndjson" else rows_of_csv(found.body)
        assert {row["counterpartyId"] for row in rows} == {asked}


async def test_csv_has_a_header_and_quotes_in_every_field_and_lines_as_rfc_4180_has_them() -> None:
    gateway = Gateway(store=HeldStore(paid(1, sender='"a", b')))
    head, row, rest = (await export(gateway, format="csv")).body.split(b"\r\n")
    assert head.startswith(b'"transactionId","kind","reverses","time","direction",')
    assert row.startswith(b'"00000000-0000-0000-0001-000000000000","TRANSFER","",')
    assert b',"RECEIVED","""a"", b","1",' in row
    assert row.endswith(b',"false"')
    assert rest == b""


async def test_amounts_have_all_their_digits_and_times_their_offset() -> None:
    amount = Decimal("999999999999999999.12345678")
    data = transfer("alice", "bob", UUID.format(1), amount, NOW_MS - HOUR_MS)
    (row,) = (await export(Gateway(store=HeldStore(data)), timeZone="Asia/Ho_Chi_Minh")).rows
    assert row["amount"] == "999999999999999999.12345678"
    assert row["time"] == "2025-11-22T14:26:40.000+07:00"


@pytest.mark.parametrize(("format_", "lines"), [("ndjson", 0), ("csv", 1)])
async def test_a_list_without_rows_is_whole(format_: str, lines: int) -> None:
    found = await export(Gateway(store=HeldStore([])), format=format_)
    assert (found.status, found.whole) == (200, True)
    assert found.body.count(b"\n") == lines
    assert found.told["content-length"] == str(len(found.body))


async def test_a_page_is_fetched_when_the_one_before_was_taken() -> None:
    gateway = Gateway(Settings(export_page_rows=2, rows_max_bytes=0), HeldStore(paid(7)))
    taken = asyncio.Semaphore(0)
    found = Export(gateway, pieces=taken)
    await settle()
    assert len(gateway.store.plans) == 1
    pieces = 1  # the head
    for pages in (1, 2, 3):
        for _ in range(pieces):
            taken.release()
        await settle()
        assert len(gateway.store.plans) == pages
        taken.release()  # the page is on its way; the next one is fetched when it has gone
        await settle()
        assert (len(gateway.store.plans), len(found.rows)) == (pages, 2 * pages)
    for _ in range(2):
        taken.release()
    await settle()
    assert (len(gateway.store.plans), len(found.rows), found.ended) == (4, 7, False)
    for _ in range(2):
        taken.release()
    await settle()
    assert found.whole
    assert found.amounts == [1, 2, 3, 4, 5, 6, 7]


async def test_what_arrives_meanwhile_moves_no_page() -> None:
    data = paid(6)
    store = HeldStore(data)
    gateway = Gateway(Settings(export_page_rows=2, rows_max_bytes=0), store)
    found = Export(gateway)
    found.takes.clear()
    await settle()
    just_now = transfer("alice", "new", UUID.format(77), Decimal(77), NOW_MS - 500)
    passed = transfer("alice", "late", UUID.format(78), Decimal(78), NOW_MS - HOUR_MS + 1)
    store.entries = [*data, *just_now, *passed]
    store.as_of_ms = NOW_MS + 5_000
    found.takes.set()
    await settle()
    assert found.whole
    assert found.amounts == [1, 2, 3, 4, 5, 6]
    assert found.told["x-as-of"] == found.told["x-window-end"] == "2025-11-22T08:26:39.000Z"


async def test_the_response_is_nobody_elses_to_keep() -> None:
    found = await export(Gateway(store=HeldStore(paid(1))), {"x-request-id": "take-7"})
    assert found.told["cache-control"] == "no-store"
    assert found.told["vary"] == "Accept, Authorization, X-API-Key"
    assert found.told["x-request-id"] == "take-7"
    assert found.told["content-type"] == "application/x-ndjson"
    assert found.told["content-disposition"] == 'attachment; filename="transactions.ndjson"'
    assert "etag" not in found.told
