"""Tokens and headers that must not be believed, each for one reason."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from gateway.access.auth.authenticator import Authenticator
from gateway.access.auth.credential import Headers
from gateway.errors import UnauthenticatedError
from tests.identity_provider import (
    NOW_S,
    bearer,
    claims,
    compact,
    ec_key,
    ed_key,
    header,
    public_jwk,
    rsa_key,
    segment,
    token,
)

pytestmark = pytest.mark.anyio

RSA, OTHER = rsa_key("1"), rsa_key("of somebody else")
PEM_OF_PUBLIC_KEY = json.dumps(public_jwk(RSA, "rsa-1")).encode()


def keyed(secret: bytes, **changed: Any) -> str:
    """A token with an HMAC over it, as if the public key were a secret."""
    signed = f"{segment(header(alg='HS256', **changed))}.{segment(claims(role='operator'))}"
    return f"{signed}.{segment(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


def unsigned(algorithm: Any, signature: str = "") -> str:
    return f"{segment(header(alg=algorithm))}.{segment(claims(role='operator'))}.{signature}"


def raw_claims(text: str) -> str:
    return compact(RSA, header(), text.encode())


def raw_header(text: str) -> str:
    return compact(RSA, text.encode(), claims())


def flipped(text: str, part: int) -> str:
    """One bit changed in the middle of a part."""
    parts = text.split(".")
    content = bytearray(base64.urlsafe_b64decode(parts[part] + "=="))
    content[len(content) // 2] ^= 1
    parts[part] = segment(bytes(content))
    return ".".join(parts)


def last_character_moved(text: str) -> str:
    """Another spelling of the same signature, whose unused bits are set."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) + 1]


