"""Tokens part by part: header, signature, issuer and audience, times; each refusal for its own reason."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.access.auth import tokens
from gateway.access.auth.jwks import PinnedKey
from gateway.errors import UnauthenticatedError
from tests.identity_provider import compact, ed_key, rsa_key, segment

RSA = PinnedKey("rsa-1", "RS256", rsa_key("1").public_key())
ED = PinnedKey("ed-1", "EdDSA", ed_key("1").public_key())
HEAD = {"alg": "RS256", "kid": "rsa-1"}
NESTED = b'{"a":' * 3_000 + b"1" + b"}" * 3_000


def headed(**changed: Any) -> str:
    header = {name: value for name, value in (HEAD | changed).items() if value is not None}
    return f"{segment(header)}.e30.c2ln"


@pytest.mark.parametrize(
    "token",
    [
        headed(),
        headed(alg="ES256"),
        headed(alg="EdDSA"),
        headed(typ="JWT"),
        headed(typ="at+jwt"),
        headed(typ="application/AT+JWT"),
        headed(x5t="abc", cty="x"),
    ],
)
def test_a_key_is_asked_for_by_its_id(token: str) -> None:
    assert tokens.key_id_of(token) == "rsa-1"


def test_ids_and_headers_have_bounds() -> None:
    assert tokens.key_id_of(headed(kid="k" * 256)) == "k" * 256
    assert tokens.key_id_of(headed(kid="k")) == "k"
    longest = next(
        made for made in (headed(pad="x" * n) for n in range(600, 800)) if len(made) == 1_024 + 9
    )
    assert tokens.key_id_of(longest) == "rsa-1"


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("", "token_malformed"),
        ("a.b", "token_malformed"),
        ("a.b.c.d", "token_malformed"),
        ("é.e30.c2ln", "token_malformed"),
        (headed() + "=", "token_malformed"),
        (headed() + "\n", "token_malformed"),
        (f"{segment(b'[]')}.e30.c2ln", "token_malformed"),
        (f"{segment(b'text')}.e30.c2ln", "token_malformed"),
        (f"{segment(bytes([255]))}.e30.c2ln", "token_malformed"),
        ("A.e30.c2ln", "token_malformed"),
        (headed(pad="x" * 1_000), "token_malformed"),
        (segment(b'{"alg":"RS256","alg":"RS256"}') + ".e30.c2ln", "token_malformed"),
        (segment(b'{"alg":"RS256","n":NaN}') + ".e30.c2ln", "token_malformed"),
        (headed(alg=None), "token_algorithm"),
        (headed(alg="none"), "token_algorithm"),
        (headed(alg="HS256"), "token_algorithm"),
        (headed(alg="rs256"), "token_algorithm"),
        (headed(alg=["RS256"]), "token_algorithm"),
        *((headed(**{name: 1}), "token_header") for name in tokens._NEVER),
        (headed(typ="JWS"), "token_type"),
        (headed(typ=1), "token_type"),
        (headed(kid=None), "token_key_id"),
        (headed(kid=1), "token_key_id"),
        (headed(kid=""), "token_key_id"),
        (headed(kid="k" * 257), "token_key_id"),
    ],
)
def test_a_header_that_is_not_plain_is_refused(token: str, reason: str) -> None:
    with pytest.raises(UnauthenticatedError) as refused:
        tokens.key_id_of(token)
    assert refused.value.reason == reason


def test_claims_are_those_that_the_key_has_signed() -> None:
    assert tokens.signed_claims(compact(rsa_key("1"), HEAD, {"a": 1}), RSA) == {"a": 1}
    signed = compact(ed_key("1"), {"alg": "EdDSA", "kid": "ed-1"}, {"b": "é"})
    assert tokens.signed_claims(signed, ED) == {"b": "é"}


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (compact(rsa_key("2"), HEAD, {"a": 1}), "token_signature"),
        (compact(ed_key("1"), {"alg": "EdDSA"}, {"a": 1}), "token_signature"),
        (compact(rsa_key("1"), {"alg": "EdDSA"}, {"a": 1}), "token_signature"),
        (compact(rsa_key("1"), HEAD, b"[]"), "token_claims"),
        (compact(rsa_key("1"), HEAD, b"null"), "token_claims"),
        (compact(rsa_key("1"), HEAD, b'{"a":1,"a":1}'), "token_claims"),
        (compact(rsa_key("1"), HEAD, b'{"a":{"b":1,"b":1}}'), "token_claims"),
        (compact(rsa_key("1"), HEAD, b'{"a":Infinity}'), "token_claims"),
        (compact(rsa_key("1"), HEAD, b"\xff"), "token_claims"),
        (compact(rsa_key("1"), HEAD, '{"a":1}'.encode("utf-16")), "token_claims"),
        (compact(rsa_key("1"), HEAD, NESTED), "token_claims"),
    ],
)
def test_what_is_not_signed_or_not_an_object_is_refused(token: str, reason: str) -> None:
    with pytest.raises(UnauthenticatedError) as refused:
        tokens.signed_claims(token, RSA)
    assert refused.value.reason == reason


GOOD: dict[str, Any] = {"iss": "me", "aud": "here", "sub": "user-7"}


@pytest.mark.parametrize(
    "changed",
    [{}, {"aud": ["there", "here"]}, {"jti": "x" * 256}, {"sub": "x" * 256}, {"jti": ""}],
)
def test_a_token_of_the_provider_for_this_service_is_taken(changed: dict[str, Any]) -> None:
    tokens.check_issued(GOOD | changed, "me", "here")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"iss": "you"}, "token_issuer"),
        ({"iss": ["me"]}, "token_issuer"),
        ({"iss": None}, "token_issuer"),
        ({"aud": "there"}, "token_audience"),
        ({"aud": "here and there"}, "token_audience"),
        ({"aud": []}, "token_audience"),
        ({"aud": {"here": 1}}, "token_audience"),
        ({"aud": None}, "token_audience"),
        ({"sub": 7}, "token_claims"),
        ({"sub": ""}, "token_claims"),
        ({"sub": None}, "token_claims"),
        ({"sub": "x" * 257}, "token_claims"),
        ({"jti": 7}, "token_claims"),
        ({"jti": None}, "token_claims"),
        ({"jti": "x" * 257}, "token_claims"),
    ],
)
def test_a_token_of_others_or_for_others_is_refused(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(UnauthenticatedError) as refused:
        tokens.check_issued(GOOD | changed, "me", "here")
    assert refused.value.reason == reason


def test_a_token_that_leaves_out_what_it_needs_is_refused() -> None:
    for name, reason in (
        ("iss", "token_issuer"),
        ("aud", "token_audience"),
        ("sub", "token_claims"),
    ):
        with pytest.raises(UnauthenticatedError) as refused:
            tokens.check_issued({k: v for k, v in GOOD.items() if k != name}, "me", "here")
        assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("said", "until_s"),
    [
        ({"exp": 1_000}, 1_030.0),
        ({"exp": 970.5}, 1_000.5),
        ({"exp": 2_000, "nbf": 1_030, "iat": 1_030}, 2_030.0),
        ({"exp": 2_000, "nbf": -5, "iat": 0.5}, 2_030.0),
        ({"exp": 2_900, "iat": 900}, 2_930.0),
        ({"exp": 3_000, "nbf": 1}, 3_030.0),
    ],
)
def test_a_token_ends_at_its_time_and_the_leeway(said: dict[str, Any], until_s: float) -> None:
    assert tokens.check_times(said, 1_000.0, 30, 2_000) == until_s


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({}, "token_expired"),
        ({"exp": 970}, "token_expired"),
        ({"exp": 2_000, "nbf": 1_030.5}, "token_not_yet_valid"),
        ({"exp": 2_000, "iat": 1_030.5}, "token_not_yet_valid"),
        ({"exp": None}, "token_claims"),
        ({"exp": "2000"}, "token_claims"),
        ({"exp": True}, "token_claims"),
        ({"exp": float("inf")}, "token_claims"),
        ({"exp": 10**400}, "token_claims"),
        ({"exp": 2_000, "nbf": None}, "token_claims"),
        ({"exp": 2_000, "nbf": False}, "token_claims"),
        ({"exp": 2_000, "iat": "1"}, "token_claims"),
        ({"exp": 2_000, "iat": float("nan")}, "token_claims"),
        ({"exp": 2_900, "iat": 899}, "token_life_too_long"),
        ({"exp": 2_900, "iat": 899.5, "nbf": 1_000}, "token_life_too_long"),
        ({"exp": 3_001}, "token_life_too_long"),
        ({"exp": 10**300, "iat": 1_000}, "token_life_too_long"),
    ],
)
def test_a_token_outside_its_time_is_refused(said: dict[str, Any], reason: str) -> None:
    with pytest.raises(UnauthenticatedError) as refused:
        tokens.check_times(said, 1_000.0, 30, 2_000)
    assert refused.value.reason == reason
