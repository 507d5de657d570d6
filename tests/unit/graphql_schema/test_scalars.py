"""How the scalars are written and read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from graphql import GraphQLError

from graphql_schema import scalars


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1000000.50000000", "1000000.5"),
        ("0", "0"),
        ("0E-8", "0"),
        ("-0.0", "0"),
        ("1E+3", "1000"),
        ("1E-8", "0.00000001"),
        ("100", "100"),
        ("-1.10", "-1.1"),
        ("99999999999999999999999999999999.99999999", "99999999999999999999999999999999.99999999"),
    ],
)
def test_decimals_are_written_plainly(value: str, text: str) -> None:
    assert scalars.serialize_decimal(Decimal(value)) == text


@pytest.mark.parametrize("value", [1.5, "1", None])
def test_only_decimals_are_written_as_decimals(value: object) -> None:
    with pytest.raises(GraphQLError):
        scalars.serialize_decimal(value)


def test_decimals_are_read_from_text_only() -> None:
    assert scalars.parse_decimal("1.5") == Decimal("1.5")
    for value in (1.5, 1, "1e3", "NaN", "", "٣", "01"):
        with pytest.raises(scalars.ScalarInputError):
            scalars.parse_decimal(value)


def test_longs_have_64_bits() -> None:
    assert scalars.serialize_long(2**63 - 1) == 2**63 - 1
    assert scalars.parse_long(-(2**63)) == -(2**63)
    for value in (2**63, "1", 1.0):
        with pytest.raises(GraphQLError):
            scalars.serialize_long(value)
    for value in (True, "1", 1.5):
        with pytest.raises(scalars.ScalarInputError):
            scalars.parse_long(value)


def test_instants_are_written_with_milliseconds_and_an_offset() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC)
    assert scalars.serialize_datetime(moment) == "2026-01-02T03:04:05.678Z"
    saigon = moment.astimezone(timezone(timedelta(hours=7)))
    assert scalars.serialize_datetime(saigon) == "2026-01-02T10:04:05.678+07:00"
    for value in (datetime(2026, 1, 1), "2026"):  # noqa: DTZ001 - without an offset on purpose
        with pytest.raises(GraphQLError):
            scalars.serialize_datetime(value)


@pytest.mark.parametrize(
    ("zone", "moment", "text"),
    [
        ("Africa/Monrovia", "1971-06-01T12:00:00+00:00", "1971-06-01T11:16:00.000-00:44"),
        ("Africa/Monrovia", "1970-01-01T00:44:30+00:00", "1970-01-01T00:00:30.000-00:44"),
        ("Africa/Monrovia", "1972-02-01T12:00:00+00:00", "1972-02-01T12:00:00.000Z"),
        ("Europe/Amsterdam", "1937-01-01T11:40:27.870+00:00", "1937-01-01T12:00:27.870+00:20"),
        ("Asia/Kathmandu", "1969-12-31T18:30:00.001+00:00", "1970-01-01T00:00:00.001+05:30"),
    ],
)
def test_an_offset_with_seconds_is_told_as_the_closest_without(
    zone: str, moment: str, text: str
) -> None:
    told = scalars.serialize_datetime(datetime.fromisoformat(moment).astimezone(ZoneInfo(zone)))
    assert told == text
    assert scalars.parse_datetime(told) == datetime.fromisoformat(moment)


def test_equal_instants_are_written_on_their_own_clocks_whatever_was_written_before() -> None:
    utc = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
    saigon = utc.astimezone(timezone(timedelta(hours=7)))
    written = [scalars.serialize_datetime(each) for each in (utc, utc, saigon, utc, saigon)]
    assert [text[-6:] for text in written] == [
        "5.678Z",
        "5.678Z",
        "+07:00",
        "5.678Z",
        "+07:00",
    ]
    with pytest.raises(GraphQLError):
        scalars.serialize_datetime(None)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-02T03:04:05Z",
        "2026-01-02t03:04:05z",
        "2026-01-02T10:04:05.000000000+07:00",
        "2026-01-01T22:04:05-05:00",
    ],
)
def test_instants_are_read_with_their_offset(text: str) -> None:
    assert scalars.parse_datetime(text) == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fraction", "microseconds"),
    [(".0000001", 1), (".000000001", 1), (".123456700", 123_457), (".999999001", 1_000_000)],
)
def test_what_is_finer_than_can_be_told_is_never_earlier(fraction: str, microseconds: int) -> None:
    found = scalars.parse_datetime(f"2026-01-02T03:04:05{fraction}+00:00")
    start = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert found - start == timedelta(microseconds=microseconds)
    with pytest.raises(scalars.ScalarInputError):
        scalars.parse_datetime("9999-12-31T23:59:59.9999999Z")


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-02T03:04:05",
        "2026-01-02",
        "2026-02-30T00:00:00Z",
        "2026-01-02 03:04:05Z",
        "2026-01-02T03:04:60Z",
        "2026-01-02T03:04:05+0700",
        "2026-01-02T03:04:05+07:00:30",
        "2026-01-02T03:04:05-00:44:30",
        "2026-01-02T03:04:05+05:75",
        "2026-01-02T03:04:05-07:60",
        "2026-01-02T03:04:05+24:00",
        "2026-01-02T24:00:00Z",
        "0001-01-01T00:00:00+23:00",
        "yesterday",
        1767323045,
        None,
    ],
)
def test_anything_else_is_no_instant(value: object) -> None:
    with pytest.raises(scalars.ScalarInputError, match="RFC 3339 instant with an offset"):
        scalars.parse_datetime(value)


def test_zones_are_text_here() -> None:
    assert scalars.parse_time_zone("Asia/Tokyo") == "Asia/Tokyo"
    with pytest.raises(scalars.ScalarInputError):
        scalars.parse_time_zone(7)
