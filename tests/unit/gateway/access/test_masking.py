"""Masks of ids that a caller may not see: nobody else's, always the same, and of use to that caller alone."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.caller import EVERYONE, Caller, Role
from gateway.access.masking import PREFIX, Masking, read_key
from gateway.errors import BadUserInputError, ForbiddenError, Right

OWNER = Caller("o", Role.OWNER, frozenset({"alice", "bob"}), True)
MASKED = Caller("p", Role.PARTNER, frozenset({"alice"}), False)
MASKING = Masking(b"k" * 32)


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
    path.write_text("x" * 32)
    path.chmod(0o666)
    with pytest.raises(ValueError, match=r"masking\.key may be written by everybody"):
        read_key(path)


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
    for text in (
        PREFIX,
        PREFIX + "a" * 24,
        PREFIX + "7" * 5_000,
        PREFIX + "é" * 40,
        PREFIX + "\ud800",
    ):
        with pytest.raises(ForbiddenError):
            MASKING.named(MASKED, text, "counterpartyId")


def test_an_id_in_clear_is_named_by_who_is_shown_it() -> None:
    assert MASKING.named(MASKED, "alice", "counterpartyId") == "alice"
    assert MASKING.named(OWNER, "carol", "counterpartyId") == "carol"
    with pytest.raises(ForbiddenError):
        MASKING.named(MASKED, "carol", "counterpartyId")
    with pytest.raises(BadUserInputError) as refused:
        MASKING.named(OWNER, "", "counterpartyId")
    assert refused.value.argument == "counterpartyId"


def test_an_account_of_ones_own_may_be_called_like_a_mask() -> None:
    own = dataclasses.replace(MASKED, accounts=frozenset({"masked:me"}))
    assert MASKING.named(own, "masked:me", "counterpartyId") == "masked:me"


def test_the_record_tells_an_account_by_one_digest_for_each_key() -> None:
    digest = MASKING.digest("bob")
    assert digest == MASKING.digest("bob") == Masking(b"k" * 32).digest("bob")
    assert digest == "faec44db35cfddcd"
    assert digest not in {MASKING.digest("carol"), Masking(b"l" * 32).digest("bob")}
    assert MASKING.digest("\ud800") != MASKING.digest("\ud801")
    without = Masking()
    assert without.digest("bob") == without.digest("bob") != Masking().digest("bob")


def test_the_record_tells_an_account_that_is_named_by_its_mask_as_that_account() -> None:
    mask = MASKING.shown(MASKED, "bob")
    other = dataclasses.replace(MASKED, subject="q")
    assert MASKING.digest_named(MASKED, mask) == MASKING.digest("bob")
    assert MASKING.digest_named(other, mask) == MASKING.digest(mask)
    for caller, text in ((OWNER, "carol"), (MASKED, "carol"), (OWNER, "")):
        assert MASKING.digest_named(caller, text) == MASKING.digest(text)
