"""What changes while the gateway runs: keys, groups and revocations, and what makes the door forget."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.access.caller import Role
from gateway.errors import UnauthenticatedError
from tests.identity_provider import (
    MASKING_KEY,
    NOW_S,
    Trust,
    bearer,
    claims,
    compact,
    header,
    key_set,
    public_jwk,
    rsa_key,
    token,
)
from tests.unit.gateway.access.auth.opened import keys, new_key, opened

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "revoked",
    [
        {"jti": ["token-1"]},
        {"sub": {"user-7": "2025-11-22T08:26:40Z"}},
    ],
)
async def test_a_revoked_token_is_refused_within_two_seconds(
    trust: Trust, revoked: dict[str, Any]
) -> None:
    door, sent = opened(trust), bearer(token())
    await door.authenticate(sent)
    trust.write("revoked.json", revoked)
    trust.clock.now_s += 1.5
    assert door.authenticate_cached(sent) is None
    with pytest.raises(UnauthenticatedError):
        await door.authenticate(sent)
    await door.authenticate(bearer(token(jti="token-2", sub="user-8")))


async def test_a_subjects_tokens_of_later_are_not_revoked_by_whichever_clock(trust: Trust) -> None:
    """The provider's clock may be ahead by the leeway: its tokens of before seem to be of after."""
    trust.write("revoked.json", {"sub": {"user-7": "2025-11-22T08:26:30Z"}})
    at_s = NOW_S - 10
    door = opened(trust, auth_leeway_s=8)
    await door.authenticate(bearer(token(iat=at_s + 8)))
    await door.authenticate(bearer(token(iat=at_s - 30, sub="user-8")))
    for issued_s in (None, at_s - 30, at_s, at_s + 5, at_s + 7.9):
        with pytest.raises(UnauthenticatedError) as refused:
            await door.authenticate(bearer(token(iat=issued_s)))
        assert refused.value.reason == "token_revoked"


async def test_a_key_that_was_just_made_is_valid_at_once(
    trust: Trust, capsys: pytest.CaptureFixture[str]
) -> None:
    door = opened(trust)
    await door.authenticate(bearer(token()))
    partner = await door.authenticate(
        bearer(new_key(trust, capsys, "--role", "partner", "--group", "friends"))
    )
    assert partner.accounts == frozenset({"alice", "bob"})
    newer = rsa_key("newer")
    trust.write("jwks.json", key_set(public_jwk(rsa_key("1"), "rsa-1"), public_jwk(newer, "rsa-2")))
    assert await door.authenticate(bearer(compact(newer, header(kid="rsa-2"), claims())))


async def test_a_list_of_revoked_tokens_that_breaks_or_goes_brings_none_back(trust: Trust) -> None:
    trust.write("revoked.json", {"jti": ["token-1"]})
    door = opened(trust)
    for content in ("{", "[]", '{"tokens": []}', None):
        if content is None:
            (trust.folder / "revoked.json").unlink()
        else:
            trust.write("revoked.json", content)
        trust.clock.now_s += 1
        with pytest.raises(UnauthenticatedError):
            await door.authenticate(bearer(token()))
        await door.authenticate(bearer(token(jti="token-2")))


async def test_a_revoked_key_is_refused_within_two_seconds(
    trust: Trust, capsys: pytest.CaptureFixture[str]
) -> None:
    key = new_key(trust, capsys, "--role", "owner", "--accounts", "alice", "--expires", "never")
    door, sent = opened(trust), [(b"x-api-key", key.encode())]
    caller = await door.authenticate(bearer(key))
    assert (caller.subject, caller.accounts) == ("key:acme", frozenset({"alice"}))
    assert await door.authenticate(sent) == caller
    assert keys(trust, "revoke", "acme") == 0
    trust.clock.now_s += 1.5
    assert door.authenticate_cached(sent) is None
    for headers in (sent, bearer(key)):
        with pytest.raises(UnauthenticatedError):
            await door.authenticate(headers)


async def test_a_rotated_key_overlaps_and_keeps_its_holders_name(
    trust: Trust, capsys: pytest.CaptureFixture[str]
) -> None:
    old = new_key(trust, capsys, "--role", "partner", "--group", "friends")
    door = opened(trust)
    before = await door.authenticate(bearer(old))
    assert keys(trust, "rotate", "acme", "--overlap-hours", "0") == 0
    new = capsys.readouterr().out.split()[0]
    trust.clock.now_s += 1
    assert await door.authenticate(bearer(new)) == before
    trust.clock.now_s = 4_000_000_000
    for key in (old, new):
        with pytest.raises(UnauthenticatedError):
            await door.authenticate(bearer(key))


