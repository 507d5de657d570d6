"""The partition of an account id: Kafka's murmur2, which Pinot's `Murmur` function repeats.

Source: `Utils.murmur2` of Apache Kafka; Pinot's `MurmurPartitionFunction`.
"""

from __future__ import annotations

from functools import lru_cache

_MASK = 0xFFFFFFFF
_M = 0x5BD1E995
_SEED = 0x9747B28C


def murmur2(data: bytes) -> int:
    """The hash as an unsigned 32-bit number."""
    length = len(data)
    hashed = _SEED ^ length
    whole = length & ~3
    for position in range(0, whole, 4):
        k = int.from_bytes(data[position : position + 4], "little") * _M & _MASK
        k = (k ^ (k >> 24)) * _M & _MASK
        hashed = (hashed * _M & _MASK) ^ k
    if length & 3:
        hashed = (hashed ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    hashed = (hashed ^ (hashed >> 13)) * _M & _MASK
    return hashed ^ (hashed >> 15)


def partition_of(account_id: str, partitions: int) -> int:
    """The kafka partition, and Pinot's, that holds an account's entries."""
    return (murmur2(account_id.encode()) & 0x7FFFFFFF) % partitions


@lru_cache(maxsize=4096)
def some_account_in(partition: int, partitions: int) -> str:
    """An id that belongs to a partition, whether or not there is such an account."""
    number = 0
    while partition_of(f"probe-{number}", partitions) != partition:
        number += 1
    return f"probe-{number}"
