"""Schemathesis sends operations made from the schema: no server error, no schema violation.

Its generator knows types, but neither `@oneOf` nor limits such as "1 to 100". So it runs twice: as
it is, without the check that every well-typed value is accepted; and with arguments brought within
their limits, with every check.
"""

from __future__ import annotations

import uuid
import zlib
from dataclasses import replace
from typing import Any

import graphql
import schemathesis
from graphql import ArgumentNode, FieldNode, NameNode, Visitor, parse_value, print_ast, visit
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS

from gateway.app import create_app
from gateway.settings import Settings
from gateway.store.duckdb.store import DuckdbStore
from tests import graphql_scalars
from tests.patience import PATIENCE_MS

NOW_MS = 1_763_800_000_000
WINDOWS = [
    "{last: {count: 1, unit: DAY}}",
    "{calendar: TODAY}",
    "{lastFull: {count: 1, unit: DAY}}",
    '{between: {start: "2025-11-21T12:00:00Z", end: "2025-11-22T12:00:00+07:00"}}',
]
WITHIN_LIMITS = {
    "id": ['"acct-000001"', '"nobody"', "\"''\""],
    "accountId": ['"acct-000002"', '"nobody"'],
    "of": ["50", "[0, 99.9, 100]"],
    "buckets": ["1", "10", "100"],
    "ids": ['["acct-000001", "acct-000002"]', "[]"],
    "first": ["1", "10", "100"],
    "last": ["1", "100", "null"],
    "after": ["null"],
    "before": ["null"],
    "minAmount": ['"-0.01"', "null"],
    "maxAmount": ['"100"', "null"],
    "calendar": ["{weekStart: SATURDAY, yearStartMonth: 4}", "null"],
    "counterpartyId": ['"acct-000002"', "null"],
    "window": WINDOWS,
    "compareWindow": [*WINDOWS, "null"],
}
# Of two that exclude each other the second is left out.
EITHER_OR = (("compareWindow", "compareTo"), ("last", "first"))

# An operation may be within the limits of each argument and cost or hold too much as a whole, which the generator
# cannot know; what is refused for that is tested elsewhere.
APP = create_app(
    Settings(
        deadline_ms=PATIENCE_MS,
        log_level="error",
        allowed_hosts="testserver",
        max_cost=1_000_000_000,
        max_values=1_000_000_000,
    ),
    DuckdbStore(sample_transfers=500, epoch_ms=lambda: NOW_MS),
    epoch_ms=lambda: NOW_MS,
)
SCHEMA = schemathesis.graphql.from_asgi("/graphql", APP)
WELL_TYPED = schemathesis.graphql.from_asgi("/graphql", APP)
WELL_TYPED.config.generation.update(modes=[schemathesis.GenerationMode.POSITIVE])
assert graphql_scalars.ZONES  # importing it has taught Schemathesis the scalars
# Hypothesis's warnings of slow or large examples: what is too slow here is told by pytest's timeout.
FEW = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


class Limited(Visitor):
    """Puts values within their limits where the generator does not know them."""

    def enter_argument(self, node: ArgumentNode, *_: Any) -> ArgumentNode | None:
        """Choose by the generated value, so that examples differ."""
        choices = WITHIN_LIMITS.get(node.name.value)
        if choices is None:
            return None
        value = parse_value(choices[zlib.crc32(print_ast(node.value).encode()) % len(choices)])
        return ArgumentNode(name=node.name, value=value)

    def leave_field(self, node: FieldNode, *_: Any) -> FieldNode | None:
        """Leave out what another argument excludes."""
        given = {
            each.name.value for each in node.arguments or () if print_ast(each.value) != "null"
        }
        excluded = {one for other, one in EITHER_OR if other in given}
        left = tuple(each for each in node.arguments or () if each.name.value not in excluded)
        if node.name.value == "transaction":
            id_ = parse_value(f'"{uuid.UUID(int=1)}"')
            left = tuple(replace(e, value=id_) if e.name.value == "id" else e for e in left)
        if node.name.value == "topSeries":
            few = parse_value("5")
            left = tuple(replace(e, value=few) if e.name.value == "first" else e for e in left)
        if node.name.value == "accountSet":
            some = parse_value('["acct-000001", "acct-000002"]')
            ids = ArgumentNode(name=NameNode(value="ids"), value=some)
            left = (ids, *(e for e in left if e.name.value not in ("ids", "group")))
        return None if left == tuple(node.arguments or ()) else replace(node, arguments=left)


@SCHEMA.parametrize()
@FEW
def test_no_operation_breaks_the_api(case: schemathesis.Case[Any]) -> None:
    assert isinstance(case.body, str)
    # Once more: words that it found in our code are put in behind its hooks.
    case.body = print_ast(visit(graphql.parse(case.body), graphql_scalars.Ungrouped()))
    # Not every id, count or cursor of the right type is within its limits.
    excluded: list[Any] = [*CHECKS.get_by_names(["positive_data_acceptance"])]
    case.call_and_validate(excluded_checks=excluded)


@WELL_TYPED.parametrize()
@FEW
def test_every_operation_within_limits_is_answered(case: schemathesis.Case[Any]) -> None:
    assert isinstance(case.body, str)
    case.body = print_ast(visit(graphql.parse(case.body), Limited()))
    case.call_and_validate()
