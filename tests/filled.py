"""Outcomes in memory as a pipeline has them that was filled from an archive out of which accounts were erased."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from stream_jobs.archive.columns import packed, says
from stream_jobs.archive.erasing import erase
from stream_jobs.archive.filling import batches
from stream_jobs.archive.layout import Part
from stream_jobs.archive.store import Store
from stream_jobs.audit.sums import HOUR_MS
from stream_jobs.erasure.pseudonyms import pseudonym
from stream_jobs.events.erased_outcomes import ErasedOutcome, values
from stream_jobs.events.erased_text import Replacement
from stream_jobs.topics.murmur2 import partition_of_key
from stream_jobs.topics.names import NAMES
from tests.audit_tiers import ANNOUNCED, BEGIN_MS, ENTRIES, MemoryKafka


def name_of(account: str, partitions: int = 4) -> str:
    """The pseudonym of an account."""
    return pseudonym(b"k" * 32, account, partitions, frozenset())


def fill_erased(
    kafka: MemoryKafka, folder: Path, accounts: Iterable[str], *, announced: bool = True
) -> None:
    """Archive all outcomes, erase accounts one after the other, and put what is archived in place of the outcomes."""
    store = Store(str(folder))
    for topic in NAMES.outcomes:
        for partition, log in enumerate(kafka.logs[topic]):
            if log:
                part = Part(topic, partition, BEGIN_MS - BEGIN_MS % HOUR_MS, 0, len(log))
                store.put(part, packed(part, log, says(NAMES)[topic]))
    for account in accounts:
        name = name_of(account, kafka.partitions)

        def announce(outcomes: Sequence[ErasedOutcome], name: str = name) -> None:
            if announced:
                announce_to(kafka, name, outcomes)

        erase(store, NAMES, Replacement(account, name), announce)
    for topic in NAMES.outcomes:
        records = [each for _, _, some in batches(store, topic, {}) for each in some]
        kafka.logs[topic] = [[] for _ in range(kafka.partitions)]
        for each in records:
            home = each.partition
            if topic == ENTRIES:
                home = partition_of_key(each.key or b"", kafka.partitions)
            kafka.append(topic, home, each.time_ms, each.value, each.key)


def announce_to(kafka: MemoryKafka, name: str, outcomes: Sequence[ErasedOutcome]) -> None:
    """Say of outcomes that they tell a pseudonym now."""
    for each in values(name, outcomes, {}):
        kafka.append(ANNOUNCED, 0, BEGIN_MS, each)
