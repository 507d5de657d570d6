"""Ids are known for as long as they must be, on disk, whatever kills the process."""

from __future__ import annotations

import random
from pathlib import Path
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from stream_jobs.audit import ids as ids_module
from stream_jobs.audit.ids import Ids, key_of

DAY_MS = 86_400_000


def known_to_another(folder: Path, keys: list[int]) -> dict[int, int]:
    """What a process that is started then finds."""
    other = Ids(folder)
    try:
        return other.find(keys)
    finally:
        other.close()


def test_what_was_added_is_found_with_its_content_and_nothing_else(tmp_path: Path) -> None:
    chance = random.Random(3)
    known = {chance.getrandbits(60): number - 500 for number in range(1_000)}
    ids = Ids(tmp_path)
    with patch.object(ids_module, "RUN_IDS", 100):
        for start in range(0, 1_000, 50):
            ids.add(dict(list(known.items())[start : start + 50]), start)
    assert ids.find(list(known)) == known
    assert ids.find([chance.getrandbits(60) for _ in range(100)]) == {}
    assert len(ids) == 1_000
    ids.close()


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.integers(0, 2**61 - 2), st.integers(-(2**63), 2**63 - 1), max_size=300))
def test_runs_that_are_merged_know_the_same(
    tmp_path_factory: object, known: dict[int, int]
) -> None:
    folder = Path(tmp_path_factory.mktemp("ids"))  # type: ignore[attr-defined]
    ids = Ids(folder)
    with patch.object(ids_module, "RUN_IDS", 4):
        for key, content in known.items():
            ids.add({key: content}, 1)
    assert ids.find(list(known)) == known
    ids.close()


def test_a_killed_process_forgets_nothing_that_was_added(tmp_path: Path) -> None:
    ids = Ids(tmp_path)
    ids.add({1: 10, 2: 20}, 5)
    assert known_to_another(tmp_path, [1, 2, 3]) == {1: 10, 2: 20}
    ids.add({3: 30}, 6)
    ids.flush()
    assert known_to_another(tmp_path, [1, 2, 3]) == {1: 10, 2: 20, 3: 30}
    ids.close()


def test_half_a_pair_at_the_end_of_the_log_is_left_out(tmp_path: Path) -> None:
    ids = Ids(tmp_path)
    ids.add({1: 10, 2: 20}, 5)
    ids.close()
    log = tmp_path / "fresh.log"
    log.write_bytes(log.read_bytes()[:-3])
    again = Ids(tmp_path)
    assert again.find([1, 2]) == {1: 10}
    again.add({4: 40}, 6)
    again.close()
    assert known_to_another(tmp_path, [1, 2, 4]) == {1: 10, 4: 40}


def test_a_merge_that_was_not_finished_is_begun_again(tmp_path: Path) -> None:
    ids = Ids(tmp_path)
    ids.add({1: 10}, 5)
    ids.flush()
    ids.close()
    (tmp_path / "000000000009_5_5.new").write_bytes(b"half")
    assert known_to_another(tmp_path, [1]) == {1: 10}
    assert list(tmp_path.glob("*.new")) == []


def test_what_is_older_than_the_window_is_dropped_whole(tmp_path: Path) -> None:
    ids = Ids(tmp_path)
    for day in range(4):
        ids.add({day: day}, day * DAY_MS)
        ids.flush()
    ids.forget_before(2 * DAY_MS)
    assert ids.find([0, 1, 2, 3]) == {2: 2, 3: 3}
    assert len(list(tmp_path.glob("*.ids"))) == 2
    ids.close()


def test_ids_that_count_upwards_are_told_apart_and_spread() -> None:
    keys = [key_of("T", f"00000000-0000-4000-8000-{number:012d}") for number in range(10_000)]
    assert len(set(keys)) == 10_000
    assert key_of("T", "00000000-0000-4000-8000-000000000001") != key_of(
        "R", "00000000-0000-4000-8000-000000000001"
    )
