"""What the broker answered: rows with their evidence, or an error if it is not the whole answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from pinotdb.native import NativeQueryResult

from gateway.errors import DeadlineExceededError, PartialAnswerError, StoreUnavailableError

ACCESS_DENIED = 180
"""With it Pinot refuses a statement, and with HTTP 200."""
TIMEOUT_CODES = frozenset({240, 250, 400})
"""Pinot's codes for a query that waited, ran or was reduced too long."""

MAX_KINDS = 5
MAX_MESSAGE = 10_000
"""Characters of a message that are gone through, and kinds that are told."""

_KIND = re.compile(
    r"^([A-Z][A-Za-z]{1,60}(?:Error|Exception))(?=:)"
    r"|\b(?:java|org\.apache)(?:\.[a-z]\w{0,30}){1,8}\.([A-Z]\w{1,60}(?:Error|Exception))\b"
)

Cells: TypeAlias = list[Any]


@dataclass(frozen=True, slots=True)
class BrokerAnswer:
    """Rows of a complete answer, and the figures that completeness is judged by.

    `total_docs`: rows in the segments asked, before any filter, and `consuming`: how many of these segments
    are being filled. `docs_scanned`: rows that matched.
    """

    rows: tuple[Cells, ...]
    total_docs: int
    docs_scanned: int
    servers: int
    groups_cut: bool
    consuming: int = 0


def read(native: NativeQueryResult, rows: object) -> BrokerAnswer:
    """The answer with its rows, if every server gave its whole part; raises a `StoreError` otherwise."""
    _refuse_exceptions(native)
    metadata, stats = native.metadata, native.query_stats
    queried, responded = metadata.servers_queried, metadata.servers_responded
    if queried is None or responded is None:
        raise StoreUnavailableError("the broker did not say how many servers answered")
    if responded < queried:
        raise PartialAnswerError(f"{responded} of {queried} servers answered")
    if metadata.partial_result:
        raise PartialAnswerError("the broker calls the result partial")
    flags = dict(metadata.execution_limit_flags)
    groups_cut = flags.pop("numGroupsLimitReached", False)
    if any(flags.values()) or metadata.early_termination_reasons:
        raise PartialAnswerError(f"a limit of execution was reached: {sorted(flags)}")
    return BrokerAnswer(
        rows=_as_wide(rows, len(native.columns)),
        total_docs=_count(stats, "totalDocs"),
        docs_scanned=_count(stats, "numDocsScanned"),
        servers=queried,
        groups_cut=groups_cut,
        consuming=_count(stats, "numConsumingSegmentsQueried"),
    )


def whole(cell: object) -> int:
    """A cell that holds an integer, also where Pinot computed it as a double."""
    if type(cell) is int:
        return cell
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    raise StoreUnavailableError(f"a whole number was expected, not {type(cell).__name__}")


def decimal(cell: object) -> Decimal:
    """A cell that holds an exact decimal as text."""
    if isinstance(cell, str) or type(cell) is int:  # True is an int, but no amount
        try:
            number = Decimal(cell)
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite():
            return number
    raise StoreUnavailableError("an exact decimal was expected")


def text(cell: object) -> str:
    """A cell that holds a string."""
    if isinstance(cell, str):
        return cell
    raise StoreUnavailableError(f"text was expected, not {type(cell).__name__}")


def _refuse_exceptions(native: NativeQueryResult) -> None:
    if not native.exceptions:
        return
    codes = {exception.get("errorCode") for exception in native.exceptions}
    if ACCESS_DENIED in codes:
        raise StoreUnavailableError(
            "the broker refuses our credentials (GATEWAY_PINOT_USERNAME, GATEWAY_PINOT_PASSWORD_FILE)"
        )
    cause = f"broker exceptions {_named(codes)}{_kinds(native.exceptions)}"
    if codes <= TIMEOUT_CODES:
        raise DeadlineExceededError(cause)
    raise StoreUnavailableError(cause)


def _named(codes: Iterable[object]) -> list[str]:
    return sorted(str(code) if isinstance(code, int) else "unknown" for code in codes)


def _kinds(exceptions: Sequence[Mapping[str, Any]]) -> str:
    """The kinds of Java's exceptions in their messages, whose other words quote the statement, ids and all."""
    found = (
        at_start or named
        for each in exceptions
        for at_start, named in _KIND.findall(str(each.get("message", ""))[:MAX_MESSAGE])
    )
    kinds = list(dict.fromkeys(found))[:MAX_KINDS]
    return f": {', '.join(kinds)}" if kinds else ""


def _as_wide(rows: object, columns: int) -> tuple[Cells, ...]:
    """Rows that have a cell for each column; each cell is judged where it is read."""
    if not isinstance(rows, list | tuple) or not all(
        isinstance(row, list) and len(row) == columns for row in rows
    ):
        raise StoreUnavailableError("the broker's rows are not as wide as its columns")
    return tuple(rows)


def _count(stats: dict[str, Any], name: str) -> int:
    value = stats.get(name)
    if not isinstance(value, int):
        raise StoreUnavailableError(f"the broker did not give {name}")
    return value
