"""The arguments that several fields have, each described once."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import strawberry
from strawberry import ID

from graphql_schema import cost
from graphql_schema.enums import (
    Comparison,
    Direction,
    Fill,
    Granularity,
    InternalTransfers,
    RankBy,
    SortOrder,
)
from graphql_schema.inputs import CalendarInput, WindowInput
from graphql_schema.scalars import TimeZone

Value = TypeVar("Value")


def given(value: Value | None) -> Value | None:
    """An argument that may be absent; empty text and zero are not."""
    return None if value is strawberry.UNSET else value


IdArgument = Annotated[
    ID,
    strawberry.argument(description="1 to 64 characters, no control characters; case counts."),
]
WindowArgument = Annotated[
    WindowInput,
    strawberry.argument(
        description="The timeframe, said in exactly one way.", directives=[cost.FREE]
    ),
]
DirectionArgument = Annotated[
    Direction, strawberry.argument(description="The side of the transfers that counts.")
]
ZoneArgument = Annotated[
    TimeZone,
    strawberry.argument(
        description="The zone whose calendar cuts days, weeks, months and years, and whose offset answers have."
    ),
]


CalendarArgument = Annotated[
    CalendarInput | None,
    strawberry.argument(
        description="How weeks and years are cut; null: weeks from Monday, years from January.",
        directives=[cost.FREE],
    ),
]


def _compared(weight: cost.Cost) -> Any:
    """An argument that takes as much of the store again."""
    return strawberry.argument(
        description="An earlier window to compare with; without it and `compareWindow`, `comparison` is null.",
        directives=[weight],
    )


def _compared_window(weight: cost.Cost) -> Any:
    """The same, for a window of the caller's own."""
    return strawberry.argument(
        description="Any window to compare with, read as `window` is; instead of `compareTo`.",
        directives=[weight],
    )


CompareArgument = Annotated[Comparison | None, _compared(cost.TOTALS)]
CompareTopArgument = Annotated[Comparison | None, _compared(cost.TOP_COMPARED)]
CompareSeriesArgument = Annotated[Comparison | None, _compared(cost.SERIES)]
CompareSeriesWindowArgument = Annotated[WindowInput | None, _compared_window(cost.SERIES)]
CompareSetSeriesArgument = Annotated[Comparison | None, _compared(cost.SET_SERIES)]
CompareSetSeriesWindowArgument = Annotated[WindowInput | None, _compared_window(cost.SET_SERIES)]
CompareNetworkSeriesArgument = Annotated[Comparison | None, _compared(cost.NETWORK_SERIES)]
CompareNetworkSeriesWindowArgument = Annotated[
    WindowInput | None, _compared_window(cost.NETWORK_SERIES)
]
CompareFlowArgument = Annotated[Comparison | None, _compared(cost.NET_FLOW)]
CompareFlowWindowArgument = Annotated[WindowInput | None, _compared_window(cost.NET_FLOW)]
CompareSetFlowArgument = Annotated[Comparison | None, _compared(cost.SET_NET_FLOW)]
CompareSetFlowWindowArgument = Annotated[WindowInput | None, _compared_window(cost.SET_NET_FLOW)]
CompareSetArgument = Annotated[Comparison | None, _compared(cost.SET_TOTALS)]
CompareSetTopArgument = Annotated[Comparison | None, _compared(cost.SET_TOP_COMPARED)]
CompareSetWindowArgument = Annotated[WindowInput | None, _compared_window(cost.SET_TOTALS)]
CompareSetTopWindowArgument = Annotated[WindowInput | None, _compared_window(cost.SET_TOP_COMPARED)]
CompareNetworkArgument = Annotated[Comparison | None, _compared(cost.NETWORK_TOTALS)]
CompareNetworkTopArgument = Annotated[Comparison | None, _compared(cost.NETWORK_TOP_COMPARED)]
CompareWindowArgument = Annotated[WindowInput | None, _compared_window(cost.TOTALS)]
CompareTopWindowArgument = Annotated[WindowInput | None, _compared_window(cost.TOP_COMPARED)]
CompareNetworkWindowArgument = Annotated[WindowInput | None, _compared_window(cost.NETWORK_TOTALS)]
CompareNetworkTopWindowArgument = Annotated[
    WindowInput | None, _compared_window(cost.NETWORK_TOP_COMPARED)
]
FirstArgument = Annotated[
    int, strawberry.argument(description="How many at most: 1 to `limits.maxFirst` (100).")
]
SetIdsArgument = Annotated[
    list[ID] | None,
    strawberry.argument(
        description="1 to `limits.maxAccounts` ids, each counted once; or `group` instead."
    ),
]
GroupArgument = Annotated[
    str | None,
    strawberry.argument(
        description="The name of a group of accounts that the caller's credential was issued for, of up to "
        "`limits.maxAccounts`; or `ids` instead."
    ),
]
InternalArgument = Annotated[
    InternalTransfers,
    strawberry.argument(description="What becomes of transfers between two of these accounts."),
]
RankArgument = Annotated[RankBy, strawberry.argument(description="The measure to rank by.")]
OrderArgument = Annotated[
    SortOrder,
    strawberry.argument(
        description="Largest or smallest first, in both measures; equal ones by account id ascending, either way."
    ),
]
RankAfterArgument = Annotated[
    str | None,
    strawberry.argument(
        description="The `endCursor` of the page before; every argument but `first` as it was then. Pages end at "
        "rank `limits.maxRank`.",
        directives=[cost.BEHIND],
    ),
]
GranularityArgument = Annotated[
    Granularity,
    strawberry.argument(
        description="Size of the buckets, of which there may be up to `limits.maxPoints` (1,500)."
    ),
]
FillArgument = Annotated[Fill, strawberry.argument(description="What to do with empty buckets.")]
WITH_ONE = (
    "Only with this account on the other side: 1 to 64 characters, or a masked id as the caller itself was shown it; "
    "null: with any. Who is shown masked ids may name others by these only."
)
CounterpartyArgument = Annotated[
    ID | None, strawberry.argument(description=WITH_ONE, directives=[cost.WITH_ONE])
]
ListCounterpartyArgument = Annotated[ID | None, strawberry.argument(description=WITH_ONE)]
AfterArgument = Annotated[
    str | None,
    strawberry.argument(
        description="The `endCursor` of the page before; every argument but `first` as it was then."
    ),
]