async def test_a_key_file_that_breaks_keeps_what_it_said_last(
    trust: Trust, capsys: pytest.CaptureFixture[str]
) -> None:
    key = new_key(trust, capsys, "--role", "operator")
    kept = (trust.folder / "keys.json").read_bytes()
    door = opened(trust)
    await door.authenticate(bearer(key))
    (said,) = json.loads(kept)["keys"]
    wrong: list[dict[str, Any]] = [
        {"role": "root"},
        {"sha256": "abc"},
        {"sees_counterparties": "yes"},
        {"expires": "soon"},
        {"created": "2026-01-01"},
        {"revoked": "no"},
        {"accounts": "alice"},
        {"secret": "x"},
    ]
    changed = [json.dumps({"version": 1, "keys": [said | each]}).encode() for each in wrong]
    twice = json.dumps({"version": 1, "keys": [said, said]}).encode()
    for broken in (b"{", b"[]", b'{"version": 2, "keys": []}', twice, *changed):
        trust.write("keys.json", broken)
        trust.clock.now_s += 61
        assert (await door.authenticate(bearer(key))).role is Role.OPERATOR
        with pytest.raises(UnauthenticatedError):
            await door.authenticate(bearer(key + "x"))
        assert [file.name for file in door.watch.files if file.is_stale()] == ["auth_keys"]
    trust.write("keys.json", {"version": 1, "keys": []})
    trust.clock.now_s += 1
    with pytest.raises(UnauthenticatedError):
        await door.authenticate(bearer(key))
    trust.write("keys.json", kept)
    assert (await door.authenticate(bearer(key))).role is Role.OPERATOR
    assert not any(file.is_stale() for file in door.watch.files)


@pytest.mark.parametrize("name", ["keys.json", "groups.json", "jwks.json", "revoked.json"])
async def test_a_file_that_goes_takes_no_right_and_gives_none(
    trust: Trust, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    trust.write("revoked.json", {"jti": ["gone"]})
    key = new_key(trust, capsys, "--role", "partner", "--group", "friends")
    door = opened(trust)
    (trust.folder / name).unlink()
    for _ in range(2):
        trust.clock.now_s += 61
        assert (await door.authenticate(bearer(key))).accounts == frozenset({"alice", "bob"})
        assert await door.authenticate(bearer(token()))
        with pytest.raises(UnauthenticatedError):
            await door.authenticate(bearer(token(jti="gone")))


async def test_another_masking_key_is_told_of_and_masks_stay(trust: Trust) -> None:
    door, sent = opened(trust), bearer(token())
    (masking,) = [file for file in door.watch.files if file.name == "masking_key_file"]
    for content, stale in (("f" * 64, True), ("short", True), (MASKING_KEY + "\n", False)):
        trust.write("masking.key", content)
        trust.clock.now_s += 1
        await door.authenticate(sent)
        assert masking.is_stale() is stale
        assert masking.content == MASKING_KEY.encode()


async def test_groups_change_and_end_while_it_runs(trust: Trust) -> None:
    door, sent = opened(trust), bearer(token(role="partner", accounts=None, groups=["friends"]))
    assert (await door.authenticate(sent)).accounts == frozenset({"alice", "bob"})
    ends = {"accounts": ["alice"], "expires": "2025-11-22T08:27:00Z"}
    trust.write("groups.json", {"friends": ends})
    trust.clock.now_s += 1
    assert (await door.authenticate(sent)).accounts == frozenset({"alice"})
    trust.clock.now_s = NOW_S + 20
    assert door.authenticate_cached(sent) is None
    with pytest.raises(UnauthenticatedError) as refused:
        await door.authenticate(sent)
    assert refused.value.reason == "grant_empty_or_expired"


async def test_a_key_set_file_that_changes_is_noticed(trust: Trust) -> None:
    door, sent = opened(trust), bearer(token())
    await door.authenticate(sent)
    trust.write("jwks.json", key_set(public_jwk(rsa_key("2"), "rsa-2")))
    trust.clock.now_s += 1
    assert door.authenticate_cached(sent) is None
    with pytest.raises(UnauthenticatedError):
        await door.authenticate(sent)
