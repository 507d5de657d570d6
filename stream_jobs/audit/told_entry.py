"""An entry that tells pseudonyms in place of its event's accounts, and nothing else that its event does not say; pure."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple

import orjson

from stream_jobs.audit.expected import Expected
from stream_jobs.audit.outcomes import parsed
from stream_jobs.audit.sums import Row, rows_of


class ErasedEntry(NamedTuple):
    """The row that an entry stands for by its raw record, and the one that it tells of, with a pseudonym."""

    was: Row
    told: Row


def told_entry(
    value: bytes | None, expected: Expected, names_of: Callable[[str], Collection[str]]
) -> ErasedEntry | None:
    """What it tells if each account is its event's, or has one of the names of that; None of any other."""
    if expected.event is None:
        return None
    body = parsed(value)
    as_it_was = expected.entry(body.get("direction"))
    was = rows_of(expected)[as_it_was is expected.sent]
    account, other = str(body.get("account_id")), str(body.get("counterparty_id"))
    ids = {"account_id": was.account_id, "counterparty_id": was.counterparty_id}
    are_right = account in {was.account_id, *names_of(was.account_id)} and (
        other in {was.counterparty_id, *names_of(was.counterparty_id)}
    )
    if not are_right or orjson.dumps(body | ids) != as_it_was:
        return None
    return ErasedEntry(was, was._replace(account_id=account, counterparty_id=other))
