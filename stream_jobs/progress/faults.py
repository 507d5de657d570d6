"""What a look at Kafka or Pinot may end with while they are down or start anew."""

from __future__ import annotations

from typing import Final

from confluent_kafka import KafkaException

from stream_jobs.json_http import JsonHttpError
from stream_jobs.progress.segments import NotServedError
from stream_jobs.secret_files import AccessError
from stream_jobs.topics.kafka_offsets import KafkaOffsetsError
from stream_jobs.topics.producer import PublishError

# A file of a secret may be away for a moment, while it is exchanged.
KAFKA_FAULTS: Final = (KafkaOffsetsError, PublishError, KafkaException, AccessError)
# The last are answers of a shape that Pinot gives while it starts.
PINOT_FAULTS: Final = (
    JsonHttpError,
    AccessError,
    NotServedError,
    ValueError,
    KeyError,
    TypeError,
)
