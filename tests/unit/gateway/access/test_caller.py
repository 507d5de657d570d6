"""What callers may read, and the proof of it."""

from __future__ import annotations

import dataclasses
import inspect

import pytest

from gateway.access.caller import EVERYONE, Caller, Role, Scope
from gateway.analytics import pipeline_plan, query_plan, spread_plan
from gateway.analytics.model import Direction, Interval
from gateway.analytics.pipeline_plan import ProgressPlan
from gateway.analytics.query_plan import DistinctPlan, EntriesPlan, QueryPlan
from gateway.errors import ForbiddenError, Right
from gateway.store.rows import asked

OWNER = Caller("o", Role.OWNER, frozenset({"alice", "bob"}), True)
MASKED = Caller("p", Role.PARTNER, frozenset({"alice"}), False)
DAY = Interval(0, 86_400_000)


def test_a_caller_reads_its_accounts_and_no_other() -> None:
    assert OWNER.may_read(["alice"]).account_id == "alice"
    assert OWNER.may_read(["alice", "bob"]).account_ids == frozenset({"alice", "bob"})
    for wanted in (["carol"], ["alice", "carol"], ["ALICE"], ["alice "]):
        with pytest.raises(ForbiddenError) as refused:
            OWNER.may_read(wanted)
        assert refused.value.right is Right.READ_ACCOUNT
        assert "carol" not in str(refused.value)


def test_a_group_is_its_callers_own_or_none() -> None:
    held = (("family", frozenset({"alice"})), ("shop", frozenset({"bob"})))
    caller = dataclasses.replace(OWNER, groups=held)
    assert [caller.group(name) for name, _ in held] == [accounts for _, accounts in held]
    for own, name in ((caller, "other"), (caller, "Family"), (OWNER, "family"), (EVERYONE, "shop")):
        with pytest.raises(ForbiddenError) as refused:
            own.group(name)
        assert refused.value.right is Right.USE_GROUP


def test_the_network_is_for_operators() -> None:
    assert EVERYONE.may_read_network().account_ids is None
    assert EVERYONE.may_read(["anyone"]).account_id == "anyone"
    with pytest.raises(ForbiddenError) as refused:
        OWNER.may_read_network()
    assert refused.value.right is Right.READ_NETWORK


@pytest.mark.parametrize("role", [Role.OWNER, Role.PARTNER])
def test_nobody_but_an_operator_has_all_accounts(role: Role) -> None:
    with pytest.raises(ValueError, match=r"^operators, and only they, have all accounts$"):
        Caller("x", role, None, True)
    with pytest.raises(ValueError, match=r"^operators, and only they"):
        Caller("x", Role.OPERATOR, frozenset(), True)


def test_a_scope_is_made_by_a_caller_only() -> None:
    with pytest.raises(TypeError, match=r"^a Scope is made by Caller\.may_read or .*only$"):
        Scope(frozenset({"carol"}), object())
    with pytest.raises(TypeError):
        Scope(frozenset({"carol"}))  # type: ignore[call-arg]
    proven = OWNER.may_read(["alice"])
    with pytest.raises((TypeError, ValueError)):
        dataclasses.replace(proven, account_ids=frozenset({"carol"}))  # type: ignore[call-arg]
    with pytest.raises(dataclasses.FrozenInstanceError):
        proven.account_ids = None  # type: ignore[misc]


def test_proofs_add_up_to_no_more_than_both() -> None:
    alice, bob = OWNER.may_read(["alice"]), OWNER.may_read(["bob"])
    assert (alice | bob) == OWNER.may_read(["bob", "alice"])
    with pytest.raises(ValueError, match="too many values"):
        _ = (alice | bob).account_id
    network = EVERYONE.may_read_network()
    assert (alice | network) == (network | alice) == network


def test_every_plan_but_the_progress_needs_a_scope() -> None:
    plans = {
        kind
        for module in (query_plan, pipeline_plan, spread_plan, asked)
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, QueryPlan) and dataclasses.is_dataclass(kind)
    }
    assert len(plans) == 13
    for plan in plans:
        fields = {field.name: field for field in dataclasses.fields(plan)}  # type: ignore[arg-type]
        if plan is not ProgressPlan:
            assert fields["scope"].default is dataclasses.MISSING
            assert not {"account_id", "account_ids"} & fields.keys()


def test_equal_questions_of_equal_rights_are_equal_plans() -> None:
    mine = DistinctPlan(OWNER.may_read(["alice"]), Direction.SENT, DAY)
    theirs = DistinctPlan(MASKED.may_read(["alice"]), Direction.SENT, DAY)
    assert mine == theirs
    assert hash(mine) == hash(theirs)


def test_single_entries_are_an_accounts_only() -> None:
    plan = EntriesPlan(EVERYONE.may_read_network(), None, None, DAY, None, 1)
    with pytest.raises(TypeError, match="not the network's"):
        _ = plan.account_id


def test_callers_that_see_alike_share_answers_and_masked_ones_with_nobody() -> None:
    twin = dataclasses.replace(OWNER, subject="other")
    assert OWNER.visibility == twin.visibility
    assert MASKED.visibility != dataclasses.replace(MASKED, subject="q").visibility
    assert len({OWNER.visibility, MASKED.visibility, EVERYONE.visibility}) == 3


def test_an_id_may_be_searched_by_only_if_it_is_shown() -> None:
    for caller, account in ((MASKED, "alice"), (OWNER, "carol"), (EVERYONE, "carol")):
        caller.may_name(account)
    with pytest.raises(ForbiddenError) as refused:
        MASKED.may_name("carol")
    assert refused.value.right is Right.SEE_COUNTERPARTIES


def test_metrics_are_for_operators() -> None:
    EVERYONE.may_read_metrics()
    with pytest.raises(ForbiddenError) as refused:
        OWNER.may_read_metrics()
    assert refused.value.right is Right.READ_METRICS
