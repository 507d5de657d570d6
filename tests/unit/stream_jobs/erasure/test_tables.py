"""Where an id stands, as SQL and as a pattern that both Java and Python read."""

from __future__ import annotations

import re

import pytest

from stream_jobs.erasure.tables import ENTRIES, REJECTED, word


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


def test_conditions_quote_the_id() -> None:
    assert ENTRIES.where("O'Brien") == ("account_id = 'O''Brien' OR counterparty_id = 'O''Brien'")
    assert ENTRIES.where("''") == (
        "account_id = decodeUrl('%27%27') OR counterparty_id = decodeUrl('%27%27')"
    )
    assert REJECTED.where("a").startswith("REGEXP_LIKE(payload, '(?<!")
