"""What Kafka's brokers and their own topics must be like, or an outage could lose or double money; pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from stream_jobs.events.rules import MAX_EVENT_BYTES
from stream_jobs.job.configuration import KafkaTopic, PipelineConfiguration, Problem, Rule

TRANSACTIONS, OFFSETS = "__transaction_state", "__consumer_offsets"
# The brokers' own; each comes into being when it is first used.
INTERNAL: Final = (TRANSACTIONS, OFFSETS)


def _transactions(c: PipelineConfiguration) -> Iterator[Problem]:
    broker = c.broker
    if c.transaction_timeout > broker.transaction_limit:
        yield Problem(
            "broker-transaction-limit",
            f"The job asks for transactions of {c.transaction_timeout}, the brokers allow "
            f"{broker.transaction_limit}: no entry would ever be written. Raise their transaction.max.timeout.ms.",
        )
    if broker.transactional_id_life <= c.transaction_timeout:
        yield Problem(
            "transactional-id-life",
            f"The brokers forget a transactional id after {broker.transactional_id_life}, but an outage may last "
            f"{c.transaction_timeout}: the job could not be started any more from its snapshot, which names ids. "
            "Raise their transactional.id.expiration.ms above the transaction timeout (at most 24 days), or lower "
            "transaction_timeout.",
        )
    if broker.offsets_kept < c.transaction_timeout:
        yield Problem(
            "offsets-retention",
            f"The brokers forget the offsets of a group that is away after {broker.offsets_kept}, but an outage "
            f"may last {c.transaction_timeout}: nobody could tell then which raw events were read. Raise their "
            "offsets.retention.minutes.",
        )


def _copies(c: PipelineConfiguration) -> Iterator[Problem]:
    for name, topic in _all(c).items():
        if topic.replication < c.safety.replication:
            yield Problem(
                "replication",
                f"{name} has {topic.replication} replicas, where {c.safety.replication} are wanted: what is "
                f"acknowledged there is gone with as many disks. {_reassign(name)}",
            )
        if topic.min_in_sync < c.safety.min_in_sync:
            yield Problem(
                "min-in-sync",
                f"{name} has min.insync.replicas {topic.min_in_sync}, where {c.safety.min_in_sync} are wanted: "
                "what one broker has acknowledged is lost with it. Raise it.",
            )
        if topic.unclean_election and topic.replication > 1:
            yield Problem(
                "unclean-election",
                f"{name} has unclean.leader.election.enable: a replica that is behind may lead, and what it lacks "
                "is lost. Set it to false.",
            )


def _internal(c: PipelineConfiguration) -> Iterator[Problem]:
    for name, topic in c.broker.internal.items():
        if "compact" not in topic.cleanup_policy or "delete" in topic.cleanup_policy:
            yield Problem(
                "internal-topic-deleted",
                f"{name} has cleanup.policy {topic.cleanup_policy}: Kafka forgets "
                f"{'open transactions' if name == TRANSACTIONS else 'committed offsets'} by age. Set compact.",
            )


def _records(c: PipelineConfiguration) -> Iterator[Problem]:
    if c.raw.max_record < MAX_EVENT_BYTES:
        yield Problem(
            "record-limit-small",
            f"transactions takes records of up to {c.raw.max_record} bytes, events may have {MAX_EVENT_BYTES}: "
            "they are refused at the producer, without a reason that anyone finds here. Raise max.message.bytes.",
        )
    unpacked = c.raw.max_unpacked
    if unpacked is None or unpacked > c.raw.max_record:
        yield Problem(
            "record-limit-unpacked",
            f"transactions takes records that unpack to {'anything' if unpacked is None else unpacked} bytes: one "
            "that is small on its way stops the job for good. Set max.decompressed.message.bytes to "
            "max.message.bytes, on brokers that know it.",
        )
    for name, topic in (("account-entries", c.entries), ("transactions-rejected", c.rejected)):
        if topic.timestamp_type != "LogAppendTime":
            yield Problem(
                "retention-by-event-time",
                f"{name} has message.timestamp.type {topic.timestamp_type}: retention would count from the time "
                "in the record, and delete late events at once. Set LogAppendTime.",
            )


def _outcomes_kept(c: PipelineConfiguration) -> Iterator[Problem]:
    # The outcomes beside each other tell what is missing: the shortest is how far back that can be seen.
    for name, topic in (
        ("transactions-rejected", c.rejected),
        ("transactions-uncounted", c.uncounted),
    ):
        if topic.retention is not None and (
            c.entries.retention is None or topic.retention < c.entries.retention
        ):
            yield Problem(
                "outcomes-retention",
                f"Kafka deletes {name} after {topic.retention}, before account-entries "
                f"({c.entries.retention or 'for ever'}): audit and repair see no further back than the shortest. "
                "Raise its retention.ms.",
            )


def _all(c: PipelineConfiguration) -> dict[str, KafkaTopic]:
    own = {
        "transactions": c.raw,
        "account-entries": c.entries,
        "transactions-rejected": c.rejected,
        "transactions-uncounted": c.uncounted,
    }
    return {**own, **c.broker.internal}


def _reassign(name: str) -> str:
    later = {
        TRANSACTIONS: "transaction.state.log.replication.factor",
        OFFSETS: "offsets.topic.replication.factor",
    }.get(name, "the replication of its file in stream_jobs/topics")
    return f"Reassign its partitions to more brokers (kafka-reassign-partitions), and set {later}."


RULES: Final[tuple[Rule, ...]] = (_transactions, _copies, _internal, _records, _outcomes_kept)
