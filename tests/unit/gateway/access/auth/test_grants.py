"""What a grant makes of its holder, with groups that come and go."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.access.auth.grants import (
    Admitted,
    Grant,
    Group,
    account_ids,
    admit,
    instant_s,
    parse_groups,
)
from gateway.access.caller import Caller, Role
from gateway.errors import UnauthenticatedError

INF = float("inf")
GROUPS = {
    "ends": Group(frozenset({"carol"}), 100.0),
    "later": Group(frozenset({"dave"}), 300.0),
    "stays": Group(frozenset({"bob"}), None),
}


def grant(*groups: str, accounts: frozenset[str] = frozenset(), role: Role = Role.PARTNER) -> Grant:
    return Grant("key:acme", role, accounts, groups, False)


def admitted(accounts: set[str], until_s: float, *groups: str) -> Admitted:
    held = tuple((name, GROUPS[name].accounts) for name in groups)
    caller = Caller("key:acme", Role.PARTNER, frozenset(accounts), False, groups=held)
    return Admitted(caller, until_s)


def test_own_accounts_and_those_of_known_groups_add_up() -> None:
    given = grant("stays", "unknown", "later", accounts=frozenset({"alice"}))
    assert admit(given, GROUPS, 50.0, INF) == admitted(
        {"alice", "bob", "dave"}, 300.0, "later", "stays"
    )
    assert admit(given, GROUPS, 50.0, 200.0) == admitted(
        {"alice", "bob", "dave"}, 200.0, "later", "stays"
    )
    assert admit(grant("stays"), GROUPS, 50.0, INF) == admitted({"bob"}, INF, "stays")


def test_a_group_ends_to_the_second_and_the_first_end_counts() -> None:
    given = grant("ends", "later")
    assert admit(given, GROUPS, 99.9, INF) == admitted({"carol", "dave"}, 100.0, "ends", "later")
    assert admit(given, GROUPS, 100.0, INF) == admitted({"dave"}, 300.0, "later")


@pytest.mark.parametrize("role", Role)
def test_a_caller_is_known_by_the_credential_that_it_sent(role: Role) -> None:
    given = Grant("key:acme", role, frozenset({"alice"}), (), False, "key-7")
    assert admit(given, GROUPS, 50.0, INF).caller.credential == "key-7"


@pytest.mark.parametrize("groups", [(), ("unknown",), ("ends",)])
def test_a_grant_of_nothing_is_nobodys(groups: tuple[str, ...]) -> None:
    with pytest.raises(UnauthenticatedError) as refused:
        admit(grant(*groups), GROUPS, 100.0, INF)
    assert refused.value.reason == "grant_empty_or_expired"


def test_an_operator_has_everything_whatever_else_is_said() -> None:
    given = grant("ends", accounts=frozenset({"alice"}), role=Role.OPERATOR)
    assert admit(given, GROUPS, 500.0, 900.0) == Admitted(
        Caller("key:acme", Role.OPERATOR, None, True), 900.0
    )


def test_groups_are_read_with_and_without_an_end() -> None:
    said = {
        "a": {"accounts": ["x", "y"], "expires": "1970-01-01T00:01:40Z"},
        "b": {"accounts": [], "expires": None},
        "c": {"accounts": ["z"]},
    }
    assert parse_groups(json.dumps(said).encode()) == {
        "a": Group(frozenset({"x", "y"}), 100.0),
        "b": Group(frozenset(), None),
        "c": Group(frozenset({"z"}), None),
    }


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"a": {"accounts": ["x"], "until": "never"}}, "^group a has unknown entries$"),
        ({"a": {"accounts": "x"}}, "^accounts must be a list of ids$"),
        ({"a": {"accounts": ["x", 1]}}, "^accounts must be a list of ids$"),
        ({"a": {"accounts": [""]}}, "^accounts: an account id has 1 to 64 characters"),
        (
            {"a": {"accounts": ["x"], "expires": "2027-01-01T00:00:00"}},
            "^an instant needs its offset, such as Z$",
        ),
        ({"a": {"accounts": ["x"], "expires": "soon"}}, "Invalid isoformat"),
    ],
)
def test_a_group_that_is_none_is_told_of(said: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_groups(json.dumps(said).encode())
    with pytest.raises(KeyError):
        parse_groups(b'{"a": {}}')


def test_ids_are_a_list_of_texts() -> None:
    assert account_ids(["a", "b", "a"]) == {"a", "b"}
    for said in ("ab", {"a": 1}, None, [None]):
        with pytest.raises(ValueError, match="must be a list of ids"):
            account_ids(said)


def test_instants_have_offsets() -> None:
    assert instant_s("1970-01-01T07:00:10+07:00") == 10.0
    with pytest.raises(ValueError, match="Invalid isoformat"):
        instant_s(None)
