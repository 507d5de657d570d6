"""Hours of the week as a zone's clock shows them."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.analytics.model import Entry
from tests.store_cases import reversal, transfer
from tests.unit.gateway.api import Api
from tests.unit.gateway.fakes import NOW_MS

UUID = "00000000-0000-0000-0000-{:012d}"
DAY_MS = 86_400_000
DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
ZONES = ("UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns")
HOURS = "hours { weekday hour transactionCount transactionAmount }"


@st.composite
def payments(draw: st.DrawFn) -> list[Entry]:
    found: list[Entry] = []
    for number in range(draw(st.integers(0, 30))):
        at_ms = NOW_MS - draw(st.integers(1, 60 * DAY_MS))
        sender, amount = draw(st.sampled_from(["bob", "carol"])), Decimal(draw(st.integers(1, 9)))
        moved = transfer("alice", sender, UUID.format(number), amount, at_ms)
        found += moved
        if draw(st.integers(0, 4)) == 0:
            found += reversal(moved, UUID.format(500 + number), at_ms + 1)
    return found


@settings(max_examples=20, deadline=None)
@given(
    entries=payments(),
    zone=st.sampled_from(ZONES),
    first=st.sampled_from(["MONDAY", "SATURDAY", "SUNDAY"]),
    other=st.sampled_from([None, "bob"]),
)
def test_every_transaction_is_in_the_hour_that_the_clock_showed(
    entries: list[Entry], zone: str, first: str, other: str | None
) -> None:
    # Sixty days back there is a change of the clock in most of these zones.
    only = "" if other is None else f', counterpartyId: "{other}"'
    asked = f"""weeklyPattern(window: {{last: {{count: 60, unit: DAY}}}}, timeZone: "{zone}",
      calendar: {{weekStart: {first}}}{only}) {{ {HOURS} }}"""

    async def run() -> list[dict[str, Any]]:
        api = Api(entries)
        answer = await api.account(asked)
        assert len(api.store.plans) == 1
        hours: list[dict[str, Any]] = answer["weeklyPattern"]["hours"]
        return hours

    cells = anyio.run(run)
    expected: defaultdict[tuple[str, int], list[Decimal]] = defaultdict(list)
    for each in entries:
        if (
            each.account_id == "alice"
            and each.event_time_ms < NOW_MS
            and other in (None, each.counterparty_id)
        ):
            at = datetime.fromtimestamp(each.event_time_ms / 1000, ZoneInfo(zone))
            expected[DAYS[at.weekday()], at.hour].append(each.amount)
    start = DAYS.index(first)
    order = [(day, hour) for day in (*DAYS[start:], *DAYS[:start]) for hour in range(24)]
    assert [(cell["weekday"], cell["hour"]) for cell in cells] == order
    for cell in cells:
        amounts = expected.get((cell["weekday"], cell["hour"]), [])
        assert cell["transactionCount"] == len(amounts)
        assert Decimal(cell["transactionAmount"]) == sum(amounts)


@pytest.mark.anyio
async def test_a_window_of_more_hours_than_are_looked_at_is_refused() -> None:
    api = Api([])
    for hours, code in ((10_000, None), (10_001, "BAD_USER_INPUT")):
        window = f"window: {{lastFull: {{count: {hours}, unit: HOUR}}}}"
        query = f'{{ account(id: "alice") {{ weeklyPattern({window}) {{ exact }} }} }}'
        body = (await api.client.post("/graphql", json={"query": query})).json()
        codes = [each["extensions"]["code"] for each in body.get("errors", ())]
        assert codes == ([] if code is None else [code]), hours
    assert body["errors"][0]["message"].startswith("window: touches more than 10,000 hours")
