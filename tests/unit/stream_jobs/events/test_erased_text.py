"""An id is found in a text and in JSON however it is spelt, and nothing else is touched."""

from __future__ import annotations

import re

import pytest

from stream_jobs.events.erased_text import Replacement, word


@pytest.mark.parametrize(
    "text",
    [
        '{"from_account_id": "acct-1", "amount": 7}',
        "from_account_id acct-1 is odd",
        "it is acct-1.",
        "acct-1",
        "<acct-1>",
    ],
)
def test_an_id_is_found_in_a_text(text: str) -> None:
    assert re.search(word("acct-1"), text)


@pytest.mark.parametrize(
    "text", ["acct-12", "acct-1.5", "xacct-1", "x-acct-1", "acct-1-2", "acct-1é", "1.acct-1", "ACCT-1", "acct_1"]
)  # fmt: skip
def test_a_part_of_a_longer_or_other_id_is_not(text: str) -> None:
    assert not re.search(word("acct-1"), text)


def test_an_id_is_found_as_json_escapes_it() -> None:
    for text in ('"Nguy\\u1ec5n"', '"Nguyễn"'):
        assert re.sub(word("Nguyễn"), "x", text) == '"x"'
    assert re.sub(word('say "hi"'), "x", '{"a": "say \\"hi\\""}') == '{"a": "x"}'
    assert re.sub(word("a.*b"), "x", "aab a.*b") == "aab x"


@pytest.mark.parametrize("depth", [100, 250, 1_000])
def test_an_id_is_found_however_deep_json_is_nested(depth: int) -> None:
    told = b'{"to_account_id":"\\u0061nn","n":' + b"[" * depth + b'"ann, bob"' + b"]" * depth + b"}"
    replaced = Replacement("ann", "erased-x").content(told) or b""
    assert replaced.count(b"[") == replaced.count(b"]") == depth
    assert (b"erased-x, bob" in replaced, b"nn" in replaced) == (True, False)
    assert re.sub(rb"[\[\]]", b"", replaced) == b'{"to_account_id":"erased-x","n":"erased-x, bob"}'
