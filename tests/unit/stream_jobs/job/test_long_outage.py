"""A job that was away for too long is refused with the reasons and one command; one that was not goes on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from stream_jobs.job.long_outage import Away, LongOutageError, deleted_unread, refuse_after_outage
from stream_jobs.topics.offsets import Gap

DAY = timedelta(days=1)
GOOD = Away(timedelta(hours=20), 14 * DAY, 24 * DAY, DAY, {})


def test_a_job_that_was_away_for_a_night_goes_on() -> None:
    refuse_after_outage(GOOD)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"lasted": 15 * DAY, "outage_reserve": 20 * DAY}, "given up transactions of 14 d"),
        (
            {"lasted": 24 * DAY, "transaction_timeout": 30 * DAY, "outage_reserve": 30 * DAY},
            "forget transactional ids after 24 d",
        ),
        (  # a start takes its time
            {
                "lasted": 24 * DAY - timedelta(minutes=30),
                "transaction_timeout": 30 * DAY,
                "outage_reserve": 30 * DAY,
            },
            "transactional.id.expiration.ms",
        ),
        ({"lasted": timedelta(hours=25)}, "late duplicate would count twice"),
        ({"unread": {3: Gap(5, 12), 1: Gap(0, 1)}}, r"deleted 8 .*\[1\] 0 to 1, \[3\] 5 to 12"),
        ({"unread": None}, "offsets.retention.minutes"),
    ],
)
def test_one_that_was_away_too_long_is_refused_with_the_command(
    changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(LongOutageError, match=reason) as refused:
        refuse_after_outage(replace(GOOD, **changes))
    said = str(refused.value)
    assert said.count("\n  ") == 1
    assert "--after-outage" in said
    assert "repair --apply" in said


def test_all_reasons_are_told_at_once_and_the_reserve_that_is_needed() -> None:
    with pytest.raises(LongOutageError) as refused:
        refuse_after_outage(replace(GOOD, lasted=25 * DAY, unread={0: Gap(1, 2)}))
    assert str(refused.value).count("\n  ") == 4
    assert f"--outage-reserve-s {25 * 86_400}" in str(refused.value)


def test_what_was_deleted_unread_lies_between_the_committed_offset_and_the_start() -> None:
    assert deleted_unread({0: 10, 1: 4, 2: 0}, {0: 10, 1: 9}) == {}
    assert deleted_unread({0: 10, 1: 4, 2: 7}, {0: 8, 1: 9}) == {0: Gap(8, 10), 2: Gap(0, 7)}


def test_without_any_committed_offset_nobody_knows() -> None:
    assert deleted_unread({0: 0, 1: 4}, {}) is None
    assert deleted_unread({0: 0, 1: 0}, {}) == {}
