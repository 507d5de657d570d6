"""The job's two functions over the memory that its SQL keeps: what comes for an erased account, and nothing else, changes."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_jobs.events.erased_accounts import ErasedAccounts
from stream_jobs.events.reasons import MAX_REVERSALS
from stream_jobs.events.settings import DEFAULT
from stream_jobs.job.functions import EVENT_FIELDS, FATE, VERDICT, fates, verdict

NOW_MS = 1_700_000_000_000
NAME = "erased-of-ann"
KEPT, PSEUDONYMISED, REFUSED = ErasedAccounts
ENTRY = [name for name, _ in EVENT_FIELDS]
FATE_NAMES = [
    *(
        "outcome",
        "kafka_partition",
        "kafka_offset",
        "reason",
        "detail",
        "payload",
        "payload_base64",
    ),
    *("payload_bytes", "key_base64", "headers", *ENTRY, "reverses"),
]


class Outcome(NamedTuple):
    """What is written of one raw record, in the order in which it is."""

    offset: int
    what: str
    told: Mapping[str, Any]


@dataclass
class Remembered:
    """What 23_remembered.sql keeps of one transfer."""

    transfers: int = 0
    content: int | None = None
    arrivals: list[str] = field(default_factory=list)
    numbered: int = 0


class Flink:
    """The statements of `job/sql/` for one subtask, over the functions themselves."""

    def __init__(self, setting: ErasedAccounts) -> None:
        self._setting = setting
        self._known: dict[bytes, Remembered] = {}
        self._occurrences: Counter[str] = Counter()
        self.erased = False
        self.outcomes: list[Outcome] = []
        self.offset = 0

    def take(self, payload: bytes, key: bytes | None = None) -> None:
        """One record."""
        self.offset += 1
        follow: dict[str, Any] = {}
        if self._setting is not KEPT:
            follow = {"erased": self._names, "refuse": self._setting is REFUSED}
        headers = {"h": b"ann"}
        row = verdict(DEFAULT, payload, NOW_MS, False, 0, self.offset, key, headers, **follow)
        said = dict(zip(VERDICT.field_names(), row, strict=True))
        if said["kind"] == "REJECTED":
            self.outcomes.append(Outcome(self.offset, "REJECTED", said))
            return
        id_, known = said["transaction_id"], self._of(said["transaction_key"])
        occurrence, reversal = None, said["reversal"]
        if said["kind"] == "REVERSAL":
            self._occurrences[id_] += 1
            occurrence = self._occurrences[id_]
            known.numbered += occurrence == 1
            if occurrence == 1 and known.numbered <= MAX_REVERSALS:
                known.arrivals.append(reversal)
        elif said["content"] is not None:
            known.transfers += 1
            known.content = said["content"] if known.content is None else known.content
        if reversal is None and known.transfers == 1:
            self.outcomes.append(Outcome(self.offset, "COUNTED", said))
        if reversal is not None or known.transfers > 1 or known.arrivals:
            memory = (known.transfers, known.content, ",".join(known.arrivals) or None)
            for fate in fates(DEFAULT, id_, 0, self.offset, reversal, occurrence, *memory):
                told = dict(zip(FATE_NAMES, fate, strict=True))
                self.outcomes.append(Outcome(told["kafka_offset"], told["outcome"], told))

    def _names(self, account_ids: Iterable[str]) -> dict[str, str]:
        return {"ann": NAME} if self.erased and "ann" in account_ids else {}

    def _of(self, key: bytes) -> Remembered:
        return self._known.setdefault(key, Remembered())

    def last(self) -> tuple[str, str | None]:
        """What was written last, and why."""
        return self.outcomes[-1].what, self.outcomes[-1].told.get("reason")


def run(setting: ErasedAccounts, before: Sequence[bytes], after: Sequence[bytes]) -> Flink:
    flink = Flink(setting)
    for each in before:
        flink.take(each)
    flink.erased = True
    for each in after:
        flink.take(each)
    return flink


def event(number: int, sender: str = "ann", receiver: str = "bob", **more: str) -> bytes:
    ids = {"from_account_id": sender, "to_account_id": receiver}
    return json.dumps(
        {**ids, "transaction_id": str(UUID(int=number)), "amount": "5", **more}
    ).encode()


def undone(number: int, reverses: int, *accounts: str, **more: str) -> bytes:
    more = {"type": "reversal", "reverses": str(UUID(int=reverses)), **more}
    return event(number, *accounts, **more)


def test_the_names_of_a_fate_are_the_functions_own() -> None:
    assert len(FATE_NAMES) == len(FATE)


def test_what_is_told_by_the_pseudonym_counts_as_it_would_have() -> None:
    flink = run(PSEUDONYMISED, [], [event(1, "ann", "bob"), event(2, "bob", "ann")])
    told = [tuple(each.told[name] for name in ENTRY[1:4]) for each in flink.outcomes]
    assert told == [(NAME, "bob", "5"), ("bob", NAME, "5")]


@pytest.mark.parametrize("setting", [PSEUDONYMISED, REFUSED])
def test_a_duplicate_of_what_counted_before_the_erasure_is_one(setting: ErasedAccounts) -> None:
    both = [event(1), undone(2, 1)]
    flink = run(setting, both, both)
    assert [each.what for each in flink.outcomes] == [
        "COUNTED",
        "COUNTED",
        "DUPLICATE",
        "DUPLICATE",
    ]


def test_a_reversal_of_what_counted_before_fits_though_it_is_told_otherwise() -> None:
    flink = run(PSEUDONYMISED, [event(1)], [undone(2, 1), undone(3, 1), undone(4, 1, amount="9")])
    assert [each.what for each in flink.outcomes[1:]] == ["COUNTED", "REJECTED", "REJECTED"]
    assert (flink.outcomes[1].told["from_account_id"], flink.outcomes[1].told["amount"]) == (
        NAME,
        "-5",
    )
    assert [each.told["reason"] for each in flink.outcomes[2:]] == [
        "ALREADY_REVERSED",
        "REVERSAL_DIFFERS",
    ]
    assert_without_id(flink, 1)


def test_a_refused_transfer_is_not_remembered_so_that_nothing_can_undo_it() -> None:
    flink = run(REFUSED, [], [event(1), event(1)])
    assert [each.told["reason"] for each in flink.outcomes] == ["ACCOUNT_ERASED"] * 2
    flink.erased = False  # as to a worker that does not know of it yet
    flink.take(undone(2, 1))
    assert flink.last()[0] == "HELD"
    flink.take(event(1))
    assert [each.what for each in flink.outcomes[-2:]] == ["COUNTED", "COUNTED"]


def test_a_refused_reversal_has_not_taken_effect_for_whoever_comes_after_it() -> None:
    flink = run(REFUSED, [event(1)], [undone(2, 1), undone(2, 1)])
    assert [each.what for each in flink.outcomes] == ["COUNTED", "REJECTED", "DUPLICATE"]
    flink.erased = False  # as if the setting was changed
    flink.take(undone(3, 1))
    assert flink.last() == ("COUNTED", None)


def test_a_refused_reversal_is_not_settled_again_when_a_transfer_comes() -> None:
    flink = run(REFUSED, [], [undone(2, 1)])
    flink.erased = False
    flink.take(event(1))
    assert [(each.offset, each.what) for each in flink.outcomes] == [
        (1, "REJECTED"),
        (2, "COUNTED"),
    ]


def test_a_record_that_is_rejected_for_its_own_faults_does_not_tell_the_id() -> None:
    deep = b'{"from_account_id":"\\u0061nn","n":' + b"[" * 900 + b"]" * 900 + b"}"
    flink = run(REFUSED, [], [event(1, amount="x", memo="to ann"), deep])
    flink.take(event(2, amount="x"), b"ann")
    assert [each.told["reason"] for each in flink.outcomes] == [
        *("AMOUNT_MALFORMED", "MISSING_FIELD", "AMOUNT_MALFORMED")
    ]
    assert_without_id(flink)
    assert flink.outcomes[-1].told["key_base64"] == base64.b64encode(NAME.encode()).decode()


def assert_without_id(flink: Flink, since: int = 0) -> None:
    for each in flink.outcomes[since:]:
        beside = json.loads(each.told.get("headers") or "{}").values()
        hidden = [each.told.get(name) or "" for name in ("payload_base64", "key_base64")]
        texts = [each.told.get("payload") or "", each.told.get("detail") or ""]
        texts += [base64.b64decode(text).decode() for text in (*hidden, *beside)]
        texts += [str(each.told.get(name)) for name in ENTRY]
        assert not [text for text in texts if "ann" in text.replace(NAME, "")], each
        assert not [text for text in texts if "\\u0061nn" in text]


EVENTS = st.one_of(
    st.builds(event, st.integers(1, 4), st.sampled_from(["ann", "bob", "cid"]), st.sampled_from(["ann", "bob"])),
    st.builds(
        undone,
        st.integers(11, 15),
        st.integers(1, 4),
        st.sampled_from(["ann", "bob", "cid"]),
        st.sampled_from(["ann", "bob"]),
    ),
    st.builds(lambda number: event(number, amount="0"), st.integers(1, 4)),
)  # fmt: skip


@given(st.lists(EVENTS, max_size=15), st.lists(EVENTS, max_size=15))
def test_whatever_comes_only_what_names_the_erased_account_changes(
    before: list[bytes], after: list[bytes]
) -> None:
    kept, named, refused = (run(setting, before, after) for setting in ErasedAccounts)
    raw = [*before, *after]
    # By the pseudonym everything becomes what it becomes by the id.
    assert [(o, what) for o, what, _ in named.outcomes] == [
        (o, what) for o, what, _ in kept.outcomes
    ]
    for was, told in zip(kept.outcomes, named.outcomes, strict=True):
        if was.offset <= len(before) or b"ann" not in raw[was.offset - 1]:
            assert was == told
        else:
            assert_without_id(_only(told))
    assert sums(named) == sums(kept)
    # Refused is what names it and was not there before; that counts nothing, and each record has its one last outcome.
    last = [each for each in refused.outcomes if each.what != "HELD"]
    assert Counter(each.offset for each in last) <= Counter(range(1, len(raw) + 1))
    for each in refused.outcomes:
        is_refused = each.told.get("reason") == "ACCOUNT_ERASED"
        names_it = each.offset > len(before) and b"ann" in raw[each.offset - 1]
        assert is_refused <= names_it
        if names_it:
            assert each.what in ("REJECTED", "DUPLICATE")
            assert_without_id(_only(each))
    duplicates = [{o for o, what, _ in f.outcomes if what == "DUPLICATE"} for f in (kept, refused)]
    counted_before = {each.told["transaction_id"] for each in run(KEPT, before, []).outcomes if each.what == "COUNTED"}  # fmt: skip
    of_before = {o for o in duplicates[0] if json.loads(raw[o - 1])["transaction_id"] in counted_before}  # fmt: skip
    assert of_before <= duplicates[1]


def _only(outcome: Outcome) -> Flink:
    flink = Flink(KEPT)
    flink.outcomes = [outcome]
    return flink


def sums(flink: Flink) -> dict[str, Decimal]:
    """By account what was received less what was sent; of both names of the erased one together."""
    found: dict[str, Decimal] = {}
    for _, what, told in flink.outcomes:
        if what == "COUNTED":
            for sign, side in ((-1, "from_account_id"), (1, "to_account_id")):
                account = {"ann": NAME}.get(told[side], told[side])
                found[account] = found.get(account, Decimal()) + sign * Decimal(told["amount"])
    return found
