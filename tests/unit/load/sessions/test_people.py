"""Sessions are what they are said to be, and each is sent once, however its time is divided."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise

import pytest
from graphql import OperationDefinitionNode, parse

from tests.load.sessions.people import (
    FURTHER,
    OPERATIONS_A_SESSION,
    PARTNER_ACCOUNTS,
    Crowd,
    questions,
)
from tests.load.sessions.sender import body, script

CROWD = Crowd(rate=60, seconds=120, accounts=5_000, exponent=1.0)


def test_so_many_operations_a_second_come_from_people_of_each_kind() -> None:
    asked = questions(CROWD)
    assert len(asked) / CROWD.seconds == pytest.approx(CROWD.rate, rel=0.15)
    kinds = Counter(each.kind for each in asked)
    assert kinds["user"] > 10 * kinds["partner"] > 10 * kinds["operator"] > 0


def test_a_user_opens_the_app_and_asks_on_about_the_same_account() -> None:
    quiet = Crowd(rate=OPERATIONS_A_SESSION / 10, seconds=2_000, accounts=10**6, exponent=0.0)
    by_user: dict[int, list[str]] = {}
    for each in questions(quiet):
        if each.kind == "user":
            by_user.setdefault(each.ranks[0], []).append(each.document)
    whole = [asked for asked in by_user.values() if asked[0] == "dashboard"]
    assert len(whole) > 100
    least, most = (1 + further for further in FURTHER)
    lengths = Counter(map(len, whole))
    assert set(range(least, most + 1)) <= lengths.keys()
    assert max(lengths) <= most
    # Those whose end lies beyond the last second are shorter.
    assert sum(lengths[each] for each in range(least, most + 1)) > 0.9 * len(whole)


def test_busier_accounts_are_asked_about_more_often_where_the_skew_is_larger() -> None:
    def share(exponent: float) -> float:
        crowd = Crowd(rate=60, seconds=120, accounts=5_000, exponent=exponent)
        ranks = [each.ranks[0] for each in questions(crowd) if each.kind == "user"]
        return sum(rank <= 50 for rank in ranks) / len(ranks)

    assert share(0.8) < share(1.0) < share(1.2)


def test_a_partner_s_overview_names_its_accounts() -> None:
    overviews = [each for each in questions(CROWD) if each.document == "accounts_overview"]
    assert all(each.kind == "partner" for each in overviews)
    assert {len(set(each.variables["accountIds"])) for each in overviews} == {PARTNER_ACCOUNTS}


def test_every_question_gives_its_document_what_it_needs() -> None:
    for each in questions(CROWD):
        sent = body(each)
        (operation,) = (
            node
            for node in parse(sent["query"]).definitions
            if isinstance(node, OperationDefinitionNode)
        )
        declared = {node.variable.name.value: node for node in operation.variable_definitions or ()}
        needed = {
            name
            for name, node in declared.items()
            if node.default_value is None and type(node.type).__name__ == "NonNullTypeNode"
        }
        assert needed <= sent["variables"].keys() <= declared.keys()


def test_what_is_sent_in_two_parts_is_what_is_sent_in_one() -> None:
    whole, first, then = script(CROWD, 0, 120), script(CROWD, 0, 50), script(CROWD, 50, 70)
    assert [*first.requests, *then.requests] == whole.requests
    assert [*first.times_s, *(each + 50 for each in then.times_s)] == pytest.approx(whole.times_s)
    assert all(left <= right for left, right in pairwise(whole.times_s))
    content = whole.requests[0].partition(b"\r\n\r\n")[2]
    assert json.loads(content).keys() == {"query", "variables"}
