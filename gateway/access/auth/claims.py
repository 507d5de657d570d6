"""From a token's claims to what they grant; names of claims are settings, their meaning is not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.access.auth.grants import Grant, account_ids, instant_s
from gateway.access.auth.tokens import Claims
from gateway.access.caller import Role
from gateway.errors import UnauthenticatedError

MAX_TOKEN_ID = 64
"""Characters of a token's id that the record tells."""

_ROLES = {role.value.lower(): role for role in Role}


@dataclass(frozen=True, slots=True)
class ClaimNames:
    """Which claim says what, and which roles are shown masked ids if no claim says."""

    role: str
    accounts: str
    groups: str
    counterparties: str
    masked_roles: frozenset[Role]


@dataclass(frozen=True, slots=True)
class Revoked:
    """Tokens that are refused though they have not expired: by id, or by subject and time of issue."""

    token_ids: frozenset[str] = frozenset()
    subjects_before_s: Mapping[str, float] | None = None

    def check(self, claims: Claims, leeway_s: int) -> None:
        """Refuse a revoked token; one that does not say when it was issued counts as an old one.

        A provider's clock may be ahead by the leeway: what it calls issued less than that after the
        instant may have been issued before.
        """
        before_s = (self.subjects_before_s or {}).get(claims["sub"])
        old = before_s is not None and claims.get("iat", float("-inf")) < before_s + leeway_s
        if old or claims.get("jti") in self.token_ids:
            raise UnauthenticatedError("token_revoked")


def parse_revoked(content: bytes) -> Revoked:
    """Revoked tokens: `{"jti": ["…"], "sub": {"user-7": "2026-11-22T08:00:00Z"}}`."""
    said = json.loads(content)
    unknown = said.keys() - {"jti", "sub"}
    token_ids, subjects = said.get("jti", []), said.get("sub", {})
    if unknown or not isinstance(token_ids, list):
        raise ValueError("only a list `jti` and an object `sub` may be in it")
    return Revoked(
        frozenset(str(each) for each in token_ids),
        {subject: instant_s(before) for subject, before in subjects.items()},
    )


def grant_of(claims: Claims, names: ClaimNames) -> Grant:
    """What signed claims grant; raises `UnauthenticatedError` where they do not say it clearly."""
    role = _role(claims.get(names.role))
    sees = claims.get(names.counterparties, role not in names.masked_roles)
    groups = claims.get(names.groups, [])
    if not isinstance(sees, bool) or not _is_texts(groups):
        raise UnauthenticatedError("token_claims")
    try:
        accounts = account_ids(claims.get(names.accounts, []))
    except ValueError:
        raise UnauthenticatedError("token_claims") from None
    token_id = str(claims.get("jti", ""))[:MAX_TOKEN_ID]
    return Grant(_subject(claims), role, accounts, tuple(groups), sees, token_id)


def _role(said: object) -> Role:
    """The one role among a text or a list of texts that may name other things too."""
    listed = [said] if isinstance(said, str) else said
    if not isinstance(listed, list) or not _is_texts(listed):
        raise UnauthenticatedError("token_role")
    found = {_ROLES[each.lower()] for each in listed if each.lower() in _ROLES}
    if len(found) != 1:
        raise UnauthenticatedError("token_role")
    return found.pop()


def _is_texts(said: object) -> bool:
    return isinstance(said, list) and all(isinstance(each, str) for each in said)


def _subject(claims: Claims) -> str:
    """A name for logs and budgets that tells neither a person nor an account."""
    said = json.dumps([claims["iss"], claims["sub"]]).encode()
    return f"jwt:{hashlib.sha256(said).hexdigest()[:16]}"
