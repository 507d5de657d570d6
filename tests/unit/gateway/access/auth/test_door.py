"""Who is let in, and what the door remembers of them for how long."""

from __future__ import annotations

import pytest

from gateway.access.auth import authenticator, jwks
from gateway.access.auth.authenticator import Authenticator, TokenVerifier
from gateway.access.auth.claims import ClaimNames
from gateway.access.auth.credential import Credential, Method
from gateway.access.auth.key_source import FileKeys
from gateway.access.auth.opening import open_door
from gateway.access.auth.watched import Watch, WatchedFile
from gateway.access.caller import EVERYONE
from gateway.errors import UnauthenticatedError
from gateway.settings import Settings
from tests.identity_provider import (
    AUDIENCE,
    ISSUER,
    NOW_S,
    Trust,
    bearer,
    secret_of,
    token,
)
from tests.unit.gateway.access.auth.opened import new_key, opened

pytestmark = pytest.mark.anyio


async def test_a_verified_token_is_remembered_for_a_minute(trust: Trust) -> None:
    door, sent = opened(trust), bearer(token())
    assert door.authenticate_cached(sent) is None
    caller = await door.authenticate(sent)
    assert door.authenticate_cached(sent) is caller
    trust.clock.now_s += 59
    assert await door.authenticate(sent) is caller
    assert door.authenticate_cached(sent) is caller
    trust.clock.now_s += 1
    again = await door.authenticate(sent)
    assert again == caller
    assert again is not caller


async def test_a_token_is_never_remembered_past_its_end(trust: Trust) -> None:
    door, sent = opened(trust), bearer(token(exp=NOW_S + 10))
    await door.authenticate(sent)
    trust.clock.now_s += 10 + 29
    assert await door.authenticate(sent)
    trust.clock.now_s += 1
    assert door.authenticate_cached(sent) is None
    with pytest.raises(UnauthenticatedError):
        await door.authenticate(sent)


async def test_callers_of_equal_accounts_have_one_set_of_them(trust: Trust) -> None:
    door, sent = opened(trust), bearer(token(accounts=["acct-1", "acct-2"]))
    caller = await door.authenticate(sent)
    trust.clock.now_s += 61
    again = await door.authenticate(sent)
    renewed = await door.authenticate(bearer(token(jti="2", accounts=["acct-2", "acct-1"])))
    other = await door.authenticate(bearer(token(jti="3", accounts=["acct-1"])))
    assert again == caller
    assert again.accounts is caller.accounts
    assert renewed.accounts is caller.accounts
    assert other.accounts == frozenset({"acct-1"})


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


async def test_a_key_and_a_group_end_when_they_say(
    trust: Trust, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--role", "partner", "--group", "friends", "--expires")
    day_s = 86_400
    last, first = 4_102_444_800, 4_102_444_800 - day_s
    key = new_key(trust, capsys, *words, "2100-01-01T00:00:00Z")
    other = new_key(trust, capsys, *words, "never", name="other")
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
    for each in (wrong, f"pak_{'0' * 12}_{secret_of(key)}", key + "x", key[:-1], "pak_x", "pak__"):
        with pytest.raises(UnauthenticatedError) as refused:
            await door.authenticate(bearer(each))
        said.append((str(refused.value), refused.value.reason))
    assert {reason for _, reason in said} == {"unknown_key"}
    assert len(set(said)) == 1
    assert len(key) == len("pak_") + 12 + 1 + 43


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
    rules = TokenVerifier(keys_of_file, ISSUER, AUDIENCE, 0, 86_400, names, None, None)
    clock = trust.clock
    nothing = Watch((), clock.monotonic)
    door = Authenticator(None, {Method.JWT: rules}, nothing, clock.epoch_ms, clock.monotonic)
    sent = bearer(token())
    await door.authenticate(sent)
    assert door.authenticate_cached(sent)
    keys_of_file.version += 1
    assert door.authenticate_cached(sent) is None


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


async def test_a_header_that_says_nothing_is_no_credential(
    trust: Trust, capsys: pytest.CaptureFixture[str]
) -> None:
    key = new_key(trust, capsys, "--role", "operator")
    nothing = [(b"authorization", said) for said in (b"", b" ", b"\t", b"Bearer", b"bearer \t")]
    nothing += [(b"x-api-key", b""), (b"x-api-key", b"  ")]
    closed, bare = opened(trust), opened(trust, auth="off")
    for sent in ([each] for each in nothing):
        assert bare.authenticate_cached(sent) is EVERYONE
        assert await bare.authenticate(sent) is EVERYONE
        assert closed.authenticate_cached(sent) is None
        with pytest.raises(UnauthenticatedError) as refused:
            await closed.authenticate(sent)
        assert refused.value.reason == "missing"
    assert await closed.authenticate([*nothing, (b"x-api-key", key.encode())])
    assert (await closed.authenticate([*bearer(token()), *nothing])).accounts == frozenset(
        {"alice"}
    )
    with pytest.raises(UnauthenticatedError):
        await bare.authenticate([(b"x-api-key", b"Bearer")])


async def test_a_long_lived_token_is_refused_though_it_is_signed(trust: Trust) -> None:
    door = opened(trust, auth_max_life_s=900)
    await door.authenticate(bearer(token(iat=NOW_S - 300, exp=NOW_S + 600)))
    await door.authenticate(bearer(token(jti="2", iat=None, exp=NOW_S + 900)))
    for wrong in (
        token(iat=NOW_S - 301, exp=NOW_S + 600),
        token(iat=None, exp=NOW_S + 901),
        token(iat=None, nbf=NOW_S, exp=NOW_S + 3_600),
    ):
        with pytest.raises(UnauthenticatedError) as refused:
            await door.authenticate(bearer(wrong))
        assert refused.value.reason == "token_life_too_long"


def test_a_credential_is_not_printed() -> None:
    assert "secret" not in repr(Credential(Method.API_KEY, "pak_1_secret"))
