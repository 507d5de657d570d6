"""The two Python functions of the job's SQL, `judge` and `settle`, with the rows they give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from pyflink.common import Row
from pyflink.table import DataTypes
from pyflink.table.udf import udf, udtf

from stream_jobs.events.rejection import Rejection, kept_headers, kept_key
from stream_jobs.events.reversals import Arrival, Settled, content, settle
from stream_jobs.events.rules import judge as judge_event
from stream_jobs.events.settings import EventRules

# What a record is; one that is nothing of the four does not exist.
TRANSFER, REVERSAL, REJECTED, HEARTBEAT = "TRANSFER", "REVERSAL", "REJECTED", "HEARTBEAT"
# Where the raw record stood: whatever is written says what it came from.
SOURCE_FIELDS = (("kafka_partition", DataTypes.INT()), ("kafka_offset", DataTypes.BIGINT()))
REJECTED_FIELDS = (
    ("reason", DataTypes.STRING()),
    ("detail", DataTypes.STRING()),
    ("payload", DataTypes.STRING()),
    ("payload_base64", DataTypes.STRING()),
    ("payload_bytes", DataTypes.INT()),
    ("key_base64", DataTypes.STRING()),
    ("headers", DataTypes.STRING()),
)
EVENT_FIELDS = (
    ("transaction_id", DataTypes.STRING()),
    ("from_account_id", DataTypes.STRING()),
    ("to_account_id", DataTypes.STRING()),
    ("amount", DataTypes.STRING()),
    ("event_time_ms", DataTypes.BIGINT()),
)
# `transaction_key` is a transfer's id, of a reversal the id of the transfer that it undoes; a transfer has its
# `content`, a reversal all it is as `reversal`.
VERDICT = DataTypes.ROW(
    [
        DataTypes.FIELD(*field)
        for field in (
            ("kind", DataTypes.STRING()),
            *SOURCE_FIELDS,
            *REJECTED_FIELDS,
            *EVENT_FIELDS,
            ("transaction_key", DataTypes.BYTES()),
            ("content", DataTypes.BIGINT()),
            ("reversal", DataTypes.STRING()),
        )
    ]
)
# What becomes of a record that is not simply the first of its id.
COUNTED, DUPLICATE, HELD = "COUNTED", "DUPLICATE", "HELD"
FATE = [DataTypes.STRING()]
FATE += [kind for _, kind in (*SOURCE_FIELDS, *REJECTED_FIELDS, *EVENT_FIELDS)] + [
    DataTypes.STRING()
]
NOTHING = (None,) * len(REJECTED_FIELDS)


def verdict(
    rules: EventRules,
    payload: bytes | None,
    recorded_ms: int,
    is_heartbeat: bool,
    kafka_partition: int,
    kafka_offset: int,
    key: bytes | None,
    headers: Mapping[str, bytes | None] | None,
) -> Row:
    """One record's judgement as a row: a reason and the raw bytes, or a transfer, or a reversal."""
    if is_heartbeat:
        return Row(HEARTBEAT, None, None, *NOTHING, *(None,) * (len(EVENT_FIELDS) + 3))
    source = kafka_partition, kafka_offset
    judged = judge_event(payload, recorded_ms, rules)
    if isinstance(judged, Rejection):
        kept = _kept(judged, kept_key(key), kept_headers(headers))
        return Row(REJECTED, *source, *kept, *(None,) * 4, recorded_ms, *(None,) * 3)
    name = judged.transaction_id
    accounts = (judged.from_account_id, judged.to_account_id)
    event = (*source, *NOTHING, name, *accounts, judged.amount, judged.event_time_ms)
    if judged.reverses is None:
        return Row(TRANSFER, *event, _key(name), content(judged), None)
    beside = (kept_key(key), kept_headers(headers))
    arrival = Arrival(payload or b"", recorded_ms, *source, content(judged), *beside)
    return Row(REVERSAL, *event, _key(judged.reverses), None, arrival.packed())


def fates(
    rules: EventRules,
    transaction_id: str,
    kafka_partition: int,
    kafka_offset: int,
    arrival: str | None,
    occurrence: int | None,
    transfers: int,
    original: int | None,
    arrivals: str | None,
) -> Iterator[Row]:
    """What becomes of a record, and of the reversals that waited for it: they count or are rejected, as `settle` decides.

    `arrival` and `occurrence` are of a reversal, and None of a transfer. `transfers` is how often the transfer has come.
    """
    source = kafka_partition, kafka_offset
    is_duplicate = transfers > 1 if occurrence is None else occurrence > 1
    settled = () if is_duplicate else tuple(settle(arrival, original, arrivals, rules))
    if is_duplicate or (arrival is not None and not settled):
        told = DUPLICATE if is_duplicate else HELD
        yield Row(told, *source, *NOTHING, transaction_id, *(None,) * 5)
    for each in settled:
        yield _fate(each)


def _fate(settled: Settled) -> Row:
    came, judged = settled.arrival, settled.verdict
    source = came.kafka_partition, came.kafka_offset
    if isinstance(judged, Rejection):
        kept = _kept(judged, came.key_base64, came.headers)
        return Row(REJECTED, *source, *kept, *(None,) * 4, came.recorded_ms, None)
    accounts = (judged.from_account_id, judged.to_account_id)
    undone = (f"-{judged.amount}", judged.event_time_ms, judged.reverses)
    return Row(COUNTED, *source, *NOTHING, judged.transaction_id, *accounts, *undone)


def _kept(judged: Rejection, *beside: object) -> tuple[object, ...]:
    why = (judged.reason.value, judged.detail)
    what = (judged.payload, judged.payload_base64, judged.payload_bytes)
    return (*why, *what, *beside)


def _key(transaction_id: str) -> bytes:
    """What is remembered for every transaction: 16 bytes, not the 36 characters that spell them."""
    return bytes.fromhex(transaction_id.replace("-", ""))


def judge_function(rules: EventRules) -> Any:
    """`judge` of the SQL."""
    return udf(partial(verdict, rules), result_type=VERDICT, name="judge")


def settle_function(rules: EventRules) -> Any:
    """`settle` of the SQL."""
    return udtf(partial(fates, rules), result_types=FATE)
