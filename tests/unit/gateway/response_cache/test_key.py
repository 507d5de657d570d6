"""Keys: what must differ differs, what need not differ does not have to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.response_cache import key
from graphql_schema import enums

NOON = datetime(2025, 11, 22, 12, tzinfo=UTC)
DOCUMENT = "query Q($a: Int, $b: String = null) { x }"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def of(coerced: dict[str, Any], name: str | None = "Q", document: str = DOCUMENT) -> bytes:
    return key.digest(document, name, coerced)


def test_the_order_of_variables_and_of_their_fields_does_not_matter() -> None:
    assert of({"a": {"x": 1, "y": [2]}, "b": None}) == of({"b": None, "a": {"y": [2], "x": 1}})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": None}, {}),
        ({"a": None}, {"b": None}),
        ({"a": 1}, {"a": "1"}),
        ({"a": 1}, {"a": True}),
        ({"a": 0}, {"a": False}),
        ({"a": ""}, {"a": None}),
        ({"a": []}, {"a": {}}),
        ({"a": [1, 2]}, {"a": [2, 1]}),
        ({"a": "\u00e9"}, {"a": "e\u0301"}),
        ({"a": "a", "b": "b"}, {"a": 'a","b":"b'}),
        ({"a": NOON}, {"a": NOON + timedelta(microseconds=1)}),
        ({"a": Decimal("1.5")}, {"a": Decimal("1.50")}),
        ({"a": enums.TimeUnit.DAY}, {"a": enums.TimeUnit.WEEK}),
    ],
)
def test_what_the_execution_tells_apart_has_keys_of_its_own(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert of(one) != of(other)


def test_what_has_no_text_of_its_own_is_refused() -> None:
    with pytest.raises(TypeError):
        of({"a": object()})


def test_document_and_operation_name_cannot_run_into_each_other() -> None:
    assert of({}, "ab", "c") != of({}, "b", "ca")
    assert of({}, None) != of({}, "")
    assert of({}, document="{ a }") != of({}, document="{ a } ")


def _same(one: Any, other: Any) -> bool:
    """Equality that tells 1 from True and from 1.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return repr(one) == repr(other)


@given(JSON, JSON)
def test_different_values_have_different_texts(one: Any, other: Any) -> None:
    assert (key.canonical(one) == key.canonical(other)) == _same(one, other)


def test_a_shared_name_tells_callers_and_generations_apart() -> None:
    asked = of({})
    names = [
        key.shared_name(generation, (visibility, asked))
        for generation in (b"1", b"2")
        for visibility in (
            ("OPERATOR", None, True),
            ("PARTNER", None, True),
            ("OWNER", frozenset({"a", "b"}), True),
            ("OWNER", frozenset({"a"}), True),
            ("OWNER", frozenset[str](), True),
            ("OWNER", None, False),
            ("OWNER", ("a", "b"), True),
        )
    ]
    assert len(set(names)) == len(names)
    many = frozenset(map(str, range(100)))
    again = frozenset(map(str, reversed(range(100))))
    assert key.shared_name(b"", (("OWNER", many, True), asked)) == key.shared_name(
        b"", (("OWNER", again, True), asked)
    )


def test_a_visibility_of_unknown_parts_is_refused() -> None:
    with pytest.raises(TypeError, match="text, not of float"):
        key.shared_name(b"", ((1.5,), b""))


def test_keys_stay_the_same_in_the_next_release() -> None:
    """Gateways of two releases share a second level during a rollout."""
    asked = of({"a": 1})
    assert asked.hex() == "0a11d14e838bfb54700f7f6bc44f3eafbb1e892e624074b38360785cf31d51cd"
    assert (
        of({"a": 1}, None).hex()
        == "daaefc9523445e7d480c2241db24138073c2f5344d2f1d51caceea55579db72d"
    )
    callers = ("PARTNER", frozenset({"a", "b"}), "key:acme")
    assert (
        key.shared_name(b"1", (callers, asked))
        == "b562aa506043838b050651d908b65e5e415b279c71dff161f5dd5878ab8a80a8"
    )


def test_half_a_surrogate_pair_in_a_document_has_a_key() -> None:
    assert of({}, document="{ \ud800 }") != of({}, document="{ \ud801 }")
