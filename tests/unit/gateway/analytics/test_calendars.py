"""The same wall clock time in another period, where a clock shows it twice or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.analytics import calendars

BERLIN = ZoneInfo("Europe/Berlin")
HAVANA = ZoneInfo("America/Havana")
SAO_PAULO = ZoneInfo("America/Sao_Paulo")


def utc(*at: int) -> int:
    """Epoch milliseconds."""
    return calendars.epoch_ms(datetime(*at, tzinfo=UTC))  # type: ignore[misc,arg-type]


def test_a_time_that_a_clock_shows_twice_is_its_first() -> None:
    once = datetime(2025, 10, 27, 2, 30, tzinfo=BERLIN)
    assert calendars.shift_days(once, -1) == utc(2025, 10, 26, 0, 30)
    assert calendars.shift_months(once.replace(month=9, day=26), 1) == utc(2025, 10, 26, 0, 30)
    second = datetime(2025, 10, 26, 2, 30, tzinfo=BERLIN, fold=1)
    assert calendars.epoch_ms(second) == utc(2025, 10, 26, 1, 30)
    assert calendars.shift_days(second, -364) == utc(2024, 10, 27, 0, 30)
    assert calendars.shift_months(second, -132) == utc(2014, 10, 26, 0, 30)


@pytest.mark.parametrize(
    ("zone", "midnight_ms", "hour"),
    [
        (HAVANA, utc(2025, 11, 2, 4), 0),  # at one o'clock it was midnight again
        (SAO_PAULO, utc(2018, 11, 4, 3), 1),  # midnight was left out
    ],
)
def test_a_day_begins_at_its_midnight_whatever_the_clock_shows(
    zone: ZoneInfo, midnight_ms: int, hour: int
) -> None:
    assert calendars.instant(midnight_ms, zone).hour == hour
    start = calendars.on_the_wall(midnight_ms, zone)
    assert (start.hour, start.minute) == (0, 0)
    assert calendars.epoch_ms(start) == midnight_ms
    assert calendars.on_the_wall(midnight_ms + 1, zone).hour == hour


def test_a_day_that_a_month_does_not_have_is_its_end() -> None:
    last = datetime(2025, 3, 31, 12, tzinfo=BERLIN)
    assert calendars.shift_months_to_end(last, -1) == utc(2025, 2, 28, 23)
    assert calendars.shift_months_to_end(last, -2) == utc(2025, 1, 31, 11)
    assert calendars.shift_months_to_end(last.replace(day=28), -1) == utc(2025, 2, 28, 11)
    with pytest.raises(TypeError, match="is of a zone"):
        calendars.shift_months_to_end(last.replace(tzinfo=UTC), -1)
