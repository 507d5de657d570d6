"""What an export's address may say; all else is refused as the API refuses, before anything is fetched."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from gateway.settings import Settings
from graphql_schema.scalars import serialize_datetime
from tests.unit.gateway.exported import WINDOW, export
from tests.unit.gateway.fakes import NOW_MS
from tests.unit.gateway.served import Gateway

pytestmark = pytest.mark.anyio
PATH = "/export/transactions"
NEEDED = "account=alice&start=2025-11-01T00:00:00Z&end=2025-12-01T00:00:00Z"


@pytest.mark.parametrize(
    ("query", "argument"),
    [
        ("", "account"),
        ("account=alice&end=2025-12-01T00:00:00Z", "start"),
        ("account=alice&start=2025-12-01T00:00:00Z", "end"),
        (f"{NEEDED}&first=10", "first"),
        (f"{NEEDED}&Direction=SENT", "Direction"),
        (f"{NEEDED}&direction=sent", "direction"),
        (f"{NEEDED}&direction=", "direction"),
        (f"{NEEDED}&kind=REFUND", "kind"),
        (f"{NEEDED}&sortBy=AMOUNT", "sortBy"),
        (f"{NEEDED}&format=xml", "format"),
        (f"{NEEDED}&minAmount=1e3", "minAmount"),
        (f"{NEEDED}&maxAmount=0.123456789", "maxAmount"),
        (f"{NEEDED}&timeZone=Mars", "timeZone"),
        (f"{NEEDED}&counterpartyId=", "counterpartyId"),
        (f"{NEEDED}&after=", "after"),
        (f"{NEEDED}&after=abc", "after"),
        (NEEDED.replace("alice", ""), "account"),
        (NEEDED.replace("alice", "a%07b"), "account"),
        (NEEDED.replace("alice", "x" * 65), "account"),
        (NEEDED.replace("2025-11-01T00:00:00Z", "2025-11-01"), "start"),
        (NEEDED.replace("2025-12", "2025-10"), "window.between"),
        (NEEDED.replace("2025-12", "2045-12"), "window"),
        (NEEDED.replace("2025-12", "9025-12"), "window"),
    ],
)
async def test_what_is_wrong_is_named(gateway: Gateway, query: str, argument: str) -> None:
    response = await gateway.client.get(f"{PATH}?{query}")
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["extensions"]["argument"] == argument
    assert error["extensions"]["requestId"] == response.headers["x-request-id"]
    assert response.headers["cache-control"] == "no-store"
    assert gateway.store.plans == []


@pytest.mark.parametrize(("days", "is_kept"), [(0, True), (22, True), (21, False), (2, False)])
async def test_a_list_from_before_what_is_kept_is_refused_at_once(days: int, is_kept: bool) -> None:
    gateway = Gateway(Settings(rows_max_bytes=0, rows_days=1, entries_kept_days=days))
    response = await gateway.client.get(f"{PATH}?{NEEDED}")
    assert (response.status_code == 200) is is_kept
    if not is_kept:
        (error,) = response.json()["errors"]
        assert error["extensions"]["argument"] == "start"
        kept_ms = NOW_MS - days * 86_400_000
        assert serialize_datetime(datetime.fromtimestamp(kept_ms / 1000, UTC)) in error["message"]
        assert gateway.store.plans == []


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        (f"{NEEDED}&account=bob", 400, "twice"),
        (f"{NEEDED}&after=a&after=a", 400, "twice"),
        (NEEDED.replace("alice", "%E9"), 400, "UTF-8"),
        (f"{NEEDED}&x={'x' * 16_384}", 414, "16384 bytes."),
    ],
)
async def test_an_address_is_read_as_graphqls_is(
    gateway: Gateway, query: str, status: int, words: str
) -> None:
    response = await gateway.client.get(f"{PATH}?{query}")
    assert response.status_code == status
    (error,) = response.json()["errors"]
    assert (error["extensions"]["code"], words in error["message"]) == ("BAD_USER_INPUT", True)
    assert gateway.store.plans == []


async def test_a_plus_that_became_a_blank_is_told(gateway: Gateway) -> None:
    query = NEEDED.replace("2025-11-01T00:00:00Z", "2025-11-01T00:00:00+07:00")
    (error,) = (await gateway.client.get(f"{PATH}?{query}")).json()["errors"]
    assert "`%2B`" in error["message"]


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
async def test_only_get_asks(gateway: Gateway, method: str) -> None:
    response = await gateway.client.request(method, f"{PATH}?{NEEDED}")
    assert (response.status_code, response.headers["allow"]) == (405, "GET")
    assert gateway.store.plans == []
    graphql = await gateway.client.request(method, "/graphql?query={x}")
    assert (graphql.status_code == 405) is (method != "POST")


@pytest.mark.parametrize(
    ("accept", "format_", "told"),
    [
        (None, None, "application/x-ndjson"),
        ("*/*", None, "application/x-ndjson"),
        ("text/html,application/xml;q=0.9,*/*;q=0.8", None, "application/x-ndjson"),
        ("text/csv", None, "text/csv"),
        ("text/*", None, "text/csv"),
        ("text/csv;q=0.5, application/x-ndjson", None, "application/x-ndjson"),
        ("text/csv, application/x-ndjson;q=0.5", None, "text/csv"),
        ("text/csv", "ndjson", "application/x-ndjson"),
        ("*/*", "csv", "text/csv"),
        ("application/json", "csv", "text/csv"),
        ("text/csv;q=0", "csv", "text/csv"),
        ("image/png", "ndjson", "application/x-ndjson"),
    ],
)
async def test_the_format_is_as_the_address_says_else_as_is_accepted(
    gateway: Gateway, accept: str | None, format_: str | None, told: str
) -> None:
    asked = {} if format_ is None else {"format": format_}
    found = await export(gateway, {} if accept is None else {"accept": accept}, **asked)
    assert (found.status, found.told["content-type"].partition(";")[0]) == (200, told)


@pytest.mark.parametrize("accept", ["application/json", "text/csv;q=0", "image/*"])
async def test_who_accepts_neither_format_is_told_both(gateway: Gateway, accept: str) -> None:
    found = await export(gateway, {"accept": accept})
    assert (found.status, found.code) == (406, "BAD_USER_INPUT")
    assert "application/x-ndjson or text/csv" in json.loads(found.body)["errors"][0]["message"]


async def test_a_slash_at_the_end_makes_no_difference(gateway: Gateway) -> None:
    response = await gateway.client.get(f"{PATH}/?{NEEDED}")
    assert (response.status_code, len(response.text.splitlines())) == (200, 5)


async def test_other_sites_may_ask_where_they_are_allowed_to(gateway: Gateway) -> None:
    refused = await gateway.client.get(
        f"{PATH}?{NEEDED}", headers={"origin": "https://elsewhere.example"}
    )
    assert refused.status_code == 403
    assert gateway.store.plans == []


async def test_pages_of_an_allowed_site_may_ask_and_read_what_the_list_goes_up_to() -> None:
    gateway = Gateway(Settings(allowed_origins="https://shop.example"))
    origin = {"origin": "https://shop.example"}
    asks = origin | {"access-control-request-method": "GET"}
    preflight = await gateway.client.request("OPTIONS", PATH, headers=asks)
    assert (preflight.status_code, gateway.store.plans) == (204, [])
    answer = await gateway.client.get(f"{PATH}?{NEEDED}", headers=origin)
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    exposed = answer.headers["access-control-expose-headers"]
    assert {"X-As-Of", "X-Window-End", "X-Request-Id"} <= set(exposed.split(", "))
    assert "Origin" in answer.headers["vary"]


async def test_a_cursor_of_another_list_is_refused(gateway: Gateway) -> None:
    cursor = (await export(gateway)).rows[0]["cursor"]
    gateway.store.plans.clear()
    for other in ({"account": "bob"}, {"kind": "TRANSFER"}, {**WINDOW, "end": WINDOW["start"]}):
        found = await export(gateway, after=cursor, **other)
        assert (found.status, found.code) == (400, "BAD_USER_INPUT")
        assert gateway.store.plans == []
