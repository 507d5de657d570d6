"""What a running stack shows, whatever the accounts are called."""

from __future__ import annotations

import io

from rich.console import Console

from local_stack import live


def test_ids_that_look_like_markup_are_shown_as_they_are() -> None:
    output = io.StringIO()
    measures = {"transactionCount": 1, "transactionAmount": "1.5", "counterpartyCount": 0}
    row = {"rank": 1, "accountId": "[/x] [red]a", **measures}
    top = {
        "account": "[/]",
        "asOf": "2026-01-01T00:00:00Z",
        "exact": True,
        "rows": [row],
        "others": measures,
        "total": measures,
    }
    live.show_top(Console(file=output, width=120), top)
    assert "[/x] [red]a" in output.getvalue()
    assert "Top senders to [/]" in output.getvalue()
