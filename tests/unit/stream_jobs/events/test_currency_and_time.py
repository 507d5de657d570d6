"""An event's currency and its own time: as the deployment allows, or refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_jobs.events.reasons import RejectReason
from stream_jobs.events.rejection import Rejection
from stream_jobs.events.settings import DEFAULT, EventRules
from tests.unit.stream_jobs.events.one_event import NOW_MS, ORIGINAL, judged, refused, taken

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def test_a_currency_is_taken_only_if_it_is_the_one_of_the_deployment() -> None:
    euro = EventRules(currency="EUR")
    plain = taken(judged({}))
    assert taken(judged({"currency": "EUR"}, euro)) == plain
    for rules in (DEFAULT, euro):
        assert taken(judged({}, rules)) == plain
        assert taken(judged({"currency": None}, rules)) == plain
        for other in ("USD", "eur", "EUR ", "EURO", "", 978, ["EUR"], {"EUR": 1}, True):
            assert refused(judged({"currency": other}, rules)) is RejectReason.CURRENCY_UNKNOWN
    assert refused(judged({"currency": "EUR"})) is RejectReason.CURRENCY_UNKNOWN


@pytest.mark.parametrize(
    ("occurred_at", "time_ms"),
    [
        ("2023-11-14T22:13:20Z", NOW_MS),
        ("2023-11-14t22:13:20z", NOW_MS),
        ("2023-11-14T22:13:20-00:00", NOW_MS),
        ("2023-11-15T05:13:20+07:00", NOW_MS),
        ("2023-11-14T16:43:20-05:30", NOW_MS),
        ("2023-11-14T22:13:20.5Z", NOW_MS + 500),
        ("2023-11-14T22:13:19.999999999Z", NOW_MS - 1),
        ("2023-11-14T22:13:19.0009Z", NOW_MS - 1_000),
        (f"2023-11-14T22:13:20.123{'0' * 5_000}9Z", NOW_MS + 123),
        ("2023-10-15T22:13:20Z", NOW_MS - 30 * 86_400_000),
        ("2023-11-14T22:18:20Z", NOW_MS + 300_000),
        (None, NOW_MS),
    ],
)
def test_an_event_has_the_time_at_which_it_occurred(occurred_at: str | None, time_ms: int) -> None:
    assert taken(judged({"occurred_at": occurred_at})).event_time_ms == time_ms


@pytest.mark.parametrize(
    "occurred_at",
    [
        *("", "now", "2023-11-14", "2023-11-14T22:13:20", "2023-11-14T22:13Z", "20231114T221320Z"),
        *("2023-11-14 22:13:20Z", "2023-11-14T22:13:20 Z", " 2023-11-14T22:13:20Z"),
        *("2023-11-14T22:13:20Z\n", "2023-11-14T22:13:20,5Z", "2023-11-14T22:13:20.Z"),
        *("2023-11-14T22:13:20+0700", "2023-11-14T22:13:20+07", "2023-11-14T22:13:20+24:00"),
        *("2023-11-14T22:13:60Z", "2023-11-14T24:00:00Z", "2023-11-31T00:00:00Z"),
        *("2023-00-10T00:00:00Z", "0000-01-01T00:00:00Z", "-2023-11-14T22:13:20Z"),
        *("2023-W46-2T22:13:20Z", "2023-11-14T22:13:20[UTC]", "２０２３-11-14T22:13:20Z"),
        *("2023-10-15T22:13:19.999Z", "2023-11-14T22:18:20.001Z", "2070-01-01T00:00:00Z"),
        *(1_700_000_000_000, 1.5, True, [], {}, "1700000000000"),
    ],
)
def test_what_is_no_instant_or_too_far_from_its_record_is_refused(occurred_at: object) -> None:
    assert refused(judged({"occurred_at": occurred_at})) is RejectReason.OCCURRED_AT_INVALID


def test_how_far_an_event_may_be_from_its_record_is_a_setting_within_the_bounds_of_all() -> None:
    wide = EventRules(occurred_back=timedelta(days=40_000), occurred_ahead=timedelta(days=40_000))
    for instant, beyond in (
        ("1971-01-01T23:59:59.999Z", True),
        ("1971-01-02T00:00:00Z", False),
        ("2069-12-31T23:59:59.999Z", False),
        ("2070-01-01T00:00:00Z", True),
        ("9999-12-31T23:59:59-23:59", True),
        ("0001-01-01T00:00:00+23:59", True),
    ):
        assert isinstance(judged({"occurred_at": instant}, wide), Rejection) == beyond
    strict = EventRules(occurred_back=timedelta(0), occurred_ahead=timedelta(0))
    assert taken(judged({"occurred_at": "2023-11-14T22:13:20Z"}, strict)).event_time_ms == NOW_MS
    assert refused(judged({"occurred_at": "2023-11-14T22:13:19Z"}, strict))


def test_a_reversal_has_a_time_of_its_own_too() -> None:
    said = taken(
        judged(
            {
                "type": "reversal",
                "reverses": ORIGINAL,
                "occurred_at": "2023-11-14T22:13:19Z",
                "currency": None,
            }
        )
    )
    assert (said.event_time_ms, said.reverses) == (NOW_MS - 1_000, ORIGINAL.lower())


@given(st.timedeltas(timedelta(days=-29), timedelta(0)), st.integers(-1439, 1439))
def test_every_instant_in_any_zone_is_understood(ago: timedelta, offset_minutes: int) -> None:
    zone = timezone(timedelta(minutes=offset_minutes))
    instant = (EPOCH + timedelta(milliseconds=NOW_MS) + ago).astimezone(zone)
    whole_ms = (instant - EPOCH) // timedelta(milliseconds=1)
    assert taken(judged({"occurred_at": instant.isoformat()})).event_time_ms == whole_ms
