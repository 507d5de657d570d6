"""The name that stands for an erased account, made of a secret key and the id; pure.

Without the key nobody can tell which id it stands for, nor try ids out. With it the same name is made again, so that a
second erasure of an account goes on with the first one's.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from itertools import count, islice
from typing import Final

from stream_jobs.events.erased_accounts import PREFIX
from stream_jobs.topics.murmur2 import kafka_partition

# Names that are looked for among those given before; of 256 classes one of so many fits but for 1 in 10^13.
_LOOKED_FOR: Final = 8_192


def pseudonym(key: bytes, account_id: str, classes: int, given: AbstractSet[str]) -> str:
    """The one `given` to the account before; else the first that is of the account's class.

    Pinot keeps an account's rows in segments of its class, by the id's hash modulo `classes`. So its rows can stay where
    they are, and whoever asks for them by the pseudonym finds all of them.
    """
    for name in islice(_names(key, account_id), _LOOKED_FOR):
        if name in given:
            return name
    home = kafka_partition(account_id, classes)
    names = _names(key, account_id)
    return next(name for name in names if kafka_partition(name, classes) == home)


def _names(key: bytes, account_id: str) -> Iterator[str]:
    for number in count():
        digest = hmac.digest(key, f"{number}\x1f{account_id}".encode(), "sha256")
        yield PREFIX + base64.b32encode(digest[:20]).decode().lower()
