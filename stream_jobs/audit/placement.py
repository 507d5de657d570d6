"""Whether an entry lies where queries for its account look; pure."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from stream_jobs.audit.readers import Record
from stream_jobs.topics.murmur2 import kafka_partition

ACCOUNTS_REMEMBERED: Final = 200_000


class Placement:
    """The entries topic's partitions, told anew when they change."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._home = lru_cache(maxsize=ACCOUNTS_REMEMBERED)(self._key_and_home)

    def is_right(self, record: Record, account_id: str) -> bool:
        """Whether the record has the account's key and partition."""
        return self._home(account_id) == (record.key, record.partition)

    def _key_and_home(self, account_id: str) -> tuple[bytes, int]:
        return account_id.encode(), kafka_partition(account_id, self._partitions)
