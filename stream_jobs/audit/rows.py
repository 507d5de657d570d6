"""What a record of either topic says, as values that can be compared, and a row's hash; pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

import orjson

from stream_jobs.event_rules import (
    END_EVENT_TIME_MS,
    MIN_EVENT_TIME_MS,
    Rejection,
    TransactionEvent,
    judge,
)
from stream_jobs.murmur2 import kafka_partition
from stream_jobs.recount import SCALE, scaled

RECEIVED: Final = "RECEIVED"
SENT: Final = "SENT"
# Between the fields that are hashed; no account id may hold it.
SEPARATOR: Final = "\x1f"
_TO_DECIMAL: Final = str.maketrans("abcdef", "012345")
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch
_AMOUNT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,8})?").fullmatch
# Behind the 16 bytes of a reversal's id: a transfer may have the same.
REVERSAL_MARK: Final = b"R"
_ACCOUNTS_REMEMBERED = 200_000


class Transfer(NamedTuple):
    """What one event says; `amount` in units of 10^-8.

    A reversal's amount is negative, and `reverses` the id of the transfer that it undoes.
    """

    from_account_id: str
    to_account_id: str
    amount: int
    time_ms: int
    reverses: str = ""

    def account_id(self, direction: str) -> str:
        """Whose entry the side of that direction is."""
        return self.to_account_id if direction == RECEIVED else self.from_account_id

    def counterparty_id(self, direction: str) -> str:
        """Who stands on the other side."""
        return self.from_account_id if direction == RECEIVED else self.to_account_id

    @property
    def content(self) -> int:
        """64 bits of what must be equal in a duplicate: accounts and amount, not the time."""
        sides = (self.from_account_id, self.to_account_id)
        text = SEPARATOR.join((*sides, str(self.amount), *filter(None, [self.reverses])))
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return int.from_bytes(digest, "big", signed=True)

    @property
    def original(self) -> bytes:
        """The id of the transfer that a reversal undoes."""
        return id_bytes(self.reverses)

    @property
    def undone(self) -> int:
        """The content of the transfer that a reversal undoes, by what the reversal says."""
        return self._replace(amount=-self.amount, reverses="").content

    @property
    def kind(self) -> str:
        """As the entries spell it."""
        return "REVERSAL" if self.reverses else "TRANSFER"


class Entry(NamedTuple):
    """One side of a transfer as `account-entries` has it; `mix` is its hash times its amount."""

    direction: str
    transfer: Transfer
    partition: int
    offset: int
    mix: int


class Malformed(NamedTuple):
    """A record of `account-entries` that is no entry; `time_ms` and `id` as far as they can be read."""

    why: str
    time_ms: int
    transaction_id: str


def raw_transfer(value: bytes | None, time_ms: int) -> tuple[bytes, Transfer] | None:
    """The id and the transfer or reversal of a raw record; None if the rules reject it."""
    event = judge(value, time_ms)
    return None if isinstance(event, Rejection) else identified(event, time_ms)


def identified(event: TransactionEvent, time_ms: int) -> tuple[bytes, Transfer]:
    """The id of an event, a reversal's with its mark, and what it says."""
    sides, amount = (event.from_account_id, event.to_account_id), scaled(event.amount)
    id_ = id_bytes(event.transaction_id)
    if event.reverses is None:
        return id_, Transfer(*sides, amount, time_ms)
    return id_ + REVERSAL_MARK, Transfer(*sides, -amount, time_ms, event.reverses)


def parsed_entry(
    value: bytes | None, partition: int, offset: int, appended_ms: int
) -> tuple[bytes, Entry] | Malformed:
    """The id and the entry of a record of `account-entries`."""
    try:
        body = orjson.loads(value or b"")
        account, other = body["account_id"], body["counterparty_id"]
        direction, id_ = body["direction"], body["transaction_id"]
        amount, time_ms = body["amount"], body["event_time_ms"]
        kind, reverses = body.get("kind", "TRANSFER"), body.get("reverses") or ""
        if (
            direction not in (RECEIVED, SENT)
            or not (_ID(id_) and _AMOUNT(amount) and (reverses == "" or _ID(reverses)))
            or kind != ("REVERSAL" if reverses else "TRANSFER")
            or amount.startswith("-") != bool(reverses)
        ):
            return Malformed(
                "a field is not what the job writes", _time(body, appended_ms), _text(id_)
            )
        if type(time_ms) is not int or not MIN_EVENT_TIME_MS <= time_ms < END_EVENT_TIME_MS:
            return Malformed("event_time_ms is no time", appended_ms, id_)
        if not (type(account) is type(other) is str and account and other):
            return Malformed("an account id is no text", time_ms, id_)
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, UnicodeError) as fault:
        return Malformed(f"not an entry: {type(fault).__name__}", appended_ms, "")
    sides = (other, account) if direction == RECEIVED else (account, other)
    transfer = Transfer(*sides, scaled(amount), time_ms, reverses)
    return id_bytes(id_) + REVERSAL_MARK * bool(reverses), Entry(
        direction, transfer, partition, offset, mix(id_, direction, transfer)
    )


def is_misplaced(entry: Entry, key: bytes | None, partitions: int) -> bool:
    """Whether a query for the entry's account would not look where it lies."""
    account = entry.transfer.account_id(entry.direction)
    at_home = partition_of_account(account, partitions) == entry.partition
    return not at_home or key != account.encode("utf-8", "surrogatepass")


def mix(transaction_id: str, direction: str, transfer: Transfer) -> int:
    """A row's hash times its amount: summed over rows it changes with any field of any of them.

    The hash is MD5 with its letters read as digits: that can be said in Pinot's SQL, and nobody needs
    to be kept from making collisions on purpose. pinot_tier.ROW_MIX is the same in SQL.
    """
    sides = (transfer.account_id(direction), transfer.counterparty_id(direction))
    what = (transaction_id, str(transfer.time_ms), transfer.kind, transfer.reverses)
    return mixed((*sides, direction, *what), transfer.amount)


def mixed(texts: Iterable[str], amount: int) -> int:
    """The hash of a row's texts times its amount."""
    text = SEPARATOR.join(texts)
    digest = hashlib.md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
    return int(digest.translate(_TO_DECIMAL)) * amount


def likeliest(transfers: Iterable[Transfer]) -> Transfer:
    """Of the events of one id the one that is taken as the first, where nothing shows which it was."""
    return min(transfers, key=lambda each: (each.time_ms, each))


@lru_cache(maxsize=_ACCOUNTS_REMEMBERED)
def partition_of_account(account_id: str, partitions: int) -> int:
    """Where an account's entries belong."""
    return kafka_partition(account_id, partitions)


def id_bytes(transaction_id: str) -> bytes:
    """A lower-case UUID's 16 bytes."""
    return bytes.fromhex(transaction_id.replace("-", ""))


def id_text(id_: bytes) -> str:
    """The UUID of 16 bytes, or of a reversal's."""
    digits = id_.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))


def is_reversal(id_: bytes) -> bool:
    """Whether an id is a reversal's."""
    return len(id_) > 16


def money(amount: int) -> str:
    """An amount in units of 10^-8, of any sign, as the shortest plain decimal."""
    whole, decimals = divmod(abs(amount), SCALE)
    sign = "-" if amount < 0 else ""
    return sign + f"{whole}.{decimals:08d}".rstrip("0").rstrip(".")


def _time(body: dict[str, object], otherwise: int) -> int:
    time_ms = body["event_time_ms"]
    return time_ms if type(time_ms) is int else otherwise


def _text(value: object) -> str:
    return value[:64] if isinstance(value, str) else ""
