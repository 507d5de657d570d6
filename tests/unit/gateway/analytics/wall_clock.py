"""Windows and buckets as a wall clock shows them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.analytics.calendars import epoch_ms, instant
from gateway.analytics.model import Calendar, Granularity, Interval, Window
from gateway.analytics.window import buckets

UTC_ZONE = Calendar(ZoneInfo("UTC"))
BERLIN = Calendar(ZoneInfo("Europe/Berlin"))


def ms(text: str) -> int:
    return epoch_ms(datetime.fromisoformat(text))


def shown(window: Window) -> tuple[str, str]:
    interval = window.interval
    return tuple(  # type: ignore[return-value]
        instant(edge, window.zone).isoformat() for edge in (interval.start_ms, interval.end_ms)
    )


NOW_MS = ms("2026-03-31T10:20:30.400+00:00")


def points(start: str, end: str, granularity: Granularity, calendar: Calendar) -> list[str]:
    window = Window(Interval(ms(start), ms(end)), calendar)
    cut = buckets(window, granularity, NOW_MS, 1500)
    assert cut[0].start_ms == window.interval.start_ms
    assert cut[-1].end_ms == window.interval.end_ms
    return [instant(bucket.start_ms, calendar.zone).isoformat(timespec="minutes") for bucket in cut]
