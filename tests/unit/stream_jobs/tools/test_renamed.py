"""Erased accounts are recounted by their pseudonyms, on the side of the event on which they were."""

from __future__ import annotations

from stream_jobs.events.erased_rows import ACCOUNT, BOTH, COUNTERPARTY, ErasedRow, ErasedRows
from stream_jobs.tools.renamed import of_records


def told(name: str, direction: str, sides: int, offset: int = 7) -> ErasedRows:
    return ErasedRows(name, "segment", [ErasedRow(1, offset, 0, direction, sides, 5)])


def test_a_row_says_which_side_of_its_event_was_erased() -> None:
    for direction, sides in (("SENT", ACCOUNT), ("RECEIVED", COUNTERPARTY)):
        assert of_records([told("x", direction, sides)]) == {(1, 7): ("x", "")}
    for direction, sides in (("SENT", COUNTERPARTY), ("RECEIVED", ACCOUNT)):
        assert of_records([told("x", direction, sides)]) == {(1, 7): ("", "x")}
    assert of_records([told("x", "SENT", BOTH)]) == {(1, 7): ("x", "x")}


def test_both_accounts_of_an_event_may_have_been_erased() -> None:
    records = [
        told("x", "SENT", ACCOUNT),
        told("y", "SENT", COUNTERPARTY),
        told("y", "SENT", BOTH, 8),
    ]
    assert of_records(records) == {(1, 7): ("x", "y"), (1, 8): ("y", "y")}
