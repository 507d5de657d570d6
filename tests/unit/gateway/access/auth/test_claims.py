"""From signed claims to a grant, claim by claim, and tokens that were revoked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.access.auth.claims import ClaimNames, Revoked, grant_of, parse_revoked
from gateway.access.auth.grants import Grant
from gateway.access.caller import Role
from gateway.errors import UnauthenticatedError

NAMES = ClaimNames("role", "accts", "teams", "sees", frozenset({Role.PARTNER}))
CLAIMS: dict[str, Any] = {"iss": "https://id", "sub": "user-7", "role": "owner", "accts": ["alice"]}


def test_claims_are_read_by_their_names() -> None:
    subject = "jwt:0f1785ec9319bfb8"
    assert grant_of(CLAIMS, NAMES) == Grant(
        grant_of(CLAIMS, NAMES).subject, Role.OWNER, frozenset({"alice"}), (), True
    )
    whole = CLAIMS | {"role": "partner", "teams": ["a", "b"], "sees": True}
    assert grant_of(whole, NAMES) == Grant(
        grant_of(CLAIMS, NAMES).subject, Role.PARTNER, frozenset({"alice"}), ("a", "b"), True
    )
    assert grant_of(CLAIMS, NAMES).subject == subject


@pytest.mark.parametrize(
    ("said", "told"),
    [({}, ""), ({"jti": "token-7"}, "token-7"), ({"jti": 7}, "7"), ({"jti": "x" * 65}, "x" * 64)],
)
def test_a_token_is_told_by_its_id_as_long_as_that_is_short(
    said: dict[str, Any], told: str
) -> None:
    assert grant_of(CLAIMS | said, NAMES).credential == told


def test_a_role_that_is_masked_is_unless_a_claim_says_otherwise() -> None:
    partner = CLAIMS | {"role": "partner"}
    assert not grant_of(partner, NAMES).sees_counterparties
    assert grant_of(partner | {"sees": True}, NAMES).sees_counterparties
    assert not grant_of(CLAIMS | {"sees": False}, NAMES).sees_counterparties


def test_a_subject_is_the_issuers_own_and_tells_nobodys_name() -> None:
    subjects = {
        grant_of(CLAIMS | changed, NAMES).subject
        for changed in ({}, {"sub": "user-8"}, {"iss": "https://other"}, {"role": "partner"})
    }
    assert len(subjects) == 3
    assert all(len(each) == 20 and "user" not in each for each in subjects)


@pytest.mark.parametrize(
    ("role", "found"),
    [
        ("owner", Role.OWNER),
        ("Owner", Role.OWNER),
        (["offline_access", "partner"], Role.PARTNER),
        (["OPERATOR", "operator"], Role.OPERATOR),
    ],
)
def test_one_role_is_found_among_other_words(role: object, found: Role) -> None:
    assert grant_of(CLAIMS | {"role": role}, NAMES).role is found


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"role": None}, "token_role"),
        ({"role": "admin"}, "token_role"),
        ({"role": []}, "token_role"),
        ({"role": {"owner": 1}}, "token_role"),
        ({"role": ["owner", 1]}, "token_role"),
        ({"role": ["owner", "partner"]}, "token_role"),
        ({"sees": 1}, "token_claims"),
        ({"sees": None}, "token_claims"),
        ({"teams": "a"}, "token_claims"),
        ({"teams": ["a", 1]}, "token_claims"),
        ({"accts": "alice"}, "token_claims"),
        ({"accts": [1]}, "token_claims"),
        ({"accts": None}, "token_claims"),
    ],
)
def test_what_is_not_said_clearly_is_not_granted(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(UnauthenticatedError) as refused:
        grant_of(CLAIMS | changed, NAMES)
    assert refused.value.reason == reason


def test_claims_that_are_absent_grant_nothing() -> None:
    bare = {name: value for name, value in CLAIMS.items() if name != "accts"}
    assert grant_of(bare, NAMES).accounts == frozenset()
    assert grant_of(bare, NAMES).groups == ()


def test_tokens_are_revoked_by_id_and_by_their_subjects_time() -> None:
    revoked = parse_revoked(
        json.dumps({"jti": ["t-1", 2], "sub": {"user-7": "1970-01-01T00:01:40Z"}}).encode()
    )
    assert revoked == Revoked(frozenset({"t-1", "2"}), {"user-7": 100.0})
    for said in (
        {"sub": "user-8", "jti": "t-1", "iat": 500},
        {"sub": "user-7", "iat": 99.9},
        {"sub": "user-7", "jti": "t-3"},
    ):
        with pytest.raises(UnauthenticatedError) as refused:
            revoked.check(said, 0)
        assert refused.value.reason == "token_revoked"
    revoked.check({"sub": "user-7", "jti": "t-3", "iat": 100}, 0)
    revoked.check({"sub": "user-7", "iat": 130}, 30)
    with pytest.raises(UnauthenticatedError):
        revoked.check({"sub": "user-7", "iat": 129.9}, 30)
    revoked.check({"sub": "user-8"}, 30)
    Revoked().check({"sub": "user-7"}, 30)
    assert parse_revoked(b"{}") == Revoked(frozenset(), {})


@pytest.mark.parametrize("said", [b'{"jti": "t-1"}', b'{"tokens": []}', b'{"jti": [], "x": 1}'])
def test_a_list_of_something_else_is_refused(said: bytes) -> None:
    with pytest.raises(ValueError, match=r"^only a list `jti` and an object `sub` may be in it$"):
        parse_revoked(said)
