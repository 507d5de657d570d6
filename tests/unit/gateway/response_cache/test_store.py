"""What is kept in a process: bounded in bytes whatever comes, the last used first."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from gateway.outcome import encode
from gateway.response_cache import entry
from gateway.response_cache.entry import Entry
from gateway.response_cache.store import BoundedStore


def made(max_bytes: int = 800) -> tuple[BoundedStore[str], list[int]]:
    evicted: list[int] = []
    return BoundedStore(max_bytes, evicted.append), evicted


def test_the_least_recently_used_makes_room() -> None:
    store, evicted = made()
    for name in "abcdefgh":
        store.put(name, name, 100)
    assert store.get("a") == "a"
    store.put("i", "i", 100)
    assert (store.get("a"), store.get("b"), store.get("i")) == ("a", None, "i")
    assert (store.bytes, len(store), evicted) == (800, 8, [1])


def test_what_would_push_out_too_much_is_not_kept() -> None:
    store, evicted = made()
    store.put("a", "a", 100)
    store.put("b", "b", 101)
    assert (store.get("a"), store.get("b"), evicted) == ("a", None, [])


def test_a_value_put_again_counts_once_and_one_too_large_replaces_nothing_but_its_own_past() -> (
    None
):
    store, _ = made()
    store.put("a", "old", 100)
    store.put("a", "new", 40)
    assert (store.get("a"), store.bytes) == ("new", 40)
    store.put("a", "huge", 500)
    assert (store.get("a"), store.bytes) == (None, 0)
    store.drop("nothing")


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 120), st.booleans()), max_size=60))
def test_the_account_is_exact_and_within_its_bound(
    steps: list[tuple[int, int, bool]],
) -> None:
    store, _ = made()
    sizes: dict[int, int] = {}
    for name, size, is_drop in steps:
        if is_drop:
            store.drop(name)
        else:
            store.put(name, str(size), size)
            sizes[name] = size
        assert store.bytes <= 800
        kept = [each for each in sizes if store.get(each) is not None]
        assert store.bytes == sum(int(store.get(each) or 0) for each in kept)


def test_a_kept_answer_takes_no_more_memory_than_is_counted() -> None:
    """What a JSON writer returns may hold more than it shows."""
    store: BoundedStore[Entry] = BoundedStore(10_000_000, lambda _: None)
    body = {"data": {"rows": [{"accountId": f"acct-{n:06d}", "amount": "1.5"} for n in range(9)]}}
    tracemalloc.start()
    try:
        for number in range(500):
            made = entry.make(encode(body), 100.0, 1.0, 1.0, 30.0, 1)
            store.put(("everyone", number.to_bytes(32, "big")), made, made.size)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(store) == 500
    assert taken <= store.bytes
