"""A pseudonym is the account's for ever, of its class, and nobody's without the key."""

from __future__ import annotations

import pytest

from stream_jobs.erasure.pseudonyms import pseudonym
from stream_jobs.events.account_ids import is_account_id
from stream_jobs.events.erased_accounts import PREFIX
from stream_jobs.topics.murmur2 import kafka_partition

KEY, OTHER = b"k" * 32, b"o" * 32
NONE = frozenset[str]()


@pytest.mark.parametrize("classes", [1, 4, 6, 64, 256])
def test_it_is_an_account_id_of_the_accounts_own_class(classes: int) -> None:
    for number in range(20):
        name = pseudonym(KEY, f"acct-{number}", classes, NONE)
        assert is_account_id(name)
        assert name.startswith(PREFIX)
        assert kafka_partition(name, classes) == kafka_partition(f"acct-{number}", classes)


def test_it_is_the_same_again_and_another_with_another_key_or_id() -> None:
    names = [pseudonym(KEY, "ann", 4, NONE), pseudonym(OTHER, "ann", 4, NONE)]
    assert pseudonym(KEY, "ann", 4, NONE) == names[0]
    assert len({*names, pseudonym(KEY, "Ann", 4, NONE)}) == 3


def test_the_one_that_was_given_stays_though_there_are_more_partitions_now() -> None:
    first = pseudonym(KEY, "ann", 4, NONE)
    assert pseudonym(KEY, "ann", 256, frozenset({first, "erased-other"})) == first
    assert pseudonym(KEY, "bob", 256, frozenset({first})) != first
