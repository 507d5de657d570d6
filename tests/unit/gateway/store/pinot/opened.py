"""A store on a broker that answers by rule, and the shapes of what it answers."""

from __future__ import annotations

from typing import Any

from gateway.analytics.model import Direction, Interval
from gateway.analytics.query_plan import TotalsPlan
from gateway.settings import Settings
from gateway.store.pinot.store import PinotStore
from tests.scopes import of
from tests.unit.gateway.fakes import FakeBroker

WHOLE = Interval(0, 1_800_000_000_000)
RECEIVED = Direction.RECEIVED
TOTALS = TotalsPlan(of("alice"), frozenset({RECEIVED}), WHOLE)
TOTALS_TYPES = ["STRING", "STRING", "LONG", "STRING"]
TOTALS_ROW = ["alice", "RECEIVED", 3, "1000000.50000000"]
AUDIT_TYPES = ["LONG"] * 6 + ["STRING"]
COHORT_TYPES = ["INT", "LONG", "DOUBLE"]
TOP_TYPES = ["STRING", "LONG", "STRING"]


async def opened(broker: FakeBroker, **changed: Any) -> PinotStore:
    store = PinotStore(Settings(**changed), session=broker.session())
    await store.open()
    return store
