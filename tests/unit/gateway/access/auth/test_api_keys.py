"""API keys as they are kept and checked: hashes only, compared whole, and a file that is read strictly."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from typing import Any

import pytest

from gateway.access.auth.api_keys import (
    ApiKey,
    check,
    digest,
    dump,
    new_secret,
    next_end_s,
    parse,
)
from gateway.access.auth.grants import Grant
from gateway.access.caller import Role
from gateway.errors import UnauthenticatedError

SECRET = "pak_0123456789ab_s_e_c_r_e_t"
KEY = ApiKey(
    id="0123456789ab",
    name="acme",
    role=Role.PARTNER,
    sha256=digest(SECRET),
    created="2026-01-01T00:00:00+00:00",
    expires="1970-01-01T00:01:40Z",
    revoked=None,
    accounts=frozenset({"bob", "alice"}),
    groups=("friends",),
    sees_counterparties=False,
)
OTHER = dataclasses.replace(KEY, id="other", expires=None, role=Role.OWNER)


def test_a_new_key_is_random_and_kept_as_its_hash() -> None:
    key_id, key, sha256 = new_secret()
    assert re.fullmatch("[0-9a-f]{12}", key_id)
    assert re.fullmatch(f"pak_{key_id}_[A-Za-z0-9_-]{{43}}", key)
    assert sha256 == hashlib.sha256(key.encode()).hexdigest() == digest(key)
    assert new_secret() != new_secret()


def test_a_key_is_found_by_its_id_and_checked_whole() -> None:
    keys = {KEY.id: KEY, OTHER.id: OTHER}
    assert check(SECRET, keys, 99.9) is KEY
    with pytest.raises(UnauthenticatedError) as refused:
        check(SECRET, keys, 100.0)
    assert refused.value.reason == "key_expired_or_revoked"
    for wrong in (
        SECRET[:-1],
        SECRET + "x",
        SECRET.upper(),
        SECRET.removeprefix("pak_"),
        SECRET.replace("0123456789ab", "other"),
        "pak_unknown_x",
        "no key has this hash",
        "",
    ):
        with pytest.raises(UnauthenticatedError) as refused:
            check(wrong, keys, 0.0)
        assert refused.value.reason == "unknown_key"


def test_a_revoked_key_never_was_valid() -> None:
    revoked = dataclasses.replace(KEY, revoked="1970-01-01T00:00:50Z")
    with pytest.raises(UnauthenticatedError) as refused:
        check(SECRET, {KEY.id: revoked}, -1e12)
    assert refused.value.reason == "key_expired_or_revoked"
    assert dataclasses.replace(KEY, expires=None).until_s == float("inf")


def test_a_key_grants_to_its_holder_and_shows_its_prefix_only() -> None:
    assert KEY.grant == Grant(
        "key:acme", Role.PARTNER, frozenset({"alice", "bob"}), ("friends",), False, "0123456789ab"
    )
    assert KEY.prefix == "pak_0123456789ab_…"
    assert KEY.sha256 not in repr(KEY)


def test_what_is_written_is_read_again_and_holds_no_secret() -> None:
    content = dump([KEY, OTHER])
    assert parse(content) == {KEY.id: KEY, OTHER.id: OTHER}
    assert SECRET.encode() not in content
    assert content.endswith(b"\n")
    said = json.loads(content)
    assert said["version"] == 1
    assert said["keys"][0] == {
        "id": "0123456789ab",
        "name": "acme",
        "role": "partner",
        "sha256": digest(SECRET),
        "created": "2026-01-01T00:00:00+00:00",
        "expires": "1970-01-01T00:01:40Z",
        "revoked": None,
        "accounts": ["alice", "bob"],
        "groups": ["friends"],
        "sees_counterparties": False,
    }
    assert b'\n  "keys": [\n' in content
    assert parse(b'{"version": 1, "keys": []}') == {}


def changed(**change: Any) -> bytes:
    said = json.loads(dump([KEY]))
    said["keys"][0] |= change
    return json.dumps(said).encode()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'{"keys": []}', "^not a key store of this version$"),
        (b'{"version": 2, "keys": []}', "^not a key store of this version$"),
        (dump([KEY, KEY]), "^two keys have one id$"),
        (changed(sha256="abc"), "^not a key$"),
        (changed(sha256=digest("x") + "0"), "^not a key$"),
        (changed(sees_counterparties="yes"), "^not a key$"),
        (changed(sees_counterparties=1), "^not a key$"),
        (changed(role="admin"), "not a valid Role"),
        (changed(accounts="alice"), "list of ids"),
        (changed(created="yesterday"), "Invalid isoformat"),
        (changed(expires="2027-01-01T00:00:00"), "needs its offset"),
        (changed(revoked="now"), "Invalid isoformat"),
    ],
)
def test_a_file_of_something_else_is_no_key_store(content: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse(content)


def test_unknown_entries_are_refused() -> None:
    with pytest.raises(TypeError):
        parse(changed(admin=True))


def test_a_holder_is_without_a_key_when_the_last_of_its_keys_ends() -> None:
    def key(number: str, name: str, expires: str | None, revoked: str | None = None) -> ApiKey:
        return dataclasses.replace(KEY, id=number, name=name, expires=expires, revoked=revoked)

    rotated = [key("1", "a", "1970-01-01T00:01:00Z"), key("2", "a", "1970-01-01T00:05:00Z")]
    taken = key("3", "b", "1970-01-01T00:03:00Z", revoked="1970-01-01T00:00:01Z")
    lasting = key("4", "c", None)
    of = {each.id: each for each in (*rotated, taken, lasting)}
    assert next_end_s(of, 10.0) == 300.0
    assert next_end_s(of, 300.0) == float("inf"), "who is without one already is not told again"
    soon = key("5", "d", "1970-01-01T00:02:00Z")
    assert next_end_s({**of, soon.id: soon}, 10.0) == 120.0
    assert next_end_s(dict(reversed(of.items())), 10.0) == 300.0
    assert next_end_s({}, 10.0) == float("inf")
