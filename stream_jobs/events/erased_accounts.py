"""Which ids are of erased accounts, and what an event says without them; pure.

A record of `erasures` has the account's pseudonym and a tag, both made of the id by the secret key. By the tag whoever has
the key can tell of an id with one HMAC whether its account was erased, and how it is called since. The pseudonym alone
would not do: it is the first of many names that fits the account's partition, so some 64 of them would have to be made of
every id there is, where there are 64 partitions.
"""

from __future__ import annotations

import argparse
import hmac
import logging
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache, partial, reduce
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

import orjson

from stream_jobs.events.account_ids import is_account_id
from stream_jobs.events.erased_text import Replacement
from stream_jobs.events.reasons import RejectReason
from stream_jobs.events.rejection import Rejection, rejection
from stream_jobs.events.rules import TransactionEvent
from stream_jobs.secret_files import AccessError, secret

PREFIX: Final = "erased-"
"""What every pseudonym begins with."""
MIN_KEY_BYTES: Final = 32
# Ids whose tags are remembered: about 15 MB.
REMEMBERED: Final = 65_536

log = logging.getLogger("erasures")

Names: TypeAlias = Mapping[str, str]
"""Ids of erased accounts, each with its pseudonym."""


class ErasedAccounts(StrEnum):
    """What becomes of an event that names an erased account."""

    KEPT = "kept"
    PSEUDONYMISED = "pseudonymised"
    REFUSED = "refused"


class _Known(NamedTuple):
    pseudonym: str
    since_ms: int


def add_key_argument(parser: argparse.ArgumentParser) -> None:
    """`--erasure-key`, of the job and of whoever compares its outcomes with events."""
    parser.add_argument(
        "--erasure-key",
        type=Path,
        metavar="FILE",
        help="the key of erasures; needed where what comes for erased accounts is not kept",
    )


def read_key(named_by: str, path: Path) -> bytes:
    """The secret key. Raises AccessError if the file cannot be read, or has under 32 bytes."""
    key = secret(named_by, path).encode()
    if len(key) < MIN_KEY_BYTES:
        raise AccessError(f"{named_by} names {path}, which has under {MIN_KEY_BYTES} bytes")
    return key


class WrongKeyError(AccessError):
    """The newest erasure was made with another key: nobody's id would be known."""


def tag_of(key: bytes, account_id: str) -> str:
    """128 bits behind 32 that tell the key from another; no pseudonym is made of the same text."""
    return _mark_of(key) + hmac.digest(key, f"tag\x1f{account_id}".encode(), "sha256")[:16].hex()


@lru_cache(8)
def _mark_of(key: bytes) -> str:
    return hmac.digest(key, b"key", "sha256")[:4].hex()


class Erased:
    """Takes the records of `erasures`, each as often as one likes; one thread may take while another asks."""

    def __init__(self, key: bytes) -> None:
        self._tag = lru_cache(REMEMBERED)(partial(tag_of, key))
        self._known: dict[str, _Known] = {}
        self._untagged: set[str] = set()
        self._mark = _mark_of(key)
        self._is_other_key = False

    def take(self, record: bytes, recorded_ms: int) -> None:
        """One record, and when it was written."""
        try:
            told = orjson.loads(record)
            pseudonym = told["pseudonym"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            log.warning("a record of erasures tells of none and is passed over: %r", record[:100])
            return
        if tag := told.get("tag"):
            self._is_other_key = not tag.startswith(self._mark)
            self._untagged.discard(pseudonym)
            self._known.setdefault(tag, _Known(pseudonym, recorded_ms))
        elif all(each.pseudonym != pseudonym for each in self._known.values()):
            self._untagged.add(pseudonym)

    @property
    def untagged(self) -> int:
        """Of how many accounts only records without a tag are there: nobody knows them by their ids."""
        return len(self._untagged)

    def names(self, account_ids: Iterable[str], at_ms: int | None = None) -> Names:
        """Those that were erased, if a time is given those that were by then. Raises WrongKeyError."""
        if self._is_other_key:
            raise WrongKeyError("--erasure-key: the newest erasure was made with another key")
        if not self._known:
            return {}
        found = {id_: known for id_ in account_ids if (known := self._known.get(self._tag(id_)))}
        return {
            id_: known.pseudonym
            for id_, known in found.items()
            if at_ms is None or known.since_ms <= at_ms
        }


def accounts_of(judged: TransactionEvent | Rejection, payload: bytes | None) -> tuple[str, ...]:
    """The accounts that an event names, or a rejected record in the fields for them, as far as it can be read."""
    if isinstance(judged, TransactionEvent):
        return judged.from_account_id, judged.to_account_id
    try:
        said = orjson.loads(payload or b"")
    except orjson.JSONDecodeError:
        return ()
    fields = ("from_account_id", "to_account_id") if type(said) is dict else ()
    return tuple(said[each] for each in fields if is_account_id(said.get(each)))


def renamed(event: TransactionEvent, names: Names) -> TransactionEvent:
    """An event that tells pseudonyms."""
    payer, payee = event.from_account_id, event.to_account_id
    return event._replace(
        from_account_id=names.get(payer, payer), to_account_id=names.get(payee, payee)
    )


def without_ids(rejected: Rejection, payload: bytes, names: Names) -> Rejection:
    """A rejection, whatever its reason, that tells pseudonyms."""
    return rejection(scrubbed(payload, names), rejected.reason, rejected.detail)


def refusal(payload: bytes, names: Names) -> Rejection:
    """The verdict on an event that is refused for the erased accounts that it names."""
    told = " and ".join(sorted(set(names.values())))
    return rejection(
        scrubbed(payload, names), RejectReason.ACCOUNT_ERASED, f"it names {told}, which was erased"
    )


def scrubbed(content: bytes, names: Names) -> bytes:
    """A payload, a key or a header's value with pseudonyms in place of ids, wherever they stand in it."""
    return reduce(_without, sorted(names.items()), content)


def _without(content: bytes, name: tuple[str, str]) -> bytes:
    return Replacement(*name).content(content) or b""
