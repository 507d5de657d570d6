"""What the broker answered: rows with their evidence, or an error if it is not the whole answer."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from pinotdb.native import NativeQueryResult

from gateway.errors import DeadlineExceededError, PartialAnswerError, StoreUnavailableError

TIMEOUT_CODES = frozenset({240, 250, 400})
"""Pinot's codes for a query that waited, ran or was reduced too long."""

EVIDENCE = frozenset(
    {
        *("exceptions", "partialResult", "isPartialResult", "earlyTerminationReasons"),
        *("numServersQueried", "numServersResponded", "totalDocs", "numDocsScanned"),
    }
)
"""What of an answer is judged here or by pinotdb, beside its rows and the limits that were reached."""

Cells: TypeAlias = list[Any]


@dataclass(frozen=True, slots=True)
class BrokerAnswer:
    """Rows of a complete answer, and the figures that completeness is judged by.

    `total_docs`: rows in the segments asked, before any filter. `docs_scanned`: rows that matched.
    """

    rows: tuple[Cells, ...]
    total_docs: int
    docs_scanned: int
    servers: int
    groups_cut: bool


def read(native: NativeQueryResult) -> BrokerAnswer:
    """The answer, if every server gave its whole part; raises a `StoreError` otherwise."""
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
        rows=tuple(native.rows),
        total_docs=_count(stats, "totalDocs"),
        docs_scanned=_count(stats, "numDocsScanned"),
        servers=queried,
        groups_cut=groups_cut,
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
    messages = [str(exception.get("message", ""))[:300] for exception in native.exceptions]
    cause = f"broker exceptions {sorted(map(str, codes))}: {messages[0]}"
    if codes <= TIMEOUT_CODES:
        raise DeadlineExceededError(cause)
    raise StoreUnavailableError(cause)


def _count(stats: dict[str, Any], name: str) -> int:
    value = stats.get(name)
    if not isinstance(value, int):
        raise StoreUnavailableError(f"the broker did not give {name}")
    return value
