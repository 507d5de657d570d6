"""What each has paid for is its own list, bounded, whatever others do."""

from __future__ import annotations

from gateway.documents.paid import PaidDocuments


def test_a_document_is_paid_for_by_whoever_paid() -> None:
    paid = PaidDocuments()
    paid.add("one", "a", 10)
    assert paid.has("one", "a")
    assert not paid.has("two", "a")
    assert not paid.has("one", "b")
    assert not paid.drop("two", "a")
    assert not paid.drop("one", "b")
    assert paid.drop("one", "a")
    assert not paid.has("one", "a")
    assert len(paid) == 0


def test_a_list_keeps_what_was_used_last_within_its_bytes() -> None:
    paid = PaidDocuments(max_bytes=30)
    for key in ("a", "b", "c"):
        paid.add("one", key, 10)
    assert paid.has("one", "a")
    paid.add("one", "d", 10)
    assert [key for key in "abcd" if paid.has("one", key)] == ["a", "c", "d"]
    paid.add("one", "a", 25)  # the same document, longer
    assert [key for key in "abcd" if paid.has("one", key)] == ["a"]
    paid.add("one", "e", 31)
    assert len(paid) == 0


def test_nobody_shortens_anothers_list_by_asking_much() -> None:
    paid = PaidDocuments(max_bytes=30)
    paid.add("one", "a", 10)
    for number in range(1_000):
        paid.add("two", str(number), 10)
    assert paid.has("one", "a")
    assert len(paid) == 4


def test_lists_are_bounded_together_and_whole_ones_are_forgotten() -> None:
    paid = PaidDocuments(max_listed=4)
    for payer in ("one", "two"):
        for key in ("a", "b"):
            paid.add(payer, key, 10)
    assert paid.has("one", "a")
    paid.add("three", "a", 10)
    assert len(paid) == 3
    assert not paid.has("two", "a")
    assert paid.has("one", "b")
    assert paid.has("three", "a")
