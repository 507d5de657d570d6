"""The two entries of an event, byte for byte as the job writes them; pure."""

from __future__ import annotations

import re
from typing import Final

import orjson

from stream_jobs.events.rules import TransactionEvent

RECEIVED: Final = "RECEIVED"
SENT: Final = "SENT"
TRANSFER: Final = "TRANSFER"
REVERSAL: Final = "REVERSAL"
# What JSON writes otherwise than it is; no account id has a control character.
_ESCAPED = re.compile(r'["\\]').search


def entry_values(
    event: TransactionEvent, kafka_partition: int, kafka_offset: int
) -> tuple[bytes, bytes]:
    """The values of the receiver's and of the sender's entry of the raw record that stood there.

    Their keys are the account ids as UTF-8. The fields stand as in `job/sql/11_account_entries.sql`, since the
    audit compares bytes before it reads any; and they are put together here, as that is done for every event.
    """
    receiver, sender = _text(event.to_account_id), _text(event.from_account_id)
    if event.reverses is None:
        what = f'"amount":"{event.amount}","event_time_ms":{event.event_time_ms},"kind":"TRANSFER","reverses":null'
    else:
        what = f'"amount":"-{event.amount}","event_time_ms":{event.event_time_ms},"kind":"REVERSAL","reverses":"{event.reverses}"'
    rest = (
        f'"transaction_id":"{event.transaction_id}",{what},'
        f'"kafka_partition":{kafka_partition},"kafka_offset":{kafka_offset}}}'
    )
    return (
        f'{{"account_id":{receiver},"counterparty_id":{sender},"direction":"RECEIVED",{rest}'.encode(),
        f'{{"account_id":{sender},"counterparty_id":{receiver},"direction":"SENT",{rest}'.encode(),
    )


def _text(account_id: str) -> str:
    return orjson.dumps(account_id).decode() if _ESCAPED(account_id) else f'"{account_id}"'
