"""The two Python functions of the job's SQL, `judge` and `settle`, with the rows they give."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Protocol, TypeAlias

from pyflink.common import Row
from pyflink.table import DataTypes
from pyflink.table.udf import FunctionContext, ScalarFunction, udf, udtf

from stream_jobs.events.erased_accounts import Names, accounts_of, renamed, scrubbed, without_ids
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
# `content`, a reversal all it is as `reversal`. So has a transfer that is refused, and no content: it is not remembered,
# but where it stands it is seen whether it is one of what counted before.
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


class Followed(Protocol):
    """Who was erased; erasures.FollowedErasures, which only workers that need it load."""

    def names(self, account_ids: Iterable[str]) -> Names: ...

    def close(self) -> None: ...


Follow: TypeAlias = Callable[[], Followed]


def verdict(
    rules: EventRules,
    payload: bytes | None,
    recorded_ms: int,
    is_heartbeat: bool,
    kafka_partition: int,
    kafka_offset: int,
    key: bytes | None,
    headers: Mapping[str, bytes | None] | None,
    *,
    erased: Callable[[Iterable[str]], Names] | None = None,
    refuse: bool = False,
) -> Row:
    """One record's judgement as a row: a reason and the raw bytes, or a transfer, or a reversal.

    `erased` tells which accounts were erased; without it nobody asks. Theirs is told by their pseudonyms, or refused.
    """
    if is_heartbeat:
        return Row(HEARTBEAT, None, None, *NOTHING, *(None,) * (len(EVENT_FIELDS) + 3))
    source = kafka_partition, kafka_offset
    judged = judge_event(payload, recorded_ms, rules)
    names = erased(accounts_of(judged, payload)) if erased else {}
    if names:
        key, headers = _beside_without(names, key, headers)
    if isinstance(judged, Rejection):
        if names:
            judged = without_ids(judged, payload or b"", names)
        kept = _kept(judged, kept_key(key), kept_headers(headers))
        return Row(REJECTED, *source, *kept, *(None,) * 4, recorded_ms, *(None,) * 3)
    name = judged.transaction_id
    told = renamed(judged, names) if names else judged
    accounts = (told.from_account_id, told.to_account_id)
    event = (*source, *NOTHING, name, *accounts, judged.amount, judged.event_time_ms)
    is_refused = refuse and bool(names)
    # As it was sent, whatever it is told as: duplicates and reversals are compared by that.
    sent = content(judged)
    if judged.reverses is None and not is_refused:
        return Row(TRANSFER, *event, _key(name), sent, None)
    beside = (kept_key(key), kept_headers(headers))
    where = (*source, sent)
    arrival = Arrival(payload or b"", recorded_ms, *where, *beside, names, is_refused).packed()
    if judged.reverses is None:
        return Row(TRANSFER, *event, _key(name), None, arrival)
    return Row(REVERSAL, *event, _key(judged.reverses), None, arrival)


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

    `arrival` and `occurrence` are of a reversal, and None of a transfer, but that one which is refused has an arrival, too.
    `transfers` is how often the transfer has come, without refused ones.
    """
    source = kafka_partition, kafka_offset
    is_refused_transfer = arrival is not None and occurrence is None
    earlier = transfers if is_refused_transfer else transfers - 1
    is_duplicate = earlier > 0 if occurrence is None else occurrence > 1
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


def _beside_without(
    names: Names, key: bytes | None, headers: Mapping[str, bytes | None] | None
) -> tuple[bytes | None, Mapping[str, bytes | None]]:
    """A record's key and headers without the ids."""
    told = {
        name: value if value is None else scrubbed(value, names)
        for name, value in (headers or {}).items()
    }
    return key if key is None else scrubbed(key, names), told


def _key(transaction_id: str) -> bytes:
    """What is remembered for every transaction: 16 bytes, not the 36 characters that spell them."""
    return bytes.fromhex(transaction_id.replace("-", ""))


class JudgeErased(ScalarFunction):  # type: ignore[misc] # of PyFlink
    """`judge` where what names an erased account is not kept as it is: it follows who was erased."""

    def __init__(self, rules: EventRules, follow: Follow, *, refuse: bool) -> None:
        self._rules = rules
        self._follow = follow
        self._refuse = refuse

    def open(self, function_context: FunctionContext) -> None:  # noqa: ARG002 - of PyFlink
        """In the worker; nothing is judged before all erasures that there are were read."""
        self._erasures = self._follow()

    def close(self) -> None:
        """The worker ends."""
        self._erasures.close()

    def eval(self, *record: Any) -> Row:
        """One record."""
        return verdict(self._rules, *record, erased=self._erasures.names, refuse=self._refuse)


def judge_function(rules: EventRules, follow: Follow | None = None, *, refuse: bool = False) -> Any:
    """`judge` of the SQL; `follow` begins to follow erasures, None where nobody needs to know of them."""
    function = JudgeErased(rules, follow, refuse=refuse) if follow else partial(verdict, rules)
    return udf(function, result_type=VERDICT, name="judge")


def settle_function(rules: EventRules) -> Any:
    """`settle` of the SQL."""
    return udtf(partial(fates, rules), result_types=FATE)
