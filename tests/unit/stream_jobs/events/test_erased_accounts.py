"""By the key an id is known as one of an erased account, and what tells of it tells the pseudonym; nothing else does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_jobs.erasure.pseudonyms import pseudonym
from stream_jobs.events.erased_accounts import (
    Erased,
    WrongKeyError,
    accounts_of,
    read_key,
    refusal,
    scrubbed,
    tag_of,
)
from stream_jobs.events.rejection import Rejection
from stream_jobs.events.rules import judge
from stream_jobs.secret_files import AccessError

KEY, OTHER = b"k" * 32, b"o" * 32


def record(account: str, key: bytes = KEY, name: str = "") -> bytes:
    return json.dumps(
        {"pseudonym": name or f"erased-{account}", "tag": tag_of(key, account)}
    ).encode()


@given(st.sets(st.text(min_size=1), max_size=5), st.lists(st.text(min_size=1), max_size=10))
def test_exactly_those_that_were_erased_are_known(erased: set[str], asked: list[str]) -> None:
    known = Erased(KEY)
    for account in erased:
        known.take(record(account), 1)
    assert known.names(asked) == {id_: f"erased-{id_}" for id_ in asked if id_ in erased}
    assert not Erased(OTHER).names(asked)


def test_another_key_than_the_newest_erasure_s_is_told_since_it_would_know_nobody() -> None:
    known = Erased(OTHER)
    known.take(record("ann"), 1)
    with pytest.raises(WrongKeyError, match="another key"):
        known.names(["bob"])
    known.take(record("bob", key=OTHER), 2)
    assert known.names(["ann", "bob"]) == {"bob": "erased-bob"}


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"7", b"{", b"null"])
def test_a_record_that_tells_of_no_erasure_is_passed_over(content: bytes) -> None:
    known = Erased(KEY)
    for each in (content, record("ann"), content):
        known.take(each, 1)
    assert known.names(["ann"]) == {"ann": "erased-ann"}


def test_the_first_record_counts_and_from_its_time_on() -> None:
    known = Erased(KEY)
    known.take(record("ann"), 10)
    known.take(record("ann", name="erased-other"), 20)
    assert known.names(["ann"], 10) == {"ann": "erased-ann"}
    assert known.names(["ann"], 9) == {}


def test_a_record_without_a_tag_tells_nobody_until_there_is_one_with_it() -> None:
    known = Erased(KEY)
    known.take(b'{"pseudonym": "erased-ann"}', 1)
    assert (known.untagged, known.names(["ann"])) == (1, {})
    known.take(record("ann"), 2)
    known.take(b'{"pseudonym": "erased-ann"}', 3)
    assert (known.untagged, known.names(["ann"])) == (0, {"ann": "erased-ann"})


@given(st.text(min_size=1, max_size=64))
def test_a_tag_is_no_part_of_a_pseudonym(account: str) -> None:
    import base64

    name = pseudonym(KEY, account, 1, frozenset()).removeprefix("erased-").upper()
    assert not base64.b32decode(name).hex().startswith(tag_of(KEY, account))


@pytest.mark.parametrize(
    ("payload", "accounts"),
    [
        (b'{"from_account_id": "ann", "to_account_id": "bob"}', ("ann", "bob")),
        (b'{"from_account_id": 7, "to_account_id": "\\u0061nn"}', ("ann",)),
        (b'{"from_account_id": " ann"}', ()),
        (b"[1]", ()),
        (b"ann", ()),
        (None, ()),
    ],
)
def test_a_rejected_record_names_what_can_be_read_in_its_fields(
    payload: bytes | None, accounts: tuple[str, ...]
) -> None:
    judged = judge(payload, 1_700_000_000_000)
    assert isinstance(judged, Rejection)
    assert accounts_of(judged, payload) == accounts


def test_a_refusal_tells_pseudonyms_only() -> None:
    names = {"ann": "erased-x", "bob": "erased-y"}
    payload = b'{"from_account_id": "ann", "to_account_id": "bob", "memo": "ann to bob, not bob-2"}'
    told = refusal(payload, names)
    without = payload.replace(b"ann", b"erased-x").replace(b'bob"', b'erased-y"', 1)
    assert told.payload.encode() == without.replace(b"to bob,", b"to erased-y,")
    assert (told.reason, told.detail) == (
        "ACCOUNT_ERASED",
        "it names erased-x and erased-y, which was erased",
    )
    assert scrubbed(b"cid", names) == b"cid"


def test_a_key_has_32_bytes_or_more(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("k" * 32 + "\n")
    assert read_key("--erasure-key", path) == KEY
    path.write_text("k" * 31)
    with pytest.raises(AccessError, match="under 32 bytes"):
        read_key("--erasure-key", path)
