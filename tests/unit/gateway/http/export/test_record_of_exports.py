"""What the log and the audit keep of an export: who asked for whose list, how it went, and how it ended."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.access.caller import Caller, Role
from gateway.settings import Settings
from tests.unit.gateway.exported import Export, export, paid
from tests.unit.gateway.process.listening import until
from tests.unit.gateway.served import TOTALS, Gateway, HeldStore, settle

pytestmark = pytest.mark.anyio
PARTNER = Caller("key:shop", Role.PARTNER, frozenset({"alice"}), True, credential="081c10385baf")


def told(gateway: Gateway) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gateway.log.getvalue().splitlines()]


async def test_two_lines_say_who_asked_for_what_and_how_it_ended(tmp_path: Path) -> None:
    audit = tmp_path / "audit.log"
    settings = Settings(export_page_rows=2, export_rows=4, audit_log=str(audit))
    gateway = Gateway(settings, HeldStore(paid(5)))
    gateway.caller = PARTNER
    found = await export(gateway, {"x-request-id": "take-1"})
    assert found.broken
    began, ended = told(gateway)
    who = {"request_id": "take-1", "caller": "key:shop", "credential": "081c10385baf"}
    who |= {"address": "10.0.0.9", "operation": "ExportTransactions"}
    assert began.items() >= (who | {"status": 200, "outcome": "ok", "cost": 80}).items()
    because = {"outcome": "ended", "because": "limit", "rows": 4, "points": 160}
    assert ended.items() >= (who | because).items()
    assert began["accounts"] == ended["accounts"]
    assert "alice" not in gateway.log.getvalue()
    await until(lambda: audit.read_text().count("\n") == 2)
    kept = [json.loads(line) for line in audit.read_text().splitlines()]
    assert [each["outcome"] for each in kept] == ["ok", "ended"]
    assert all(each.items() >= who.items() for each in kept)
    await gateway.post(TOTALS)
    assert told(gateway)[-1]["accounts"] == began["accounts"], "as GraphQL's record has it"


async def test_a_refusal_is_one_line_with_its_code() -> None:
    gateway = Gateway(store=HeldStore(paid(1)))
    gateway.caller = PARTNER
    found = await export(gateway, account="bob")
    assert (found.status, found.code) == (403, "FORBIDDEN")
    (line,) = told(gateway)
    assert (line["status"], line["outcome"], line["codes"]) == (403, "error", ["FORBIDDEN"])
    assert line["cost"] == json.loads(found.body)["extensions"]["cost"]["requested"] == 1_574
    assert (line["caller"], line["operation"]) == ("key:shop", "ExportTransactions")
    assert "bob" not in gateway.log.getvalue()


async def test_who_leaves_before_the_first_row_is_told_as_of_any_operation() -> None:
    gateway = Gateway(store=HeldStore(paid(1)))
    gateway.store.may_answer = asyncio.Event()
    found = Export(gateway)
    await settle()
    await found.hang_up()
    (line,) = told(gateway)
    assert (line["status"], line["codes"]) == (499, ["CLIENT_GONE"])


async def test_metrics_count_exports_their_rows_and_points() -> None:
    gateway = Gateway(Settings(export_page_rows=2), HeldStore(paid(5)))
    await export(gateway)
    ok = 'gateway_graphql_operations_total{operation="ExportTransactions",outcome="ok"}'
    assert await gateway.metric(ok) == 1
    assert await gateway.metric('gateway_exports_ended_total{because="complete"}') == 1
    assert await gateway.metric("gateway_export_rows_total") == 5
    assert await gateway.metric("gateway_cost_points_total") == 240


@pytest.mark.parametrize(("count", "passed", "taken"), [(2, 2, 0), (4, 4, 2), (5, 6, 4)])
async def test_a_last_page_that_is_not_taken_is_neither_complete_nor_counted(
    count: int, passed: int, taken: int
) -> None:
    gateway = Gateway(Settings(export_page_rows=2), HeldStore(paid(count)))
    found = Export(gateway, pieces=asyncio.Semaphore(passed))
    await settle()
    assert len(found.rows) == count, "it is on its way"
    await found.hang_up()
    ended = told(gateway)[-1]
    assert (ended["because"], ended["rows"]) == ("client", taken)
    assert await gateway.metric("gateway_export_rows_total") == taken
