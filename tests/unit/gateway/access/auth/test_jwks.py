"""A provider's key set: which keys are used, each for one algorithm, and which are left out."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from jwt.algorithms import OKPAlgorithm

from gateway.access.auth import jwks
from gateway.process import logs
from tests.identity_provider import Private, ec_key, ed_key, key_set, public_jwk, rsa_key

RSA = public_jwk(rsa_key("1"), "rsa-1")
EC = public_jwk(ec_key("1"), "ec-1")
ED = public_jwk(ed_key("1"), "ed-1")


def changed(jwk: dict[str, Any], **change: Any) -> dict[str, Any]:
    return {name: value for name, value in (jwk | change).items() if value is not None}


@pytest.mark.parametrize(
    ("jwk", "algorithm"),
    [
        (RSA, "RS256"),
        (EC, "ES256"),
        (ED, "EdDSA"),
        (changed(RSA, use=None), "RS256"),
        (changed(RSA, alg="RS256"), "RS256"),
        (changed(EC, key_ops=["verify"]), "ES256"),
        (changed(ED, key_ops=["sign", "verify"]), "EdDSA"),
        ({**RSA, "alg": None, "crv": None, "d": None, "key_ops": None, "oth": None}, "RS256"),
        ({**EC, "use": None, "n": None, "e": None}, "ES256"),
    ],
)
def test_a_key_has_the_one_algorithm_of_its_type(jwk: dict[str, Any], algorithm: str) -> None:
    (found,) = jwks.parse(key_set(jwk)).values()
    assert (found.key_id, found.algorithm) == (jwk["kid"], algorithm)
    private: dict[str, Private] = {
        "RS256": rsa_key("1"),
        "ES256": ec_key("1"),
        "EdDSA": ed_key("1"),
    }
    assert found.key == private[algorithm].public_key()


@pytest.mark.parametrize(
    "jwk",
    [
        changed(RSA, kid="other", alg="PS256"),
        changed(RSA, kid="other", use="enc"),
        changed(RSA, kid="other", key_ops=["sign"]),
        changed(RSA, kid="other", d="AQAB"),
        {**OKPAlgorithm.to_jwk(ed_key("1"), as_dict=True), "kid": "other", "use": "sig"},
        changed(RSA, kid="other", n="!"),
        changed(RSA, kid="other", n=None),
        changed(RSA, kid="other", kty=None),
        changed(EC, kid="other", crv="P-384"),
        changed(ED, kid="other", crv="X25519"),
        changed(ED, kid="other", x="AA"),
        {"kty": "oct", "k": "c2VjcmV0", "kid": "other"},
        public_jwk(rsa_key("small", 1_024), "other"),
        changed(ED, kid=None),
        changed(ED, kid=7),
        changed(EC, kid="other", crv=["P-256"]),
        changed(ED, kid="other", crv={}),
        changed(RSA, kid="other", key_ops=7),
        changed(RSA, kid="other", e={"AQAB": 1}),
    ],
)
def test_a_key_of_no_use_is_left_out_and_told_of(jwk: dict[str, Any]) -> None:
    log = StringIO()
    logs.configure("info", log)
    assert list(jwks.parse(key_set(RSA, jwk))) == ["rsa-1"]
    said = json.loads(log.getvalue())
    assert (said["event"], said["count"]) == ("jwks_keys_not_used", 1)
    with pytest.raises(ValueError, match=r"^no usable key$"):
        jwks.parse(key_set(jwk))


def test_two_keys_of_one_id_are_none() -> None:
    assert list(jwks.parse(key_set(RSA, changed(EC, kid="ed-1"), ED))) == ["rsa-1"]
    other = public_jwk(ed_key("2"), "ed-1")
    for said in ([ED, other], [ED, other, ED], [other, ED, ED]):
        assert list(jwks.parse(key_set(RSA, *said))) == ["rsa-1"]


@pytest.mark.parametrize(
    "twin",
    [
        changed(RSA, use="enc"),
        changed(RSA, use="enc", alg="RSA-OAEP-256"),
        changed(RSA, use=None, key_ops=["wrapKey"]),
        changed(public_jwk(rsa_key("2"), "rsa-1"), use="enc", alg="RSA-OAEP"),
        changed(EC, kid="rsa-1", use="enc", alg="ECDH-ES"),
        {"kty": "OKP", "crv": "X25519", "x": ED["x"], "kid": "rsa-1", "use": "enc"},
        RSA,
        changed(RSA, alg="RS256", x5t="abc"),
        changed(RSA, use=None, key_ops=["verify"]),
    ],
)
def test_the_key_that_signs_serves_beside_its_twin(twin: dict[str, Any]) -> None:
    for said in ([RSA, twin, ED], [twin, ED, RSA], [twin, RSA, twin, ED]):
        found = jwks.parse(key_set(*said))
        assert found["rsa-1"].key == rsa_key("1").public_key()
        assert set(found) == {"rsa-1", "ed-1"}


def test_a_key_whose_private_half_is_told_beside_it_is_none() -> None:
    private = {**OKPAlgorithm.to_jwk(ed_key("1"), as_dict=True), "kid": "ed-1"}
    for said in ([RSA, ED, private], [private, ED, RSA]):
        assert list(jwks.parse(key_set(*said))) == ["rsa-1"]


def test_a_set_in_which_all_are_used_is_not_told_of() -> None:
    log = StringIO()
    logs.configure("info", log)
    assert set(jwks.parse(key_set(RSA, EC, ED))) == {"rsa-1", "ec-1", "ed-1"}
    assert log.getvalue() == ""


def test_a_set_has_bounds() -> None:
    many = [changed(ED, kid=f"key-{number}") for number in range(100)]
    assert len(jwks.parse(key_set(*many))) == 100
    for said in ({"keys": [*many, RSA]}, {"keys": {"rsa-1": RSA}}):
        with pytest.raises(ValueError, match=r"^not a list of keys$"):
            jwks.parse(json.dumps(said).encode())
    assert len(jwks.parse(json.dumps({"keys": [RSA, "text", None]}).encode())) == 1


def test_a_key_of_2048_bits_is_long_enough() -> None:
    assert rsa_key("1").key_size == jwks.MIN_RSA_BITS == 2_048
