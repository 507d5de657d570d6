"""What callers may read, the proof of it, and the masks of ids that they may not see."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.caller import EVERYONE, Caller, Role, Scope
from gateway.access.masking import PREFIX, Masking, read_key
from gateway.analytics import pipeline_plan, query_plan, spread_plan
from gateway.analytics.model import Direction, Interval
from gateway.analytics.pipeline_plan import ProgressPlan
from gateway.analytics.query_plan import DistinctPlan, EntriesPlan, QueryPlan
from gateway.errors import BadUserInputError, ForbiddenError, Right
from gateway.store.rows import asked

OWNER = Caller("o", Role.OWNER, frozenset({"alice", "bob"}), True)
MASKED = Caller("p", Role.PARTNER, frozenset({"alice"}), False)
MASKING = Masking(b"k" * 32)
DAY = Interval(0, 86_400_000)


def test_a_caller_reads_its_accounts_and_no_other() -> None:
    assert OWNER.may_read(["alice"]).account_id == "alice"
    assert OWNER.may_read(["alice", "bob"]).account_ids == frozenset({"alice", "bob"})
    for wanted in (["carol"], ["alice", "carol"], ["ALICE"], ["alice "]):
        with pytest.raises(ForbiddenError) as refused:
            OWNER.may_read(wanted)
        assert refused.value.right is Right.READ_ACCOUNT
        assert "carol" not in str(refused.value)


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


def test_own_ids_stay_in_clear_and_others_are_masked() -> None:
    shown = MASKING.for_caller(MASKED)
    assert shown("alice") == "alice"
    assert shown("bob").startswith(PREFIX)
    assert shown("bob") == shown("bob") != shown("carol")
    assert MASKING.for_caller(OWNER)("carol") == "carol"
    assert Masking().for_caller(EVERYONE)("carol") == "carol"


def test_masks_differ_by_subject_and_by_deployment() -> None:
    other = dataclasses.replace(MASKED, subject="q")
    masks = {
        MASKING.shown(MASKED, "bob"),
        MASKING.shown(other, "bob"),
        Masking(b"l" * 32).shown(MASKED, "bob"),
    }
    assert len(masks) == 3


@given(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1), st.text(min_size=1))
def test_no_two_ids_or_subjects_run_into_each_other(
    subject: str, account_id: str, other_subject: str, other_id: str
) -> None:
    one = Caller(subject, Role.PARTNER, frozenset(), False)
    two = Caller(other_subject, Role.PARTNER, frozenset(), False)
    same = (subject, account_id) == (other_subject, other_id)
    assert (MASKING.shown(one, account_id) == MASKING.shown(two, other_id)) is same


def test_masks_need_a_key_that_is_one(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^a masked caller was let in without a masking key$"):
        Masking().shown(MASKED, "bob")
    assert "kkkk" not in repr(MASKING)
    path = tmp_path / "masking.key"
    with pytest.raises(ValueError, match=r"masking\.key cannot be read \(No such file"):
        read_key(path)
    path.write_text("x" * 32 + "\n")
    assert read_key(path) == b"x" * 32
    path.write_text("x" * 31 + "\n")
    with pytest.raises(ValueError, match="openssl rand"):
        read_key(path)


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


def test_a_mask_stays_the_same_in_the_next_release() -> None:
    """Partners keep masked ids: what they name must not change under the same key."""
    assert MASKING.shown(MASKED, "bob") == (
        "masked:7gumyfc44kcqvpircprn4afzdp5eushuwc7fgovbj2nvmz2qnjtqzeliojwq6vo4mtz2rm3ixwvq"
    )
    assert MASKING.shown(MASKED, "\ud800").startswith("masked:2i3m4zicrtjzgiisvr3z7p2x")


@given(account_id=st.text(st.characters(exclude_categories=["Cc"]), min_size=1, max_size=64))
def test_a_mask_names_its_id_to_the_caller_that_was_shown_it_and_to_nobody_else(
    account_id: str,
) -> None:
    mask = MASKING.shown(MASKED, account_id)
    assert MASKING.named(MASKED, mask, "counterpartyId") == account_id
    assert len(mask) <= 441
    if account_id == "alice":
        return
    others = [dataclasses.replace(MASKED, subject=name) for name in ("q", "P", "p ")]
    for other in others:
        with pytest.raises(ForbiddenError) as refused:
            MASKING.named(other, mask, "counterpartyId")
        assert refused.value.right is Right.SEE_COUNTERPARTIES
    with pytest.raises(ForbiddenError):
        Masking(b"K" * 32).named(MASKED, mask, "counterpartyId")
    # It is no id of an account to whom sees ids in clear.
    with pytest.raises(BadUserInputError):
        MASKING.named(EVERYONE, mask, "counterpartyId")


@given(where=st.integers(0, 90), character=st.characters(), cut=st.booleans())
def test_no_text_but_a_mask_is_taken_for_one(where: int, character: str, cut: bool) -> None:
    mask = MASKING.shown(MASKED, "bob")
    end = mask[where + 1 :] if not cut else ""
    changed = mask[:where] + ("" if cut else character) + end
    if changed == mask:
        return
    with pytest.raises((ForbiddenError, BadUserInputError)):
        MASKING.named(MASKED, changed, "counterpartyId")


def test_masks_of_no_content_or_one_that_is_too_long_are_refused() -> None:
    for text in (PREFIX, PREFIX + "a" * 24, PREFIX + "7" * 5_000, PREFIX + "é" * 40):
        with pytest.raises(ForbiddenError):
            MASKING.named(MASKED, text, "counterpartyId")
