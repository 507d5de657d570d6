"""What is kept in a process: bounded in bytes whatever comes, and what is used again stays."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.process.bounded_store import NEWCOMERS, PLACE_BYTES, BoundedStore, size_of

MAX_BYTES = 10_000
"""2,000 of them for newcomers."""


def made(max_bytes: int = MAX_BYTES) -> tuple[BoundedStore[str], list[int]]:
    evicted: list[int] = []
    return BoundedStore(max_bytes, evicted.append), evicted


def put(store: BoundedStore[str], names: str, size: int = 400) -> None:
    """Values that take `size` bytes each, their places included."""
    for name in names:
        store.put(name, name, size - PLACE_BYTES)


def kept(store: BoundedStore[str], names: str) -> str:
    return "".join(name for name in names if store.get(name) is not None)


def test_a_flood_of_what_comes_once_does_not_push_out_what_is_used_again() -> None:
    store, evicted = made()
    put(store, "good")
    assert kept(store, "god") == "god"
    for number in range(1_000):
        store.put(number, "flood", 400 - PLACE_BYTES)
    assert kept(store, "god") == "god"
    # Nobody else needs the room.
    assert (len(store), store.bytes, sum(evicted)) == (25, MAX_BYTES, 3 + 1_000 - 25)


def test_what_is_used_again_has_all_the_room_but_the_newcomers_part() -> None:
    store, evicted = made()
    for number in range(30):
        store.put(number, "used", 400 - PLACE_BYTES)
        assert store.get(number) == "used"
    assert (len(store), len(evicted)) == (25, 5)
    put(store, "abcdefg")
    assert (len(store), kept(store, "abcdefg")) == (25, "cdefg")
    assert [store.get(number) is not None for number in (9, 10, 29)] == [False, True, True]


def test_the_longest_unused_makes_room() -> None:
    store, _ = made(4_000)
    for name in "abcdefghij":
        put(store, name)
        store.get(name)
    store.get("a")
    put(store, "k")
    store.get("k")
    assert kept(store, "abck") == "ack"


def test_what_the_newcomers_have_no_room_for_is_not_kept_and_replaces_nothing_but_its_own_past() -> (
    None
):
    store, evicted = made()
    put(store, "a", MAX_BYTES // NEWCOMERS)
    assert kept(store, "a") == "a"
    put(store, "b", MAX_BYTES // NEWCOMERS + 1)
    assert (kept(store, "ab"), evicted) == ("a", [])
    put(store, "a", MAX_BYTES)
    assert (kept(store, "a"), store.bytes, len(store)) == ("", 0, 0)


@pytest.mark.parametrize("is_used", [False, True])
def test_a_value_put_again_counts_once_and_keeps_its_standing(is_used: bool) -> None:
    store, _ = made()
    store.put("a", "old", 700)
    if is_used:
        store.get("a")
    store.put("a", "new", 300)
    assert (store.bytes, len(store)) == (300 + PLACE_BYTES, 1)
    for number in range(30):
        store.put(number, "flood", 400 - PLACE_BYTES)
    assert store.get("a") == ("new" if is_used else None)


STEPS = st.tuples(
    st.integers(0, 20), st.integers(0, 1_500), st.sampled_from(("get", "put", "drop"))
)


@given(st.lists(STEPS, max_size=90))
def test_the_account_is_exact_and_within_its_bound(steps: list[tuple[int, int, str]]) -> None:
    store, _ = made(5_000)
    for name, size, step in steps:
        if step == "get":
            store.get(name)
        elif step == "drop":
            store.drop(name)
            assert store.get(name) is None
        else:
            store.put(name, str(size + PLACE_BYTES), size)
        assert store.bytes <= 5_000
    found = [store.get(name) for name in range(21)]
    assert store.bytes == sum(int(each) for each in found if each is not None)
    assert len(store) == sum(each is not None for each in found)


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("text", ["text"]),
        (None, [None]),
        ([1, "a"], [[1, "a"], 1, "a"]),
        ({"a": {"b": [True]}}, [{"a": 0}, "a", {"b": 0}, "b", [0], True]),
        (("a", frozenset({"b"})), [("a", "b"), "a", frozenset({"b"}), "b"]),
    ],
)
def test_a_value_takes_what_its_parts_take(value: Any, parts: list[Any]) -> None:
    assert size_of(value) == sum(map(sys.getsizeof, parts))
