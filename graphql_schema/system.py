"""The types that tell of the system itself: the pipeline's state and the limits."""

# mypy: disallow-untyped-decorators=False
# strawberry.field is not typed as a decorator with arguments.

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Protocol

import strawberry
from strawberry import ID

from graphql_schema import cost
from graphql_schema.arguments import CalendarArgument
from graphql_schema.asked import resolvers_at
from graphql_schema.enums import AuditMismatchKind, AuditState, AuditTier, DataSource, PipelineState
from graphql_schema.inputs import CalendarInput, WindowInput
from graphql_schema.scalars import UTC, Long, TimeZone

CURRENCY = (
    "The code of the one currency that all amounts are in, such as EUR; null where the deployment names none: amounts "
    "are in the unit of the events then."
)


class Fetching(Protocol):
    """What is fetched for a field of the pipeline."""

    async def reject_flood(self) -> bool:
        """Whether most events of the last minute were rejected."""
        ...

    async def audit(self) -> PipelineAudit:
        """Whether the pipeline's tiers agree."""
        ...

    async def entry_count(self) -> int:
        """All entries."""
        ...

    async def rejected(
        self, window: WindowInput | None, time_zone: TimeZone, calendar: CalendarInput | None
    ) -> list[RejectedCount]:
        """Rejected events by reason."""
        ...


def _fetching(info: strawberry.Info) -> Fetching:
    fetching: Fetching = resolvers_at(info)
    return fetching


@strawberry.type(description="How many events were rejected for one reason.")
class RejectedCount:
    """Rejected events."""

    reason: str = strawberry.field(
        description=(
            "Name of the event rule that was broken: "
            "EMPTY, TOO_LARGE, TIME_OUT_OF_RANGE, NOT_UTF8, NOT_JSON, NOT_AN_OBJECT, "
            "FIELD_MISSPELT, MISSING_FIELD, TRANSACTION_ID_INVALID, ACCOUNT_ID_INVALID, "
            "AMOUNT_NOT_A_STRING, AMOUNT_MALFORMED, AMOUNT_NOT_POSITIVE, TYPE_UNKNOWN, "
            "REVERSES_INVALID, CURRENCY_UNKNOWN, OCCURRED_AT_INVALID, ACCOUNT_ERASED, "
            "ALREADY_REVERSED, REVERSAL_DIFFERS, TOO_MANY_REVERSALS."
        )
    )
    count: Long = strawberry.field(description="Number of events.")


@strawberry.type(description="What differs in one way, at one tier, in one interval of event time.")
class AuditMismatch:
    """A mismatch."""

    start: datetime = strawberry.field(description="Where the interval begins.")
    end: datetime = strawberry.field(description="Where it ends, not included.")
    tier: AuditTier = strawberry.field(description="Which tier is wrong.")
    kind: AuditMismatchKind = strawberry.field(description="In which way.")
    count: Long = strawberry.field(description="How many times.")
    transaction_ids: list[ID] = strawberry.field(
        description="The first 20 ids, where known.", directives=[cost.up_to(20)]
    )


@strawberry.type(
    description="The completeness audit: every event is compared with its two entries, and every "
    "interval of entries with the analytics store, by count, exact sum and content."
)
class PipelineAudit:
    """State of the audit."""

    state: AuditState = strawberry.field(description="Whether everything agrees.")
    consistent_through: datetime | None = strawberry.field(
        description="All intervals that end before it agree; null if nothing was compared."
    )
    compared_through: datetime | None = strawberry.field(
        description="Everything that arrived before it was compared; null if nothing was."
    )
    checked_intervals: Long = strawberry.field(description="Intervals compared at all tiers.")
    inconsistent_intervals: Long = strawberry.field(description="Intervals that differ.")
    conflicting_duplicates: Long = strawberry.field(
        description="Ids that came more than once with different content; the first one counts."
    )
    open_mismatches: list[AuditMismatch] = strawberry.field(
        description="What differs, newest intervals first; at most 50.",
        directives=[cost.up_to(50)],
    )


