"""An export that cannot go on breaks off, and another one goes on behind its last row."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from gateway.errors import (
    DeadlineExceededError,
    OverloadedError,
    PartialAnswerError,
    StoreUnavailableError,
)
from gateway.settings import Settings
from tests.identity_provider import Trust, token
from tests.unit.gateway.exported import Export, export, paid
from tests.unit.gateway.http.export.pages_of_two import TWO, failing
from tests.unit.gateway.process.listening import until
from tests.unit.gateway.served import OWNER, Gateway, HeldStore, settle

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (StoreUnavailableError("at host-7"), 503, "BACKEND_UNAVAILABLE"),
        (PartialAnswerError("host-7"), 503, "PARTIAL_RESULT"),
        (DeadlineExceededError("of host-7"), 504, "DEADLINE_EXCEEDED"),
        (OverloadedError("at host-7"), 503, "RATE_LIMITED"),
        (ZeroDivisionError("host-7"), 500, "INTERNAL_SERVER_ERROR"),
    ],
)
async def test_before_its_first_row_an_error_is_told_as_the_api_does(
    failure: Exception, status: int, code: str
) -> None:
    gateway = failing(1, failure)
    found = await export(gateway)
    assert (found.status, found.code, found.whole) == (status, code, True)
    assert b"host-7" not in found.body
    assert ("retry-after" in found.told) is isinstance(failure, OverloadedError)


@pytest.mark.parametrize(
    ("failure", "because"),
    [
        (StoreUnavailableError("at host-7"), "store"),
        (PartialAnswerError("host-7"), "store"),
        (DeadlineExceededError("of host-7"), "store"),
        (ZeroDivisionError("host-7"), "cut"),
    ],
)
@pytest.mark.parametrize("at", [2, 3, 4])
async def test_behind_it_the_export_breaks_off_and_another_goes_on(
    at: int, failure: Exception, because: str
) -> None:
    gateway = failing(at, failure)
    first = await export(gateway)
    assert (first.status, first.broken, first.ended) == (200, True, False)
    assert first.rows[-1]["hasNext"] is True
    rest = await export(gateway, after=first.rows[-1]["cursor"])
    assert rest.whole
    assert first.amounts + rest.amounts == [1, 2, 3, 4, 5, 6, 7]
    assert [row["hasNext"] for row in rest.rows][-2:][-1] is False
    assert rest.told["x-window-end"] == first.told["x-window-end"]
    assert await gateway.metric('gateway_exports_ended_total{because="%s"}' % because) == 1  # noqa: UP031
    (cause,) = (
        json.loads(line)
        for line in gateway.log.getvalue().splitlines()
        if "store_or_gateway_error" in line
    )
    assert cause["level"] == "error"


async def test_what_may_be_incomplete_is_not_exported() -> None:
    gateway = Gateway(Settings(**TWO), HeldStore(paid(3), inexact="some were cut"))
    found = await export(gateway)
    assert (found.status, found.code) == (503, "PARTIAL_RESULT")


@pytest.mark.parametrize(("most", "pages"), [(1, 7), (2, 4), (3, 3), (6, 2), (7, 1), (100, 1)])
async def test_one_export_has_so_many_rows_and_the_next_goes_on(most: int, pages: int) -> None:
    gateway = Gateway(Settings(export_rows=most, **TWO), HeldStore(paid(7)))
    amounts: list[int] = []
    asked: dict[str, str] = {}
    for page in range(pages):
        found = await export(gateway, **asked)
        assert found.whole is (page == pages - 1)
        assert found.rows[-1]["hasNext"] is not found.whole
        assert len(found.rows) == (7 - len(amounts) if found.whole else most)
        amounts += found.amounts
        asked = {"after": found.rows[-1]["cursor"]}
    assert amounts == [1, 2, 3, 4, 5, 6, 7]
    ended = 'gateway_exports_ended_total{because="limit"}'
    assert await gateway.metric(ended) == pages - 1


async def test_none_at_all_where_they_are_switched_off() -> None:
    found = await export(Gateway(Settings(exports=0), HeldStore(paid(5))))
    assert (found.status, b"nothing at this path" in found.body) == (404, True)


async def test_who_hangs_up_is_noticed_and_its_store_query_stopped() -> None:
    gateway = Gateway(Settings(**TWO), HeldStore(paid(7)))
    gateway.store.may_answer = asyncio.Event()
    before = Export(gateway)
    await settle()
    await before.hang_up()
    assert (before.status, gateway.store.cancelled) == (0, 1)
    gateway.store.may_answer = None
    meanwhile = Export(gateway)
    meanwhile.takes.clear()
    await settle()
    await meanwhile.hang_up()
    assert meanwhile.serving.done()
    assert await gateway.metric('gateway_exports_ended_total{because="client"}') == 1
    assert await gateway.metric("gateway_exports ") == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"accounts": frozenset({"bob"})},
        {"sees_counterparties": False},
    ],
)
async def test_a_right_that_changes_ends_it(changed: dict[str, Any]) -> None:
    gateway = Gateway(Settings(**TWO), HeldStore(paid(7)))
    gateway.caller = OWNER
    found = Export(gateway)
    found.takes.clear()
    await settle()
    found.scope["gateway.caller"] = replace(OWNER, **changed)
    found.takes.set()
    await found.settled()
    assert (found.broken, found.amounts) == (True, [1, 2])
    assert await gateway.metric('gateway_exports_ended_total{because="right"}') == 1


async def test_a_revoked_token_ends_it(trust: Trust) -> None:
    gateway = Gateway(trust.settings(**TWO), HeldStore(paid(9)))
    found = Export(gateway, headers={"authorization": f"Bearer {token()}"})
    found.takes.clear()
    await until(lambda: bool(gateway.store.plans))
    await settle()
    trust.write("revoked.json", {"jti": ["token-1"], "sub": {}})
    gateway.passes(5.0)
    found.takes.set()
    await until(found.serving.done)
    assert (found.broken, found.amounts) == (True, [1, 2])
    refused = Export(gateway, headers={"authorization": f"Bearer {token()}"})
    await until(refused.serving.done)
    assert (refused.status, refused.code) == (401, "UNAUTHENTICATED")