EMBEDDED = public_jwk(OTHER, "rsa-1")
SELF_SIGNED = compact(OTHER, header(jwk=EMBEDDED), claims(role="operator"))
CLAIMS = json.dumps(claims())[1:-1]
HEADER = json.dumps(header())[1:-1]
BAD: dict[str, str] = {
    # no signature, or one of the wrong kind
    "none": unsigned("none"),
    "none_in_capitals": unsigned("NONE"),
    "none_mixed": unsigned("nOnE"),
    "none_with_a_signature": unsigned("none", token().rsplit(".", 1)[1]),
    "algorithm_empty": unsigned("", "AAAA"),
    "algorithm_null": compact(RSA, json.dumps({**header(), "alg": None}).encode(), claims()),
    "algorithm_missing": compact(RSA, header(alg=None), claims()),
    "algorithm_a_list": compact(RSA, header(alg=["RS256"]), claims()),
    "algorithm_a_number": compact(RSA, header(alg=256), claims()),
    "public_key_as_secret": keyed(PEM_OF_PUBLIC_KEY),
    "modulus_as_secret": keyed(public_jwk(RSA, "rsa-1")["n"].encode()),
    "empty_secret": keyed(b""),
    "algorithm_of_another_family": compact(RSA, header(alg="ES256"), claims()),
    "algorithm_not_pinned": compact(RSA, header(alg="RS384"), claims()),
    "algorithm_pss": compact(RSA, header(alg="PS256"), claims()),
    "algorithm_in_small_letters": compact(RSA, header(alg="rs256"), claims()),
    "elliptic_key_for_rsa": compact(ec_key("1"), header(kid="rsa-1", alg="ES256"), claims()),
    "rsa_key_for_elliptic": compact(RSA, header(kid="ec-1"), claims()),
    "edwards_key_as_elliptic": compact(ed_key("1"), header(kid="ed-1", alg="ES256"), claims()),
    "elliptic_zero_signature": f"{segment(header(alg='ES256', kid='ec-1'))}.{segment(claims())}."
    + segment(b"\0" * 64),
    "signed_by_somebody_else": compact(OTHER, header(), claims(role="operator")),
    "signature_missing": token().rsplit(".", 1)[0] + ".",
    "signature_cut": token()[:-8],
    "signature_flipped": flipped(token(), 2),
    "signature_of_another_token": token().rsplit(".", 1)[0]
    + "."
    + token(jti="2").rsplit(".", 1)[1],
    "signature_spelt_otherwise": last_character_moved(token()),
    "claims_flipped": flipped(token(), 1),
    # keys that the token brings or points to
    "key_unknown": compact(RSA, header(kid="rsa-9"), claims()),
    "key_missing": compact(RSA, header(kid=None), claims()),
    "key_empty": compact(RSA, header(kid=""), claims()),
    "key_a_number": compact(RSA, header(kid=1), claims()),
    "key_null": compact(RSA, json.dumps({**header(), "kid": None}).encode(), claims()),
    "key_a_path": compact(OTHER, header(kid="../../../../dev/null"), claims()),
    "key_a_query": compact(OTHER, header(kid="rsa-1' OR '1'='1"), claims()),
    "key_too_long": compact(OTHER, header(kid="k" * 300), claims()),
    "key_in_the_token": SELF_SIGNED,
    "key_in_a_good_token": compact(RSA, header(jwk=public_jwk(RSA, "rsa-1")), claims()),
    "key_set_address": compact(OTHER, header(jku="https://evil.example/jwks.json"), claims()),
    "key_set_address_in_a_good_token": compact(RSA, header(jku="https://id.example/"), claims()),
    "certificate_address": compact(OTHER, header(x5u="https://evil.example/x.pem"), claims()),
    "certificate_in_the_token": compact(OTHER, header(x5c=["MIIB"]), claims()),
    "critical": compact(RSA, header(crit=["exp"]), claims()),
    "critical_unknown": compact(RSA, header(crit=["admin"], admin=True), claims()),
    "critical_empty": compact(RSA, header(crit=[]), claims()),
    "detached": compact(RSA, header(b64=False, crit=["b64"]), claims()),
    "compressed": compact(RSA, header(zip="DEF"), claims()),
    "type_of_something_else": compact(RSA, header(typ="logout+jwt"), claims()),
    "type_a_number": compact(RSA, header(typ=1), claims()),
    # form
    "empty_parts": "..",
    "one_part": segment(header()),
    "two_parts": token().rsplit(".", 1)[0],
    "four_parts": token() + ".AAAA",
    "five_parts": token() + ".AAAA.AAAA",
    "not_base64": "!!!." + token().split(".", 1)[1],
    "ordinary_base64": token().replace(".", "+.", 1),
    "padded": token().replace(".", "=.", 1),
    "space_inside": token().replace(".", " .", 1),
    "header_not_json": raw_header("{"),
    "header_a_list": raw_header("[]"),
    "header_not_utf8": compact(RSA, b'{"alg":"RS256","kid":"\xff"}', claims()),
    "header_names_algorithm_twice": raw_header('{"alg":"none",' + HEADER + "}"),
    "header_nested_deep": raw_header('{"a":' + "[" * 400 + "]" * 400 + "," + HEADER + "}"),
    "claims_not_json": raw_claims("nonsense"),
    "claims_a_list": raw_claims("[" + json.dumps(claims()) + "]"),
    "claims_not_utf8": compact(RSA, header(), b'{"sub":"\xff",' + CLAIMS.encode() + b"}"),
    "claims_with_two_subjects": raw_claims('{"sub":"root",' + CLAIMS + "}"),
    "claims_with_two_roles": raw_claims("{" + CLAIMS + ',"role":"operator"}'),
    "claims_with_two_account_lists": raw_claims("{" + CLAIMS + ',"accounts":["bob"]}'),
    "claims_nested_deep": raw_claims('{"a":' + "[" * 2_000 + "]" * 2_000 + "," + CLAIMS + "}"),
    "json_web_encryption": ".".join(
        segment({"alg": "RSA-OAEP", "enc": "A256GCM"}) for _ in "12345"
    ),
    "huge": token(padding="x" * 9_000),
    "huge_header": compact(RSA, header(x="x" * 1_100), claims()),
    # whose, for whom, when
    "issuer_missing": token(iss=None),
    "issuer_of_another": token(iss="https://evil.example"),
    "issuer_with_a_slash": token(iss="https://id.example/"),
    "issuer_a_list": token(iss=["https://id.example"]),
    "audience_missing": token(aud=None),
    "audience_of_another": token(aud="another"),
    "audience_list_of_others": token(aud=["another", "third"]),
    "audience_empty": token(aud=[]),
    "audience_a_part": token(aud="payment"),
    "audience_a_mapping": token(aud={"payment-analytics": 1}),
    "expired": token(exp=NOW_S - 30),
    "expired_long_ago": token(exp=0),
    "expiry_missing": token(exp=None),
    "expiry_a_text": token(exp=str(NOW_S + 600)),
    "expiry_true": token(exp=True),
    "expiry_null": raw_claims("{" + CLAIMS.replace(f'"exp": {NOW_S + 600}', '"exp": null') + "}"),
    "expiry_infinite": raw_claims("{" + CLAIMS.replace(str(NOW_S + 600), "1e999") + "}"),
    "expiry_not_a_number": raw_claims("{" + CLAIMS.replace(str(NOW_S + 600), "NaN") + "}"),
    "expiry_beyond_floats": raw_claims("{" + CLAIMS.replace(str(NOW_S + 600), "9" * 400) + "}"),
    "expiry_negative": token(exp=-1),
    "not_yet_valid": token(nbf=NOW_S + 31),
    "not_before_a_text": token(nbf="now"),
    "issued_in_the_future": token(iat=NOW_S + 31),
    "issued_a_text": token(iat="now"),
    "subject_missing": token(sub=None),
    "subject_empty": token(sub=""),
    "subject_a_number": token(sub=7),
    "subject_too_long": token(sub="s" * 300),
    "token_id_a_list": token(jti=["token-1"]),
    # what it grants
    "role_missing": token(role=None),
    "role_unknown": token(role="admin"),
    "role_empty": token(role=""),
    "role_a_mapping": token(role={"owner": True}),
    "role_two_of_ours": token(role=["owner", "operator"]),
    "role_list_of_numbers": token(role=[1]),
    "accounts_missing": token(accounts=None),
    "accounts_empty": token(accounts=[]),
    "accounts_a_text": token(accounts="alice"),
    "accounts_a_mapping": token(accounts={"alice": True}),
    "accounts_with_a_number": token(accounts=["alice", 7]),
    "accounts_with_null": token(accounts=["alice", None]),
    "accounts_with_an_empty_id": token(accounts=[""]),
    "accounts_with_a_control_character": token(accounts=["ali\0ce"]),
    "accounts_with_too_long_an_id": token(accounts=["x" * 65]),
    "groups_a_text": token(groups="friends"),
    "groups_unknown": token(accounts=None, role="partner", groups=["strangers"]),
    "counterparties_a_text": token(sees_counterparties="yes"),
    "counterparties_a_number": token(sees_counterparties=1),
}
REASONS: dict[str, str] = {
    "token_malformed": """
        none none_in_capitals none_mixed signature_missing empty_parts one_part two_parts
        four_parts five_parts not_base64 ordinary_base64 padded header_not_json header_a_list
        header_not_utf8 header_names_algorithm_twice header_nested_deep json_web_encryption
        huge_header
    """,
    "token_algorithm": """
        none_with_a_signature algorithm_empty algorithm_null algorithm_missing algorithm_a_list
        algorithm_a_number public_key_as_secret modulus_as_secret empty_secret
        algorithm_not_pinned algorithm_pss algorithm_in_small_letters
    """,
    "token_signature": """
        algorithm_of_another_family elliptic_key_for_rsa rsa_key_for_elliptic
        edwards_key_as_elliptic elliptic_zero_signature signed_by_somebody_else signature_cut
        signature_flipped signature_of_another_token signature_spelt_otherwise claims_flipped
        certificate_in_the_token
    """,
    "token_key_unknown": """
        key_unknown key_a_path key_a_query
    """,
    "token_key_id": """
        key_missing key_empty key_a_number key_null key_too_long
    """,
    "token_header": """
        key_in_the_token key_in_a_good_token key_set_address key_set_address_in_a_good_token
        certificate_address critical critical_unknown critical_empty detached compressed
    """,
    "token_type": """
        type_of_something_else type_a_number
    """,
    "malformed": """
        space_inside
    """,
    "token_claims": """
        claims_not_json claims_a_list claims_not_utf8 claims_with_two_subjects
        claims_with_two_roles claims_with_two_account_lists claims_nested_deep expiry_a_text
        expiry_true expiry_null expiry_infinite expiry_not_a_number expiry_beyond_floats
        not_before_a_text issued_a_text subject_missing subject_empty subject_a_number
        subject_too_long token_id_a_list accounts_a_text accounts_a_mapping accounts_with_a_number
        accounts_with_null accounts_with_an_empty_id accounts_with_a_control_character
        accounts_with_too_long_an_id groups_a_text counterparties_a_text counterparties_a_number
    """,
    "too_long": """
        huge
    """,
    "token_issuer": """
        issuer_missing issuer_of_another issuer_with_a_slash issuer_a_list
    """,
    "token_audience": """
        audience_missing audience_of_another audience_list_of_others audience_empty
        audience_a_part audience_a_mapping
    """,
    "token_expired": """
        expired expired_long_ago expiry_missing expiry_negative
    """,
    "token_not_yet_valid": """
        not_yet_valid issued_in_the_future
    """,
    "token_role": """
        role_missing role_unknown role_empty role_a_mapping role_two_of_ours role_list_of_numbers
    """,
    "grant_empty_or_expired": """
        accounts_missing accounts_empty groups_unknown
    """,
}
"""By the reason that the log has: the names of the tokens that are refused for it."""
REASON_OF = {name: reason for reason, names in REASONS.items() for name in names.split()}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_token_is_nobody(door: Authenticator, name: str) -> None:
    sent = bearer(BAD[name])
    with pytest.raises(UnauthenticatedError) as refused:
        await door.authenticate(sent)
    assert refused.value.reason == REASON_OF[name]
    assert "not valid" in str(refused.value)
    assert door.authenticate_cached(sent) is None


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"authorization", b"")],
        [(b"authorization", b"Bearer")],
        [(b"authorization", b"Bearer ")],
        [(b"authorization", b"Basic YWxpY2U6c2VjcmV0")],
        [(b"authorization", b"Bearer\t" + token().encode())],
        [(b"authorization", token().encode())],
        [(b"authorization", b"Token " + token().encode())],
        [(b"authorization", b"Bearer " + token().encode() + b", Bearer x")],
        [(b"authorization", b"Bearer " + token().encode() + b"\xff")],
        [(b"authorization", b"Bearer " + token().encode() + b"\0")],
        [(b"authorization", b"Bearer " + token().encode())] * 2,
        [(b"authorization", b"Bearer " + token().encode()), (b"x-api-key", b"pak_a_b")],
        [(b"x-api-key", token().encode())],
        [(b"x-api-key", b"")],
        [(b"x-api-key", b"pak_")],
        [(b"x-api-key", b"pak_000000000000_" + b"A" * 43)],
        [(b"cookie", b"authorization=Bearer " + token().encode())],
        [(b"proxy-authorization", b"Bearer " + token().encode())],
        [(b"x-forwarded-authorization", b"Bearer " + token().encode())],
    ],
)
async def test_what_is_no_one_credential_is_nobody(door: Authenticator, headers: Headers) -> None:
    with pytest.raises(UnauthenticatedError):
        await door.authenticate(headers)