@strawberry.type(
    description="How far the pipeline has come, and what it has counted. What is for operators is null, with an error "
    "of its own, for everyone else, and where it cannot be told."
)
class Pipeline:
    """State of the pipeline."""

    as_of: datetime = strawberry.field(
        description="Every event that reached the pipeline before this instant, in UTC, is counted or rejected."
    )
    freshness_seconds: float = strawberry.field(
        description="Seconds between `asOf` and now; 0 or more."
    )
    state: PipelineState = strawberry.field(
        description="Whether the freshness is what is promised."
    )
    currency: str | None = strawberry.field(description=CURRENCY)
    data_source: DataSource = strawberry.field(description="Where the numbers come from.")

    @strawberry.field(
        description="Whether at least half of the events in the last minute before `asOf` were rejected, and "
        "it had at least 1,000 events: a producer sends garbage. For operators.",
        directives=[cost.SYSTEM],
    )
    async def reject_flood(self, info: strawberry.Info) -> bool | None:
        """Fetched only if asked for."""
        return await _fetching(info).reject_flood()

    @strawberry.field(
        description="Entries since the beginning; every transfer and every reversal is two: RECEIVED and SENT. "
        "For operators.",
        directives=[cost.SYSTEM],
    )
    async def entries(self, info: strawberry.Info) -> Long | None:
        """Fetched only if asked for."""
        return Long(await _fetching(info).entry_count())

    @strawberry.field(
        description="Events rejected since the beginning. For operators.",
        directives=[cost.SYSTEM],
    )
    async def rejected(self, info: strawberry.Info) -> Long | None:
        """Fetched only if asked for."""
        return Long(sum(each.count for each in await _fetching(info).rejected(None, UTC, None)))

    @strawberry.field(
        description="Whether events, entries and the analytics store agree. For operators.",
        directives=[cost.SYSTEM],
    )
    async def audit(self, info: strawberry.Info) -> PipelineAudit | None:
        """Fetched only if asked for."""
        return await _fetching(info).audit()

    @strawberry.field(
        description="Rejected events by reason, most first. For operators.",
        directives=[cost.SYSTEM, cost.up_to(25)],
    )
    async def rejected_by_reason(
        self,
        info: strawberry.Info,
        window: Annotated[
            WindowInput | None,
            strawberry.argument(
                description="The timeframe; null: since the beginning.", directives=[cost.FREE]
            ),
        ] = strawberry.UNSET,
        time_zone: Annotated[
            TimeZone, strawberry.argument(description="The zone of the calendar.")
        ] = UTC,
        calendar: CalendarArgument = strawberry.UNSET,
    ) -> list[RejectedCount] | None:
        """Fetched only if asked for; null with an error where the window is refused."""
        return await _fetching(info).rejected(window or None, time_zone, calendar or None)


@strawberry.type(description="What one operation may ask for.")
class Limits:
    """Upper bounds."""

    currency: str | None = strawberry.field(description=CURRENCY)
    max_first: int = strawberry.field(description="Largest `first`: 100 by default.")
    max_accounts: int = strawberry.field(description="Most ids in `accounts`: 50 by default.")
    max_points: int = strawberry.field(
        description="Most points of a `timeSeries`: 1,500 by default."
    )
    max_window_days: int = strawberry.field(
        description="Longest window, in days of 24 hours: 3,660 by default."
    )
    final_after_days: int | None = strawberry.field(
        description="How late an event may come at most, by its own time, in days of 24 hours: `Window.final` "
        "is told by it. 45 by default. Null: nothing bounds it, and no window is final."
    )
    max_depth: int = strawberry.field(
        description="Deepest nesting of a document's fields, introspection aside: 12 by default."
    )
    max_fields: int = strawberry.field(
        description="Most fields of a document, each use of a fragment counted: 500 by default."
    )
    max_store_queries: int = strawberry.field(
        description="Most store queries of one operation, else COST_LIMIT_EXCEEDED: 60 by default."
    )
    max_account_id_length: int = strawberry.field(
        description="Longest account id, in characters (Unicode code points): 64."
    )
    max_compared_rank: int = strawberry.field(
        description="Last rank that `previousRank` tells: 1,000."
    )
    max_series: int = strawberry.field(description="Most counterparties of a `topSeries`: 20.")
    max_rank: int = strawberry.field(
        description="Last rank of a ranking's pages and of `rankOf`: 10,000."
    )
    max_body_bytes: int = strawberry.field(
        description="Largest request body, in bytes: 65,536 by default. "
        "A URL may have up to 16,384 after its `?`, so what is longer is asked by POST."
    )
    max_tokens: int = strawberry.field(
        description="Most lexical tokens of a document: 600 by default."
    )
    max_aliases: int = strawberry.field(description="Most aliases of a document: 50 by default.")
    max_root_fields: int = strawberry.field(
        description="Most fields at an operation's root: 20 by default."
    )
    max_directives: int = strawberry.field(
        description="Most directives of a document: 50 by default."
    )
    max_fragments: int = strawberry.field(
        description="Most fragment definitions of a document: 30 by default."
    )
    max_operations: int = strawberry.field(
        description="Most operations of a document: 10 by default."
    )
    max_variables: int = strawberry.field(
        description="Most variables of an operation: 50 by default."
    )
    max_cost: int = strawberry.field(
        description="Most points that an operation may cost: 5,000 by default. "
        "`extensions.cost.requested` tells what one costs, `@cost` and `@listSize` how it comes about."
    )
    max_values: int = strawberry.field(
        description="Most values that an answer may hold, objects among them: 12,000 by default. What "
        "could hold more is COST_LIMIT_EXCEEDED, and nothing of it is asked."
    )
    budget_per_second: int | None = strawberry.field(
        description="Points that flow into the caller's budget each second; null: no budget."
    )
    budget_burst: int | None = strawberry.field(
        description="Points that the caller's budget holds at most; null: no budget."
    )
    deadline_milliseconds: int = strawberry.field(
        description="After so many milliseconds an operation answers DEADLINE_EXCEEDED: 5,000 by default."
    )
