"""Tokens that are believed, what they say of their caller, and keys that prove none."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.access.auth.authenticator import Authenticator
from gateway.access.caller import Caller, Role
from gateway.errors import UnauthenticatedError
from tests.identity_provider import (
    NOW_S,
    Trust,
    bearer,
    claims,
    compact,
    ec_key,
    ed_key,
    header,
    key_set,
    public_jwk,
    rsa_key,
    token,
)
from tests.unit.gateway.access.auth.opened import opened

pytestmark = pytest.mark.anyio

RSA, OTHER = rsa_key("1"), rsa_key("of somebody else")


@pytest.mark.parametrize(
    "text",
    [
        token(),
        compact(ec_key("1"), header(alg="ES256", kid="ec-1"), claims()),
        compact(ed_key("1"), header(alg="EdDSA", kid="ed-1"), claims()),
        compact(RSA, header(typ=None), claims()),
        compact(RSA, header(typ="at+jwt"), claims()),
        compact(RSA, header(x5t="abc"), claims()),
        token(aud=["another", "payment-analytics"]),
        token(exp=NOW_S - 29, iat=None, jti=None),
        token(nbf=NOW_S + 30, iat=NOW_S + 30),
        token(exp=NOW_S + 0.5),
        token(role=["offline_access", "OWNER"]),
    ],
)
async def test_a_good_token_is_its_subject(door: Authenticator, text: str) -> None:
    caller = await door.authenticate(bearer(text))
    assert (caller.role, caller.accounts) == (Role.OWNER, frozenset({"alice"}))
    assert caller.sees_counterparties
    assert caller.subject.startswith("jwt:")
    assert "user-7" not in caller.subject


@pytest.mark.parametrize(
    "jwk",
    [
        public_jwk(rsa_key("short", 1_024), "k"),
        public_jwk(RSA, "k", use="enc"),
        public_jwk(RSA, "k", alg="HS256"),
        public_jwk(RSA, "k", alg="PS256"),
        public_jwk(RSA, "k", key_ops=["encrypt"]),
        public_jwk(RSA, "k", d="AQAB"),
        public_jwk(RSA, "k", kty="oct", k="c2VjcmV0"),
        public_jwk(RSA, "k", n="!!"),
        public_jwk(ec_key("1"), "k", crv="P-521"),
        public_jwk(ec_key("1"), "k", x="AAAA"),
        public_jwk(ed_key("1"), "k", crv="Ed448"),
    ],
)
async def test_a_key_that_is_not_for_signatures_of_its_kind_is_not_used(
    trust: Trust, jwk: dict[str, Any]
) -> None:
    trust.write("jwks.json", key_set(jwk, public_jwk(rsa_key("1"), "rsa-1")))
    door = opened(trust)
    await door.authenticate(bearer(token()))
    with pytest.raises(UnauthenticatedError):
        await door.authenticate(bearer(compact(RSA, header(kid="k"), claims())))


async def test_two_keys_of_one_id_are_none(trust: Trust) -> None:
    both = public_jwk(RSA, "rsa-1"), public_jwk(OTHER, "rsa-1"), public_jwk(ed_key("1"), "ed-1")
    trust.write("jwks.json", key_set(*both))
    door = opened(trust)
    for private in (RSA, OTHER):
        with pytest.raises(UnauthenticatedError):
            await door.authenticate(bearer(compact(private, header(), claims())))


async def caller_of(door: Authenticator, **changed: Any) -> Caller:
    return await door.authenticate(bearer(token(**changed)))


async def test_claims_say_what_a_caller_may_see(door: Authenticator) -> None:
    operator = await caller_of(door, role="operator", accounts=["alice"])
    assert (operator.accounts, operator.sees_counterparties) == (None, True)
    partner = await caller_of(door, role="partner", accounts=["carol"], groups=["friends"])
    assert partner.accounts == frozenset({"alice", "bob", "carol"})
    assert not partner.sees_counterparties
    shown = await caller_of(door, role="partner", sees_counterparties=True)
    assert shown.sees_counterparties
    masked = await caller_of(door, sees_counterparties=False)
    assert (masked.role, masked.sees_counterparties) == (Role.OWNER, False)
