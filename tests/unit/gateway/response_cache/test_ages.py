"""How long answers stand: together with those of their page."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.response_cache import ages, entry


@given(
    st.floats(0.05, 100),
    st.binary(max_size=20),
    st.floats(1.7e9, 1.8e9),
)
def test_freshness_lasts_for_over_half_of_a_lifetime_and_never_longer_than_it(
    lifetime_s: float, group: bytes, now_s: float
) -> None:
    fresh_s = ages.fresh_for_s(lifetime_s, ages.phase_of(group), now_s)
    assert lifetime_s / 2 - 1e-6 <= fresh_s <= lifetime_s


def test_what_a_page_asks_for_within_a_tick_expires_together() -> None:
    phase = ages.phase_of(b"alice")
    # Ticks of a second, for lifetimes of two.
    first_s = 1_700_000_000 + phase + 0.1
    ends = {
        round(made_s + ages.fresh_for_s(2.0, phase, made_s), 6)
        for made_s in (first_s, first_s + 0.3, first_s + 0.8)
    }
    assert len(ends) == 1
    other = first_s + ages.fresh_for_s(2.0, ages.phase_of(b"bob"), first_s)
    assert round(other, 6) not in ends


def test_without_a_lifetime_nothing_is_fresh() -> None:
    assert ages.fresh_for_s(0.0, 0.5, 1_700_000_000.25) == 0.0


def test_an_entry_tells_its_age_in_whole_seconds() -> None:
    made = entry.make(b"{}", 100.0, 1.0, 1.0, 30.0, 1)
    assert [made.age_s(now_s) for now_s in (99.0, 100.5, 101.0, 130.9)] == [0, 0, 1, 30]
    assert (made.fresh_until_s, made.stale_until_s, made.rescue_until_s) == (101.0, 102.0, 130.0)
    assert (made.length, made.max_age) == (b"2", b"1")


def test_a_tag_is_weak_and_of_the_content() -> None:
    assert entry.etag_of(b"{}") == entry.etag_of(b"{}") != entry.etag_of(b"{ }")
    assert entry.etag_of(b"{}").startswith(b'W/"')
