"""Where an id stands, as SQL."""

from __future__ import annotations

from stream_jobs.erasure.tables import ENTRIES, REJECTED


def test_conditions_quote_the_id() -> None:
    assert ENTRIES.where("O'Brien") == ("account_id = 'O''Brien' OR counterparty_id = 'O''Brien'")
    assert ENTRIES.where("''") == (
        "account_id = decodeUrl('%27%27') OR counterparty_id = decodeUrl('%27%27')"
    )
    assert REJECTED.where("a").startswith("REGEXP_LIKE(payload, '(?<!")
