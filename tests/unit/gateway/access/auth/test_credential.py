"""One header, one way to say it: what is a credential, and why anything else is none."""

from __future__ import annotations

import pytest

from gateway.access.auth import credential
from gateway.access.auth.credential import Credential, Method
from gateway.errors import UnauthenticatedError

KEY = b"pak_0123456789ab_secret"


@pytest.mark.parametrize(
    ("sent", "method", "text"),
    [
        (b"authorization:Bearer a.b.c", Method.JWT, "a.b.c"),
        (b"authorization:bEARER  a.b.c ", Method.JWT, "a.b.c"),
        (b"authorization:  Bearer a.b.c  ", Method.JWT, "a.b.c"),
        (b"authorization:Bearer a:b", Method.JWT, "a:b"),
        (b"authorization:Bearer " + KEY, Method.API_KEY, KEY.decode()),
        (b"x-api-key:" + KEY, Method.API_KEY, KEY.decode()),
        (b"x-api-key: " + KEY + b" ", Method.API_KEY, KEY.decode()),
        (b"x-api-key: " + KEY + b"X ", Method.API_KEY, KEY.decode() + "X"),
        (b"authorization:Bearer XaX", Method.JWT, "XaX"),
        (b"x-api-key:pak_" + b"x" * 8_188, Method.API_KEY, "pak_" + "x" * 8_188),
    ],
)
def test_a_bearer_or_a_key_is_read(sent: bytes, method: Method, text: str) -> None:
    assert credential.read((sent,)) == Credential(method, text)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ((), "missing"),
        ((b"authorization:Bearer ",), "missing"),
        ((b"authorization:Bearer",), "missing"),
        ((b"x-api-key:  ",), "missing"),
        ((b"authorization:Bearer a", b"authorization:Bearer a"), "several_credentials"),
        ((b"authorization:Bearer a", b"x-api-key:" + KEY), "several_credentials"),
        ((b"x-api-key:pak_" + b"x" * 8_189,), "too_long"),
        ((b"authorization:Bearer \xc3\xa9",), "not_ascii"),
        ((b"authorization:Basic a",), "not_bearer"),
        ((b"authorization:a.b.c",), "not_bearer"),
        ((b"authorization:" + KEY,), "not_bearer"),
        ((b"authorization:Bearer\ta",), "not_bearer"),
        ((b"authorization:Bearer a b",), "malformed"),
        ((b"authorization:Bearer a,b",), "malformed"),
        ((b"authorization:Bearer a\x7f",), "malformed"),
        ((b"x-api-key:pak_a b",), "malformed"),
        ((b"x-api-key:\tpak_a",), "malformed"),
        ((b"authorization:Bearer \ta",), "malformed"),
        ((b"x-api-key:a.b.c",), "not_an_api_key"),
        ((b"x-api-key:Bearer",), "not_an_api_key"),
        ((b"x-api-key:xpak_a",), "not_an_api_key"),
    ],
)
def test_anything_else_is_refused_for_its_reason(sent: tuple[bytes, ...], reason: str) -> None:
    with pytest.raises(UnauthenticatedError) as refused:
        credential.read(sent)
    assert refused.value.reason == reason


def test_only_two_headers_are_looked_at_and_kept_as_they_came() -> None:
    headers = [
        (b"cookie", b"authorization=Bearer x"),
        (b"authorization", b" Bearer a:b "),
        (b"x-authorization", b"Bearer y"),
        (b"x-api-key", b"k"),
        (b"proxy-authorization", b"Bearer z"),
    ]
    assert credential.raw(headers) == (b"authorization: Bearer a:b ", b"x-api-key:k")
    assert credential.raw([(b"host", b"localhost")]) == ()


@pytest.mark.parametrize("said", [b"", b" ", b"\t ", b"Bearer", b" bEARER\t"])
def test_a_header_with_nothing_in_it_is_not_one(said: bytes) -> None:
    assert credential.raw([(b"authorization", said)]) == ()
    bearer = (b"x-api-key:" + said,) if b"e" in said.lower() else ()
    assert credential.raw([(b"x-api-key", said)]) == bearer
    assert credential.raw([(b"authorization", said), (b"x-api-key", b"k")]) == (b"x-api-key:k",)
    assert credential.raw([(b"authorization", b"Basic")]) == (b"authorization:Basic",)


def test_a_credential_is_not_printed() -> None:
    assert repr(Credential(Method.API_KEY, "pak_secret")) == "Credential(api_key)"
