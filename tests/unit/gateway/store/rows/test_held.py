"""An account's rows in memory: as they came, and as they stand when others have arrived."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.store.rows.asked import Row, id_bytes, id_text
from gateway.store.rows.held import SKEW_MS, Held, Rows
from tests.unit.gateway.store.rows.told import AS_OF_MS, START_MS, row, told

LATER_MS = AS_OF_MS + 5_000
rows = st.builds(
    row,
    st.integers(0, 5),
    units=st.one_of(st.integers(-(10**26), 10**26), st.integers(-9, 9)),
    time_ms=st.integers(AS_OF_MS - 3, AS_OF_MS),
    is_reversal=st.booleans(),
    is_sent=st.booleans(),
    counterparty_id=st.sampled_from(["", "a", "\U0001f600", "\uff21", "b c"][1:]),
    arrived_ms=st.just(0),
)


def said(held: Held) -> list[tuple[object, ...]]:
    return sorted(each.said for each in held.rows)


@given(st.lists(rows, max_size=30))
def test_rows_are_what_they_were_in_the_order_of_pages(given_rows: list[Row]) -> None:
    kept = Rows.of(given_rows)
    assert sorted(kept) == sorted(given_rows)
    assert len(kept) == len(given_rows)
    for side in (kept.received, kept.sent):
        places = [
            (side.times_ms[at], side.id_at(at), at not in side.reversals) for at in range(len(side))
        ]
        assert places == sorted(places)
    assert all(kept.has(each) for each in given_rows)
    assert not kept.has(row(99))


@given(st.uuids())
def test_an_id_is_its_bytes(id_: uuid.UUID) -> None:
    assert id_bytes(str(id_)) == id_.bytes
    assert id_text(id_.bytes) == str(id_)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0" * 36,
        "0B5CA6CD-6F0F-4BC4-9F79-0D5E5D5F2F6A",
        "0b5ca6cd-6f0f-4bc4-9f79-0d5e5d5f2f6g",
        "0b5ca6cd6-f0f-4bc4-9f79-0d5e5d5f2f6a",
        "0b5ca6cd-6f0f-4bc4-9f79-0d5e5d5f2f6a ",
    ],
)
def test_a_text_that_would_not_come_back_as_it_is_has_no_bytes(text: str) -> None:
    assert id_bytes(text) is None


def test_what_arrived_since_is_added_whatever_its_event_time() -> None:
    held = Held.of(told(row(1), row(2)))
    late = row(3, arrived_ms=AS_OF_MS + 1, time_ms=START_MS)
    back = row(4, arrived_ms=AS_OF_MS + 1, is_reversal=True, units=-5)
    now = held.with_(told(late, back, as_of_ms=LATER_MS, asked_s=9.0, snapshot=8))
    assert now is not None
    assert said(now) == sorted(each.said for each in (row(1), row(2), late, back))
    assert (now.as_of_ms, now.snapshot, now.looked_s, now.loaded_s) == (LATER_MS, 8, 9.0, 5.0)
    assert now.arrived_since_ms == LATER_MS - SKEW_MS


def test_a_row_of_the_last_minutes_comes_again_and_counts_once() -> None:
    lately = row(1, arrived_ms=AS_OF_MS - 100)
    held = Held.of(told(lately))
    # The replica that answers now took it in a little later.
    again = lately._replace(arrived_ms=AS_OF_MS + 100)
    for as_of_ms in (LATER_MS, LATER_MS + SKEW_MS):
        now = held.with_(told(again, as_of_ms=as_of_ms))
        assert now is not None
        assert said(now) == [lately.said]
        held = now


def test_a_row_that_was_there_long_ago_and_comes_again_is_not_guessed_at() -> None:
    held = Held.of(told(row(1), row(2)))
    assert held.with_(told(row(2, arrived_ms=AS_OF_MS))) is None
    # Of the same transfer another kind or side is another row.
    other = row(2, arrived_ms=AS_OF_MS, is_sent=True)
    assert held.with_(told(other)) is not None


def test_rows_of_before_an_erasure_are_not_gone_on_with() -> None:
    held = Held.of(told(row(1), erasures=2))
    new = row(3, arrived_ms=AS_OF_MS)
    for erasures in (0, 4):
        assert held.with_(told(new, as_of_ms=LATER_MS, erasures=erasures)) is None
    now = held.with_(told(new, as_of_ms=LATER_MS, erasures=2))
    assert now is not None
    assert now.with_(told(as_of_ms=LATER_MS, erasures=2)) is not None
    assert now.with_(told(as_of_ms=LATER_MS, erasures=3)) is None


def test_a_row_that_is_told_twice_at_once_is_two() -> None:
    new = row(3, arrived_ms=AS_OF_MS)
    held = Held.of(told(row(1)))
    for _ in range(2):
        now = held.with_(told(new, new, as_of_ms=LATER_MS))
        assert now is not None
        assert said(now) == sorted([row(1).said, new.said, new.said])
        held = now


def test_what_was_asked_for_on_anothers_behalf_is_passed_over() -> None:
    held = Held.of(told(row(1), row(2)))
    older = held.arrived_since_ms - 1
    now = held.with_(told(row(2, arrived_ms=older), as_of_ms=LATER_MS))
    assert now is not None
    assert said(now) == sorted([row(1).said, row(2).said])


def test_rows_of_which_no_arrival_is_known_come_each_time() -> None:
    held = Held.of(told(row(1, arrived_ms=0), row(2, arrived_ms=0)))
    for later_ms in (0, 10 * SKEW_MS):
        comes = [row(each, arrived_ms=0) for each in (1, 2, 3)]
        now = held.with_(told(*comes, as_of_ms=AS_OF_MS + later_ms))
        assert now is not None
        assert said(now) == sorted(each.said for each in comes)
        held = now


def test_a_replica_that_is_behind_takes_nothing_away() -> None:
    held = Held.of(told(row(1), row(2), snapshot=9))
    now = held.with_(told(snapshot=8, as_of_ms=LATER_MS))
    assert now is not None
    assert said(now) == said(held)
    assert now.snapshot == 9


def test_rows_reach_back_only_as_far_as_the_last_look() -> None:
    held = Held.of(told(row(1)))
    shorter = told(as_of_ms=LATER_MS)
    now = held.with_(type(shorter)(shorter.rows, START_MS + 86_400_000, LATER_MS, shorter.asked_s))
    assert now is not None
    assert now.start_ms == START_MS + 86_400_000
