"""What is used again is kept, whatever passes by once."""

from __future__ import annotations

from gateway.recency import Recency


def test_a_flood_does_not_push_out_what_is_used_again() -> None:
    kept: Recency[int] = Recency(100)
    kept.put("good", 1, 10)
    assert kept.get("good") == 1
    for number in range(1_000):
        kept.put(f"flood {number}", number, 5)
    assert kept.get("good") == 1
    assert kept.weight <= 100
    assert len(kept) == 1 + 4


def test_the_longest_unused_goes_first_and_weight_is_bounded() -> None:
    kept: Recency[str] = Recency(50)
    for key in "abc":
        kept.put(key, key, 20)
    assert [kept.get(key) for key in "abc"] == [None, None, None]
    for key in "abcde":
        kept.put(key, key, 10)
        assert kept.get(key) == key
    assert [kept.get(key) for key in "abcde"] == [None, "b", "c", "d", "e"]
    assert kept.weight == 40


def test_putting_again_replaces() -> None:
    kept: Recency[str] = Recency(50)
    kept.put("a", "old", 5)
    kept.put("a", "new", 7)
    assert (kept.weight, kept.get("a"), kept.get("a"), kept.weight) == (7, "new", "new", 7)
    assert kept.get("other") is None
