"""The records of the three topics that outcomes are written to, read as far as they must be; pure."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, TypeAlias

import orjson

REJECTED: Final = "REJECTED"
# Of an event that was rejected for an erased account: as REJECTED it would have broken a rule.
REFUSED: Final = "REFUSED"
DUPLICATE: Final = "DUPLICATE"
HELD: Final = "HELD"
Source: TypeAlias = tuple[int, int]
"""Which raw record an outcome is of: its kafka partition and offset."""
# The job writes these two fields last.
_PARTITION, _OFFSET = b'"kafka_partition":', b',"kafka_offset":'


class Told(NamedTuple):
    """A record of `transactions-rejected` or `transactions-uncounted`."""

    outcome: str
    reason: str = ""
    payload_base64: str = ""


def source_of(value: bytes | None) -> Source | None:
    """The raw record that an outcome says it is of; None if it says none."""
    text = value or b""
    offset_at = text.rfind(_OFFSET)
    partition_at = text.rfind(_PARTITION, 0, offset_at)
    # As the job writes it; whatever else there may be is read with care.
    if partition_at > 0:
        told = text[partition_at + len(_PARTITION) : offset_at], text[offset_at + len(_OFFSET) : -1]
        if told[0].isdigit() and told[1].isdigit() and len(told[1]) < 20 and len(told[0]) < 11:
            return int(told[0]), int(told[1])
    body = parsed(value)
    partition, offset = body.get("kafka_partition"), body.get("kafka_offset")
    if type(partition) is not int or type(offset) is not int or partition < 0 or offset < 0:
        return None
    return partition, offset


def parsed(value: bytes | None) -> dict[str, Any]:
    """A record's fields; none if it is no JSON object."""
    try:
        body = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return {}
    return body if type(body) is dict else {}


def told_of(value: bytes | None) -> Told:
    """What a record of either smaller topic says; an empty outcome if it says nothing that is known."""
    body = parsed(value)
    if "reason" in body:
        return Told(REJECTED, str(body["reason"]), str(body.get("payload_base64") or ""))
    outcome = body.get("outcome")
    return Told(outcome if outcome in (DUPLICATE, HELD) else "")
