"""What an export's address asks for: the arguments of `Account.transactions`, by the same names and rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from gateway.access.account_id import check_account_id
from gateway.analytics.entries import EntriesQuestion
from gateway.analytics.limits import check_amount, check_zone
from gateway.analytics.model import (
    BetweenWindow,
    Calendar,
    Direction,
    TransactionKind,
    TransactionSort,
)
from gateway.errors import BadUserInputError
from gateway.execution import presenting
from gateway.http import negotiation
from gateway.http.export.rows import FORMATS, Format
from gateway.http.refused import RequestRefusedError
from gateway.http.request import MAX_URL_BYTES, Head, parameters_of
from graphql_schema.scalars import (
    UTC,
    ScalarInputError,
    parse_datetime,
    parse_decimal,
    serialize_datetime,
)

Value = TypeVar("Value")
Choice = TypeVar("Choice", bound=Enum)

NEEDED = ("account", "start", "end")
PARAMETERS = (
    *NEEDED,
    *("direction", "counterpartyId", "kind", "minAmount", "maxAmount", "sortBy", "timeZone"),
    *("after", "format"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """The list, from the first row that is wanted on, and how it is to be written."""

    question: EntriesQuestion
    format: Format


def read(head: Head, page_rows: int, earliest_ms: int | None) -> Asked:
    """What a GET asks for, in pages of so many rows; raises `RequestRefusedError` or `BadUserInputError`.

    An unknown parameter is refused, as an unknown argument is in GraphQL: without a filter that was
    misspelt the answer would be another one. `earliest_ms`: since when all is kept, if not for ever; a
    list from before that could not be whole.
    """
    if head.method != "GET":
        raise RequestRefusedError(405, "Exports are asked by GET.", headers=((b"allow", b"GET"),))
    given = parameters_of(head, MAX_URL_BYTES, PARAMETERS)
    format_ = _format(given.get("format"), head)
    unknown = next((name for name in given if name not in PARAMETERS), None)
    if unknown is not None:
        known = ", ".join(PARAMETERS)
        raise BadUserInputError(unknown[:100], f"is no parameter of an export; those are {known}")
    missing = next((name for name in NEEDED if name not in given), None)
    if missing is not None:
        raise BadUserInputError(missing, "must be given")
    return Asked(_question(given, page_rows, earliest_ms), format_)


def _question(given: Mapping[str, str], page_rows: int, earliest_ms: int | None) -> EntriesQuestion:
    start, end = (_scalar(given, name, parse_datetime) for name in ("start", "end"))
    assert start is not None
    assert end is not None
    if earliest_ms is not None and start < (earliest := presenting.utc(earliest_ms)):
        since = serialize_datetime(earliest)
        raise BadUserInputError("start", f"transactions of before {since} are no longer kept")
    return EntriesQuestion(
        account_id=check_account_id(given["account"], "account"),
        choice=BetweenWindow(start, end),
        calendar=Calendar(check_zone(given.get("timeZone", UTC))),
        direction=_choice(given, "direction", Direction),
        counterparty_id=given.get("counterpartyId"),
        kind=_choice(given, "kind", TransactionKind),
        first=page_rows,
        after=given.get("after"),
        order=_choice(given, "sortBy", TransactionSort) or TransactionSort.TIME_DESCENDING,
        min_amount=check_amount(_scalar(given, "minAmount", parse_decimal), "minAmount"),
        max_amount=check_amount(_scalar(given, "maxAmount", parse_decimal), "maxAmount"),
    )


def _scalar(given: Mapping[str, str], name: str, parse: Callable[[object], Value]) -> Value | None:
    if name not in given:
        return None
    try:
        return parse(given[name])
    except ScalarInputError as error:
        blank = " `+` is written `%2B` in a URL." if " " in given[name] else ""
        raise BadUserInputError(name, error.message + blank) from None


def _choice(given: Mapping[str, str], name: str, choices: type[Choice]) -> Choice | None:
    if name not in given:
        return None
    try:
        return choices(given[name])
    except ValueError:
        allowed = ", ".join(each.value for each in choices)
        raise BadUserInputError(name, f"is one of {allowed}") from None


def _format(wanted: str | None, head: Head) -> Format:
    """As the address says, which is what a link can; only where it says nothing, as `Accept` does."""
    if wanted is None:
        accepted = negotiation.choose(head.get(b"accept"), [each.media_type for each in FORMATS])
        for each in FORMATS:
            if accepted == each.media_type:
                return each
        offered = " or ".join(each.media_type for each in FORMATS)
        raise RequestRefusedError(406, f"Exports come as {offered}.")
    for each in FORMATS:
        if wanted == each.name:
            return each
    allowed = ", ".join(each.name for each in FORMATS)
    raise BadUserInputError("format", f"is one of {allowed}")
