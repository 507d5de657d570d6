"""Who sends credentials that are no good waits, and nobody else does."""

from __future__ import annotations

import asyncio

import pytest

from gateway.access.auth.authenticator import Authenticator, TokenVerifier
from gateway.access.auth.claims import ClaimNames
from gateway.access.auth.credential import Method
from gateway.access.auth.failed_logins import FailedLogins
from gateway.access.auth.key_source import RemoteKeys
from gateway.access.auth.watched import Watch
from gateway.access.budget.balance import Rate
from gateway.access.budget.local import LocalBudget
from gateway.errors import FailedLoginsError, UnauthenticatedError
from tests.identity_provider import AUDIENCE, ISSUER, Trust, bearer, default_keys, token
from tests.unit.gateway.access.auth.opened import new_key, opened

pytestmark = pytest.mark.anyio
BURST = 5


def door_of(trust: Trust) -> Authenticator:
    return opened(trust, failed_logins_per_s=1, failed_logins_burst=BURST)


async def fail(door: Authenticator, address: str, times: int = 1) -> None:
    for number in range(times):
        with pytest.raises(UnauthenticatedError):
            await door.authenticate(bearer(f"guess-{number}"), address)


async def test_after_too_many_an_address_waits_and_others_do_not(trust: Trust) -> None:
    door = door_of(trust)
    await fail(door, "192.0.2.7", BURST)
    for sent in (bearer("guess"), bearer(token()), [(b"x-api-key", b"pak_x_y")]):
        with pytest.raises(FailedLoginsError) as refused:
            await door.authenticate(sent, "192.0.2.7")
        assert refused.value.retry_after_s == 1
    assert await door.authenticate(bearer(token()), "192.0.2.8")
    trust.clock.now_s += 1
    await fail(door, "192.0.2.7")
    with pytest.raises(FailedLoginsError):
        await door.authenticate(bearer("guess"), "192.0.2.7")
    trust.clock.now_s += BURST
    await fail(door, "192.0.2.7", BURST)


async def test_who_was_good_before_does_not_wait_for_what_others_of_his_address_send(
    trust: Trust,
) -> None:
    door, sent = door_of(trust), bearer(token(exp=trust.clock.now_s + 7_200))
    caller = await door.authenticate(sent, "192.0.2.7")
    await fail(door, "192.0.2.7", BURST)
    assert door.authenticate_cached(sent) is caller
    trust.clock.now_s += 61
    await fail(door, "192.0.2.7", BURST)
    assert door.authenticate_cached(sent) is None, "it has to be verified anew"
    assert await door.authenticate(sent, "192.0.2.7") == caller


async def test_who_is_not_good_any_more_waits_as_all_do(trust: Trust) -> None:
    door, sent = door_of(trust), bearer(token())
    await door.authenticate(sent, "192.0.2.7")
    trust.clock.now_s += 86_400
    for _ in range(BURST + 1):
        with pytest.raises(UnauthenticatedError):
            await door.authenticate(sent, "192.0.2.7")
    with pytest.raises(FailedLoginsError):
        await door.authenticate(sent, "192.0.2.7")


async def test_good_credentials_and_none_cost_nothing(trust: Trust) -> None:
    door = door_of(trust)
    for number in range(3 * BURST):
        await door.authenticate(bearer(token(jti=str(number))), "192.0.2.7")
        with pytest.raises(UnauthenticatedError) as refused:
            await door.authenticate([], "192.0.2.7")
        assert refused.value.reason == "missing"


async def test_many_at_once_are_no_way_around(trust: Trust) -> None:
    door = door_of(trust)
    tried = await asyncio.gather(
        *(door.authenticate(bearer(f"guess-{number}"), "192.0.2.7") for number in range(50)),
        return_exceptions=True,
    )
    assert [type(each) for each in tried].count(UnauthenticatedError) == BURST


async def test_good_ones_that_wait_together_for_a_look_at_the_files_are_all_let_in(
    trust: Trust, capsys: pytest.CaptureFixture[str]
) -> None:
    key = new_key(trust, capsys, "--role", "operator", "--expires", "2099-01-01T00:00:00Z")
    door = door_of(trust)
    for _ in range(2):
        sent = [bearer(token(jti=str(number))) for number in range(4 * BURST)]
        sent += [bearer(key)] * (4 * BURST)
        await asyncio.gather(*(door.authenticate(each, "192.0.2.7") for each in sent))
        trust.clock.now_s += 90
    await fail(door, "192.0.2.7", BURST)
    with pytest.raises(FailedLoginsError):
        await door.authenticate(bearer("guess"), "192.0.2.7")


async def test_good_ones_that_wait_together_for_the_providers_keys_are_all_let_in(
    trust: Trust,
) -> None:
    asked, serves = asyncio.Event(), asyncio.Event()

    async def fetch() -> bytes:
        asked.set()
        await serves.wait()
        return default_keys()

    names = ClaimNames("role", "accounts", "groups", "sees", frozenset())
    monotonic = trust.clock.monotonic
    verifier = TokenVerifier(
        RemoteKeys(fetch, monotonic), ISSUER, AUDIENCE, 0, 86_400, names, None, None
    )
    door = Authenticator(
        None,
        {Method.JWT: verifier},
        Watch([], monotonic),
        trust.clock.epoch_ms,
        monotonic,
        failed_logins=FailedLogins(LocalBudget(Rate(1, BURST), monotonic, max_subjects=10)),
    )
    sent = [bearer(token(jti=str(number))) for number in range(4 * BURST)]
    sent += [bearer(token() + "x") for _ in range(4 * BURST)]
    waiting = [asyncio.ensure_future(door.authenticate(each, "192.0.2.7")) for each in sent]
    await asked.wait()
    serves.set()
    told = await asyncio.gather(*waiting, return_exceptions=True)
    assert [each for each in told[: 4 * BURST] if isinstance(each, Exception)] == []
    bad = [type(each) for each in told[4 * BURST :]]
    assert (bad.count(UnauthenticatedError), bad.count(FailedLoginsError)) == (BURST, 3 * BURST)


async def test_the_addresses_of_one_subnet_are_one(trust: Trust) -> None:
    door = door_of(trust)
    for number in range(BURST):
        await fail(door, f"2001:db8::{number:x}:1")
    with pytest.raises(FailedLoginsError):
        await door.authenticate(bearer("guess"), "2001:db8::ffff:1")
    await fail(door, "2001:db8:0:1::1")


def test_what_is_kept_of_addresses_is_bounded(trust: Trust) -> None:
    allowed = LocalBudget(Rate(1, BURST), trust.clock.monotonic, max_subjects=10)
    failed = FailedLogins(allowed)
    for number in range(100):
        failed.tries(f"192.0.2.{number}")
    assert len(allowed._buckets) == 10


async def test_by_a_setting_any_number_may_fail(trust: Trust) -> None:
    await fail(opened(trust, failed_logins_per_s=0), "192.0.2.7", 200)
