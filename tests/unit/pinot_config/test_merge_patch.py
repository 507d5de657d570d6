"""The cases of RFC 7396, appendix A, that differ in kind."""

from __future__ import annotations

from typing import Any

import pytest

from pinot_config.merge_patch import merged


@pytest.mark.parametrize(
    ("below", "over", "wanted"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "foo"}, None, None),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_document_with_another_laid_over_it(below: Any, over: Any, wanted: Any) -> None:
    assert merged(below, over) == wanted


def test_what_lies_below_stays_as_it_was() -> None:
    below = {"a": {"b": 1}}
    merged(below, {"a": {"b": 2}})
    assert below == {"a": {"b": 1}}
