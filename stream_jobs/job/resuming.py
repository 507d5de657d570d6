"""Going on from a snapshot: refused where the job was away for longer than something lasts, unless that is accepted."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from datetime import timedelta

from pyflink.java_gateway import get_gateway

from stream_jobs.job import snapshot
from stream_jobs.job.long_outage import (
    Away,
    LongOutageError,
    deleted_unread,
    refuse_after_outage,
)
from stream_jobs.job.settings import JobSettings
from stream_jobs.topics.admin import KafkaTopicAdmin
from stream_jobs.topics.kafka_offsets import KafkaOffsets

RESUMING = (LongOutageError, snapshot.SnapshotError)


def resume(
    settings: JobSettings, kafka: KafkaOffsets, uri: str, *, after_outage: bool
) -> JobSettings:
    """The settings to go on with from the snapshot at `uri`, which with `after_outage` loses its pending commits.

    Raises one of RESUMING, and what Kafka's clients raise.
    """
    jvm = get_gateway().jvm
    lasted = timedelta(milliseconds=max(0, round(time.time() * 1000) - snapshot.taken_ms(jvm, uri)))
    if not after_outage:
        refuse_after_outage(_away(settings, kafka, lasted))
        return settings
    dropped = snapshot.drop_pending_commits(jvm, uri)
    print(f"Left out of the snapshot: {', '.join(dropped) or 'nothing'}", file=sys.stderr)
    return replace(settings, outage_reserve=max(settings.outage_reserve, lasted))


def _away(settings: JobSettings, kafka: KafkaOffsets, lasted: timedelta) -> Away:
    topic = settings.names.transactions_topic
    life_ms = int(
        KafkaTopicAdmin(settings.kafka_servers).broker_setting("transactional.id.expiration.ms")
    )
    return Away(
        lasted,
        settings.transaction_timeout,
        timedelta(milliseconds=life_ms),
        settings.outage_reserve,
        deleted_unread(kafka.starts(topic), kafka.group_offsets(topic)),
    )
