"""The partition of a key is the one that Kafka's Java client and Pinot compute."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_jobs.topics.murmur2 import account_id_in, kafka_partition, murmur2


# Source: org.apache.kafka.common.utils.UtilsTest.testMurmur2.
@pytest.mark.parametrize(
    ("text", "hash_"),
    [
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_the_hash_is_javas(text: str, hash_: int) -> None:
    assert murmur2(text.encode()) == hash_ & 0xFFFFFFFF


@given(st.integers(1, 64).flatmap(lambda n: st.tuples(st.integers(0, n - 1), st.just(n))))
def test_an_account_id_can_be_found_for_every_partition(wanted: tuple[int, int]) -> None:
    partition, partitions = wanted
    assert kafka_partition(account_id_in(partition, partitions), partitions) == partition


@given(st.text(min_size=1))
def test_a_key_always_falls_into_one_of_the_partitions(key: str) -> None:
    key = key.encode("utf-8", "replace").decode()
    assert 0 <= kafka_partition(key, 64) < 64
