"""From what a key or token grants to a `Caller`; groups of accounts are looked up here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from gateway.access.account_id import check_account_id
from gateway.access.caller import Caller, Role
from gateway.errors import BadUserInputError, UnauthenticatedError


@dataclass(frozen=True, slots=True)
class Group:
    """Accounts that are granted together, until a moment if one is given."""

    accounts: frozenset[str]
    expires_s: float | None


Groups = Mapping[str, Group]


@dataclass(frozen=True, slots=True)
class Grant:
    """What a credential gives, before its groups are looked up."""

    subject: str
    role: Role
    accounts: frozenset[str]
    groups: tuple[str, ...]
    sees_counterparties: bool
    credential: str = ""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A caller, and until when (epoch seconds) it is one without being looked at again."""

    caller: Caller
    until_s: float


def admit(grant: Grant, groups: Groups, now_s: float, until_s: float) -> Admitted:
    """The caller of a grant; raises `UnauthenticatedError` if nothing of the grant is left."""
    if grant.role is Role.OPERATOR:
        caller = Caller(grant.subject, grant.role, None, True, grant.credential)
        return Admitted(caller, until_s)
    held = {name: groups[name] for name in grant.groups if name in groups}
    named = {
        name: each
        for name, each in held.items()
        if each.expires_s is None or now_s < each.expires_s
    }
    current = named.values()
    if not current and not grant.accounts:
        raise UnauthenticatedError("grant_empty_or_expired")
    accounts = grant.accounts.union(*(each.accounts for each in current))
    until_s = min([until_s, *(each.expires_s for each in current if each.expires_s is not None)])
    caller = Caller(
        grant.subject,
        grant.role,
        accounts,
        grant.sees_counterparties,
        grant.credential,
        tuple((name, named[name].accounts) for name in sorted(named)),
    )
    return Admitted(caller, until_s)


def parse_groups(content: bytes) -> Groups:
    """Groups of a JSON file: `{"acme": {"accounts": ["acct-1"], "expires": "2027-01-01T00:00:00Z"}}`."""
    found = {}
    for name, said in json.loads(content).items():
        unknown = said.keys() - {"accounts", "expires"}
        if unknown:
            raise ValueError(f"group {name} has unknown entries")
        expires = said.get("expires")
        found[name] = Group(
            account_ids(said["accounts"]), None if expires is None else instant_s(expires)
        )
    return found


def account_ids(said: object) -> frozenset[str]:
    """A list of account ids; raises `ValueError` for anything else."""
    if not isinstance(said, list) or not all(isinstance(each, str) for each in said):
        raise ValueError("accounts must be a list of ids")
    return frozenset(_checked(said))


def instant_s(said: object) -> float:
    """An RFC 3339 instant with offset as epoch seconds; raises `ValueError`."""
    instant = datetime.fromisoformat(str(said))
    if instant.tzinfo is None:
        raise ValueError("an instant needs its offset, such as Z")
    return instant.timestamp()


def _checked(ids: Iterable[str]) -> Iterable[str]:
    try:
        return [check_account_id(each, "accounts") for each in ids]
    except BadUserInputError as error:
        raise ValueError(str(error)) from None
