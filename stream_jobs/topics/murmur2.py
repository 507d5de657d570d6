"""Java's murmur2 as Kafka's default partitioner and Pinot's Murmur use it; pure."""

from __future__ import annotations

from itertools import count
from typing import Final

_SEED: Final = 0x9747B28C
_M: Final = 0x5BD1E995
_MASK: Final = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """The unsigned 32-bit hash; source: org.apache.kafka.common.utils.Utils.murmur2."""
    length = len(data)
    h = _SEED ^ length
    whole = length & ~3
    for start in range(0, whole, 4):
        k = int.from_bytes(data[start : start + 4], "little") * _M & _MASK
        h = (h * _M & _MASK) ^ ((k ^ k >> 24) * _M & _MASK)
    if length > whole:
        h = (h ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    return h ^ h >> 15


def kafka_partition(key: str, partitions: int) -> int:
    """The kafka partition of a record whose key is `key` in UTF-8."""
    return partition_of_key(key.encode(), partitions)


def partition_of_key(key: bytes, partitions: int) -> int:
    """The kafka partition of a record with that key."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def account_id_in(partition: int, partitions: int, prefix: str = "probe-") -> str:
    """The first of `prefix`0, `prefix`1, … that falls into `partition`."""
    ids = (f"{prefix}{number}" for number in count())
    return next(id_ for id_ in ids if kafka_partition(id_, partitions) == partition)
