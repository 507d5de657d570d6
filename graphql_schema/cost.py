"""The directives that say in the SDL what a field costs.

IBM's GraphQL Cost Directives specification: https://ibm.github.io/graphql-specs/cost-spec.html.
The unit is one object of an answer; `./dev bench cost` measures the others against it.
"""

from __future__ import annotations

import strawberry
from strawberry.schema_directive import Location


@strawberry.schema_directive(
    locations=[
        Location.ARGUMENT_DEFINITION,
        Location.ENUM,
        Location.FIELD_DEFINITION,
        Location.INPUT_FIELD_DEFINITION,
        Location.OBJECT,
        Location.SCALAR,
    ],
    name="cost",
    description="What each appearance adds to an operation's cost; objects add 1, leaves nothing.",
)
class Cost:
    """A weight: a number, as text."""

    weight: str = strawberry.directive_field(name="weight")


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="listSize",
    description="How long a list is at most, for the cost of what is asked of each of its items.",
)
class ListSize:
    """A bound, or the arguments that give it."""

    assumed_size: int | None = strawberry.directive_field(
        name="assumedSize", default=strawberry.UNSET
    )
    slicing_arguments: list[str] | None = strawberry.directive_field(
        name="slicingArguments", default=strawberry.UNSET
    )
    sized_fields: list[str] | None = strawberry.directive_field(
        name="sizedFields", default=strawberry.UNSET
    )
    require_one_slicing_argument: bool | None = strawberry.directive_field(
        name="requireOneSlicingArgument", default=True
    )


# Ratios to TOTALS by `./dev bench cost --repeat 60` on the real Pinot: 2 M entries, 200 accounts, both cores
# busy with other work, the fastest tenth of each question's times (12 ms for totals). TOTALS itself is 40
# objects: 2 ms beside 0.05 ms on a quiet machine.
FREE = Cost(weight="0")
TOTALS = Cost(weight="40")
DISTINCT = Cost(weight="45")
NET_FLOW = Cost(weight="55")
TOP = Cost(weight="80")
TOP_COMPARED = Cost(weight="65")
SERIES = Cost(weight="65")
ENTRIES = Cost(weight="65")
SHARE = Cost(weight="1")
REVERSED_BY = Cost(weight="3")
REVERSALS = Cost(weight="10")
FLOW_SERIES = Cost(weight="100")
TOP_SERIES = Cost(weight="245")
BEHIND = Cost(weight="40")
RANK_OF = Cost(weight="680")
DISTRIBUTION = Cost(weight="50")
SPREAD = Cost(weight="100")
WEEKLY = Cost(weight="100")
SET_TOTALS = Cost(weight="90")
SET_TOP = Cost(weight="240")
SET_TOP_COMPARED = Cost(weight="400")
SET_SERIES = Cost(weight="155")
SET_NET_FLOW = Cost(weight="155")
NETWORK_TOTALS = Cost(weight="550")
NETWORK_TOP = Cost(weight="950")
NETWORK_TOP_COMPARED = Cost(weight="1900")
NETWORK_RANK_OF = Cost(weight="2440")
NETWORK_SERIES = Cost(weight="650")
SYSTEM = Cost(weight="30")
WITH_ONE = Cost(weight="10")
"""One store query each, but for `SHARE` and `REVERSED_BY` (those of all rows come out of one query: three for
each of 20 is one such query) and `REVERSALS` (a column more in the query of the totals beside it; estimated)."""


# `RANK_OF` is the most that one account's rank may take: the first 1,000 and the account alone (100), then the first
# 10,000, which are a ranking again and a point for each 20 rows that the gateway reads: one takes it 2.5 us
# (`./dev bench held`, with the broker's JSON). Of the network, both rankings are the network's.


# What 0.2 adds, by CPU time in the embedded store beside totals there (200,000 transfers, the fastest fifth of 25):
# totals with a counterparty 1.3, net flow with one 1.2 of it without, series with one the same; one transaction by
# its id 1.2 and `totalCount` 0.9 of totals, the reversals of 20 transactions 0.5; a list by amount what one by time
# takes. The same way, to totals: the first 1,000 of a ranking 1.2 (11 of them 0.9), a page behind another 1.0, the
# smallest first 0.9, slots of a month's days 0.8, of five counterparties each 1.2, of both sides and kinds 1.5, of its
# hours 1.1; 8,167 single amounts 2.1, steps of amounts 1.0, one extreme 1.0; of 40 accounts as one, totals 2.3, both
# sides 3.9, a ranking 1.9, slots 1.9. A ranking of a set weighs more than that: on Pinot no cohorts serve it.
# On Pinot none of these is measured yet.


def ranked() -> ListSize:
    """As many rows, now and of those that dropped out, as `first` says."""
    return ListSize(
        slicing_arguments=["first"],
        sized_fields=["rows", "dropped"],
        require_one_slicing_argument=strawberry.UNSET,
    )


def first_of(field: str, *others: str, usual: int | None = None) -> ListSize:
    """As many items in a field as `first` says, or an argument that may stand in its place; `usual`: without any."""
    return ListSize(
        assumed_size=strawberry.UNSET if usual is None else usual,
        slicing_arguments=["first", *others],
        sized_fields=[field],
        require_one_slicing_argument=strawberry.UNSET,
    )


def sliced(argument: str) -> ListSize:
    """As many items as an argument says, in the field itself."""
    return ListSize(slicing_arguments=[argument], require_one_slicing_argument=strawberry.UNSET)


def up_to(most: int, *fields: str) -> ListSize:
    """Up to so many items, in the field itself or in the named ones below it."""
    return ListSize(
        assumed_size=most,
        sized_fields=list(fields) or strawberry.UNSET,
        require_one_slicing_argument=strawberry.UNSET,
    )
