"""What the pipeline tells of itself: how far behind it is, a flood of rejected events, the audit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.analytics.model import Interval
from gateway.analytics.pipeline_model import AuditMismatch, AuditReport
from tests.unit.gateway.analytics.few_transfers import entries
from tests.unit.gateway.api import Api
from tests.unit.gateway.fakes import AS_OF_MS, NOW_MS

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("behind_ms", "state"),
    [(0, "LIVE"), (30_000, "LIVE"), (30_001, "DELAYED"), (60_001, "STALLED")],
)
async def test_the_pipeline_tells_how_far_it_is_behind(
    api: Api, behind_ms: int, state: str
) -> None:
    api.store.as_of_ms = NOW_MS - behind_ms
    answer = await api.ask("{ pipeline { freshnessSeconds state dataSource entries } }")
    assert answer["pipeline"] == {
        "freshnessSeconds": behind_ms / 1000,
        "state": state,
        "dataSource": "PIPELINE",
        "entries": 16,
    }


@pytest.mark.parametrize(
    ("rejected", "transfers", "age_ms", "flood"),
    [
        (0, 0, 0, False),
        (1_000, 0, 1, True),
        (999, 0, 1, False),
        (600, 600, 1, True),
        (600, 601, 1, False),
        (1_000, 0, 60_000, True),
        (1_000, 0, 60_001, False),  # over a minute before asOf
        (1_000, 0, 0, False),  # asOf itself is not answered yet
    ],
)
async def test_a_minute_of_mostly_garbage_is_a_flood(
    rejected: int, transfers: int, age_ms: int, flood: bool
) -> None:
    at_ms = AS_OF_MS - age_ms
    flooded = Api(entries(*(("alice", "bob", "1", NOW_MS - at_ms) for _ in range(transfers))))
    flooded.store.rejected = [("NOT_JSON", at_ms)] * rejected
    async with flooded.client:
        assert await flooded.ask("{ pipeline { rejectFlood } }") == {
            "pipeline": {"rejectFlood": flood}
        }


MISMATCH = AuditMismatch("ENTRIES", "LOST", Interval(NOW_MS - 20_000, NOW_MS - 10_000), 2, ("id",))
SOUND = AuditReport(NOW_MS - 500, NOW_MS - 2_000, NOW_MS - 5_000, 7, 0, 1, ())


@pytest.mark.parametrize(
    ("report", "state"),
    [
        (SOUND, "CONSISTENT"),
        (None, "BEHIND"),
        (replace(SOUND, recorded_at_ms=NOW_MS - 60_001), "BEHIND"),
        (replace(SOUND, through_ms=NOW_MS - 60_001), "BEHIND"),
        (replace(SOUND, through_ms=NOW_MS - 60_000), "CONSISTENT"),
        (replace(SOUND, open_intervals=1, mismatches=(MISMATCH,)), "INCONSISTENT"),
        # Being behind does not make it right again.
        (replace(SOUND, open_intervals=1, through_ms=0), "INCONSISTENT"),
    ],
)
async def test_the_audit_tells_whether_the_tiers_agree(
    api: Api, report: AuditReport | None, state: str
) -> None:
    api.store.audit = report
    answer = await api.ask("{ pipeline { audit { state } } }")
    assert answer["pipeline"]["audit"] == {"state": state}


async def test_the_audit_tells_what_differs_and_through_when_all_agrees(api: Api) -> None:
    api.store.audit = replace(SOUND, open_intervals=1, mismatches=(MISMATCH,))
    answer = await api.ask(
        """{ pipeline { audit { consistentThrough comparedThrough checkedIntervals
        inconsistentIntervals conflictingDuplicates
        openMismatches { start end tier kind count transactionIds } } } }"""
    )
    assert answer["pipeline"]["audit"] == {
        "consistentThrough": "2025-11-22T08:26:35.000Z",
        "comparedThrough": "2025-11-22T08:26:38.000Z",
        "checkedIntervals": 7,
        "inconsistentIntervals": 1,
        "conflictingDuplicates": 1,
        "openMismatches": [
            {
                "start": "2025-11-22T08:26:20.000Z",
                "end": "2025-11-22T08:26:30.000Z",
                "tier": "ENTRIES",
                "kind": "LOST",
                "count": 2,
                "transactionIds": ["id"],
            }
        ],
    }


async def test_sample_data_has_nothing_to_audit(api: Api) -> None:
    api.store.sample_data = True
    answer = await api.ask(
        "{ pipeline { audit { state consistentThrough openMismatches { kind } } } }"
    )
    assert answer["pipeline"]["audit"] == {
        "state": "NOT_APPLICABLE",
        "consistentThrough": None,
        "openMismatches": [],
    }
