"""What the door remembers, for how long, and what makes it forget."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.auth import authenticator, jwks
from gateway.auth.authenticator import Authenticator, TokenVerifier
from gateway.auth.claims import ClaimNames
from gateway.auth.credential import Credential, Method
from gateway.auth.key_source import FileKeys
from gateway.auth.keys import main as keys_command
from gateway.auth.opening import masking_of, open_door
from gateway.auth.watched import WatchedFile
from gateway.caller import EVERYONE, Role
from gateway.errors import UnauthenticatedError
from gateway.setting_values import SettingsError
from gateway.settings import Settings
from tests.identity_provider import (
    AUDIENCE,
    ISSUER,
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

pytestmark = pytest.mark.anyio


def opened(trust: Trust, **changed: Any) -> Authenticator:
    return open_door(trust.settings(**changed), trust.clock.epoch_ms, trust.clock.monotonic)


def keys(trust: Trust, *words: str) -> int:
    return keys_command(["--store", str(trust.folder / "keys.json"), *words])


def new_key(trust: Trust, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert keys(trust, "create", "--name", "acme", *words) == 0
    return capsys.readouterr().out.split()[0]


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    return Trust(tmp_path)


async def test_a_verified_token_is_remembered_for_a_minute(trust: Trust) -> None:
    door, sent = opened(trust), bearer(token())
    assert door.authenticate_cached(sent) is None
    caller = await door.authenticate(sent)
    trust.clock.now_s += 59
    assert door.authenticate_cached(sent) is caller
    trust.clock.now_s += 1
    assert door.authenticate_cached(sent) is None
    assert await door.authenticate(sent) == caller


async def test_a_token_is_never_remembered_past_its_end(trust: Trust) -> None:
    door, sent = opened(trust), bearer(token(exp=NOW_S + 10))
    await door.authenticate(sent)
    trust.clock.now_s += 10 + 29
    assert door.authenticate_cached(sent)
    trust.clock.now_s += 1
    assert door.authenticate_cached(sent) is None
    with pytest.raises(UnauthenticatedError):
        await door.authenticate(sent)


async def test_what_is_remembered_is_bounded(trust: Trust, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authenticator, "REMEMBER_MOST", 3)
    door = opened(trust)
    sent = [bearer(token(jti=str(number))) for number in range(5)]
    for each in sent:
        await door.authenticate(each)
    assert [door.authenticate_cached(each) is not None for each in sent] == [
        False,
        False,
        True,
        True,
        True,
    ]


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


async def test_a_subjects_tokens_of_later_are_not_revoked(trust: Trust) -> None:
    trust.write("revoked.json", {"sub": {"user-7": "2025-11-22T08:26:30Z"}})
    door = opened(trust)
    await door.authenticate(bearer(token()))
    with pytest.raises(UnauthenticatedError):
        await door.authenticate(bearer(token(iat=None)))
    with pytest.raises(UnauthenticatedError):
        await door.authenticate(bearer(token(iat=NOW_S - 30)))


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


async def test_a_key_and_a_group_end_when_they_say(
    trust: Trust, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--role", "partner", "--group", "friends", "--expires")
    day_s = 86_400
    last, first = 4_102_444_800, 4_102_444_800 - day_s
    key = new_key(trust, capsys, *words, "2100-01-01T00:00:00Z")
    other = new_key(trust, capsys, *words, "never")
    trust.write("groups.json", {"friends": {"accounts": ["alice"]}})
    door = opened(trust)
    for seconds_left, valid in ((10, True), (1, True), (0, False)):
        trust.clock.now_s = last - seconds_left
        if valid:
            caller = await door.authenticate(bearer(key))
            assert door.authenticate_cached(bearer(key)) is caller
        else:
            assert door.authenticate_cached(bearer(key)) is None
            with pytest.raises(UnauthenticatedError) as refused:
                await door.authenticate(bearer(key))
            assert refused.value.reason == "key_expired_or_revoked"
    ends = {"accounts": ["alice"], "expires": "2099-12-31T00:00:00Z"}
    trust.write("groups.json", {"friends": ends})
    trust.clock.now_s = first - 1
    door = opened(trust)
    await door.authenticate(bearer(other))
    assert door.authenticate_cached(bearer(other))
    trust.clock.now_s = first
    assert door.authenticate_cached(bearer(other)) is None
    with pytest.raises(UnauthenticatedError):
        await door.authenticate(bearer(other))


async def test_a_wrong_secret_and_an_unknown_id_are_the_same_refusal(
    trust: Trust, capsys: pytest.CaptureFixture[str]
) -> None:
    key = new_key(trust, capsys, "--role", "operator")
    door = opened(trust)
    wrong = key[:-1] + ("A" if key[-1] != "A" else "B")
    said = []
    for each in (wrong, "pak_" + "0" * 12 + key[16:], key + "x", key[:-1], "pak_x", "pak__"):
        with pytest.raises(UnauthenticatedError) as refused:
            await door.authenticate(bearer(each))
        said.append((str(refused.value), refused.value.reason))
    assert {reason for _, reason in said} == {"unknown_key"}
    assert len(set(said)) == 1
    assert len(key) == len("pak_") + 12 + 1 + 43


async def test_a_key_file_that_breaks_lets_nobody_in(
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
        trust.clock.now_s += 1
        with pytest.raises(UnauthenticatedError):
            await door.authenticate(bearer(key))
    trust.write("keys.json", kept)
    trust.clock.now_s += 1
    assert (await door.authenticate(bearer(key))).role is Role.OPERATOR


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


async def test_an_operators_credential_is_remembered_too(trust: Trust) -> None:
    door, sent = opened(trust), bearer(token(role="operator"))
    caller = await door.authenticate(sent)
    assert caller.subject.startswith("jwt:")
    assert door.authenticate_cached(sent) is caller


async def test_subjects_are_told_apart_by_who_they_are_and_who_says_so(trust: Trust) -> None:
    door = opened(trust)
    callers = [await door.authenticate(bearer(token(sub=sub))) for sub in ("user-7", "user-8")]
    elsewhere = opened(trust, auth_issuer="https://other.example")
    callers.append(await elsewhere.authenticate(bearer(token(iss="https://other.example"))))
    assert len({caller.subject for caller in callers}) == 3
    again = await opened(trust).authenticate(bearer(token(jti="2", accounts=["bob"])))
    assert again.subject == callers[0].subject


async def test_groups_are_no_one_where_there_is_no_file_of_them(trust: Trust) -> None:
    door = opened(trust, auth_groups="")
    assert (await door.authenticate(bearer(token(groups=["friends"])))).accounts == frozenset(
        {"alice"}
    )
    with pytest.raises(UnauthenticatedError):
        await door.authenticate(bearer(token(accounts=None, groups=["friends"])))


async def test_remembered_answers_end_with_the_keys_version(trust: Trust) -> None:
    keys_of_file = FileKeys(WatchedFile(trust.folder / "jwks.json", jwks.parse))
    names = ClaimNames("role", "accounts", "groups", "sees", frozenset())
    rules = TokenVerifier(keys_of_file, ISSUER, AUDIENCE, 0, names, None, None)
    clock = trust.clock
    door = Authenticator(None, {Method.JWT: rules}, (), clock.epoch_ms, clock.monotonic)
    sent = bearer(token())
    await door.authenticate(sent)
    assert door.authenticate_cached(sent)
    keys_of_file.version += 1
    assert door.authenticate_cached(sent) is None


async def test_a_key_set_file_that_changes_is_noticed(trust: Trust) -> None:
    door, sent = opened(trust), bearer(token())
    await door.authenticate(sent)
    trust.write("jwks.json", key_set(public_jwk(rsa_key("2"), "rsa-2")))
    trust.clock.now_s += 1
    assert door.authenticate_cached(sent) is None
    with pytest.raises(UnauthenticatedError):
        await door.authenticate(sent)


async def test_without_authentication_everyone_is_let_in_but_nobody_with_a_wrong_credential(
    trust: Trust,
) -> None:
    door = opened(trust, auth="off")
    assert door.authenticate_cached([]) is EVERYONE
    assert await door.authenticate([]) is EVERYONE
    assert (await door.authenticate(bearer(token()))).accounts == frozenset({"alice"})
    with pytest.raises(UnauthenticatedError):
        await door.authenticate(bearer(token(exp=1)))
    bare = open_door(Settings(), trust.clock.epoch_ms, trust.clock.monotonic)
    with pytest.raises(UnauthenticatedError):
        await bare.authenticate(bearer(token()))


async def test_a_method_that_is_not_switched_on_is_refused(
    trust: Trust, capsys: pytest.CaptureFixture[str]
) -> None:
    key = new_key(trust, capsys, "--role", "operator")
    with pytest.raises(UnauthenticatedError):
        await opened(trust, auth="jwt").authenticate(bearer(key))
    with pytest.raises(UnauthenticatedError):
        await opened(trust, auth="api_key").authenticate(bearer(token()))


@pytest.mark.parametrize(
    ("name", "content", "variable"),
    [
        ("keys.json", "[]", "GATEWAY_AUTH_KEYS"),
        ("groups.json", '{"a": {"accounts": "alice"}}', "GATEWAY_AUTH_GROUPS"),
        ("groups.json", '{"a": {"accounts": [], "expires": "2026-01-01"}}', "GATEWAY_AUTH_GROUPS"),
        ("groups.json", '{"a": {"accounts": [], "expiry": null}}', "GATEWAY_AUTH_GROUPS"),
        ("jwks.json", '{"keys": []}', "GATEWAY_AUTH_JWKS"),
        ("revoked.json", '{"jti": "token-1"}', "GATEWAY_AUTH_REVOKED"),
        ("revoked.json", '{"sub": {"user-7": "soon"}}', "GATEWAY_AUTH_REVOKED"),
        ("masking.key", "short", "GATEWAY_MASKING_KEY_FILE"),
    ],
)
def test_files_that_cannot_work_are_named_at_the_start(
    trust: Trust, name: str, content: str, variable: str
) -> None:
    trust.write(name, content)
    with pytest.raises(SettingsError, match=variable):
        opened(trust), masking_of(trust.settings())
    (trust.folder / name).unlink()
    with pytest.raises(SettingsError, match=variable):
        opened(trust), masking_of(trust.settings())


def test_keys_come_from_elsewhere_by_https_only(trust: Trust) -> None:
    with pytest.raises(SettingsError, match="GATEWAY_AUTH_JWKS"):
        opened(trust, auth_jwks="http://id.example/jwks.json")


def test_a_credential_is_not_printed() -> None:
    assert "secret" not in repr(Credential(Method.API_KEY, "pak_1_secret"))


def test_the_key_file_holds_no_secret_and_is_its_owners_alone(
    trust: Trust, capsys: pytest.CaptureFixture[str]
) -> None:
    made = [new_key(trust, capsys, "--role", "operator") for _ in range(3)]
    assert keys(trust, "list", "--json") == 0
    listed = capsys.readouterr().out
    assert [row["state"] for row in json.loads(listed)] == ["valid"] * 3
    for path in trust.folder.iterdir():
        assert not [key for key in made if key.rsplit("_", 1)[1].encode() in path.read_bytes()]
    for key in made:
        assert key[:16] in listed
        assert key[17:] not in listed
    assert (trust.folder / "keys.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "words",
    [
        ["create", "--name", "x", "--role", "owner"],
        ["create", "--name", "x", "--role", "operator", "--accounts", "alice"],
        ["create", "--name", "x", "--role", "operator", "--masked"],
        ["create", "--name", "", "--role", "operator"],
        ["create", "--name", "x", "--role", "owner", "--accounts", "x" * 65],
        ["create", "--name", "x", "--role", "operator", "--expires", "2020-01-01T00:00:00Z"],
        ["create", "--name", "x", "--role", "operator", "--expires", "soon"],
        ["rotate", "nobody"],
        ["revoke", "nobody"],
    ],
)
def test_what_makes_no_sense_changes_nothing(
    trust: Trust, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    before = (trust.folder / "keys.json").read_bytes()
    assert keys(trust, *words) == 2
    assert capsys.readouterr().err.startswith("keys: ")
    assert (trust.folder / "keys.json").read_bytes() == before


def test_keys_that_follow_each_other_are_told_apart(
    trust: Trust, capsys: pytest.CaptureFixture[str]
) -> None:
    (trust.folder / "ids").write_text("bob\n\ncarol, the third\n")
    file = str(trust.folder / "ids")
    words = ("--role", "partner", "--accounts", "alice", "--accounts-file", file)
    first = new_key(trust, capsys, *words, "--sees-counterparties", "--expires", "30d")
    assert keys(trust, "rotate", "acme") == 0
    assert keys(trust, "revoke", "acme") == 2
    assert "2 valid keys" in capsys.readouterr().err
    assert keys(trust, "revoke", first[:16]) == 0
    assert keys(trust, "revoke", first[:16]) == 2
    capsys.readouterr()
    assert keys(trust, "list") == 0
    heading, *rows = capsys.readouterr().out.splitlines()
    assert heading.split()[:4] == ["key", "name", "role", "accounts"]
    assert sorted(row.split()[7] for row in rows) == ["revoked", "valid"]
    assert all(row.split()[3] == "3" for row in rows)
