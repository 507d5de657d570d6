"""Valid operations out of the schema: aliases, merged fields, fragments, conditions and variables.

Arguments and variables come out of pools that hold what is in order and what a rule refuses later.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_object_type,
)
from hypothesis import strategies as st

NOW = "2025-11-22T08:26:40Z"
BETWEEN = {"start": "2025-11-01T00:00:00+07:00", "end": "2025-12-01T00:00:00+07:00"}
DECLARED = {
    "window": "WindowInput!",
    "maybeWindow": "WindowInput = {calendar: TODAY}",
    "anyWindow": "WindowInput",
    "first": "Int! = 10",
    "looseFirst": "Int = 5",
    "count": "Int!",
    "unit": "TimeUnit!",
    "week": "WeekStart! = MONDAY",
    "start": "DateTime!",
    "side": "Direction",
    "looseSide": "Direction = SENT",
    "zone": 'TimeZone! = "UTC"',
    "id": "ID!",
    "maybeId": "ID",
    "ids": "[ID!]!",
    "compare": "Comparison",
    "after": "String",
    "on": "Boolean!",
    "off": "Boolean! = false",
    "loose": "Boolean = true",
}
ABSENT = object()
GIVEN: dict[str, Sequence[Any]] = {
    "window": [
        {"last": {"count": 3, "unit": "DAY"}},
        {"calendar": "THIS_MONTH"},
        {"between": BETWEEN},
        {"last": {"count": 0, "unit": "DAY"}},
        {"last": {"count": 1, "unit": "DAY", "x": 1}},
        {"last": {"count": 1, "unit": "DAY"}, "calendar": "TODAY"},
        *({}, None, ABSENT, {"calendar": "NEVER"}, {"calendar": None}, "TODAY"),
    ],
    "maybeWindow": [ABSENT, {"calendar": "YESTERDAY"}, None],
    "anyWindow": [ABSENT, None, {"calendar": "TODAY"}, {"between": {"start": NOW, "end": NOW}}],
    "first": [ABSENT, 1, 3, 0, 1_000, None, "3", 2**31, 1.0, True],
    "looseFirst": [ABSENT, 2, None],
    "count": [1, 40, 0, -1, 10**9, None],
    "unit": ["DAY", "MONTH", "day"],
    "week": [ABSENT, "SATURDAY", "FRIDAY"],
    "start": ["2025-11-20T00:00:00Z", "2025-11-21T00:00:00+07:00", "2025-11-22", 5],
    "side": [ABSENT, None, "RECEIVED", "LEFT"],
    "looseSide": [ABSENT, None, "RECEIVED"],
    "zone": [ABSENT, "Asia/Ho_Chi_Minh", "Nowhere", 7],
    "id": ["alice", "bob", "", 7, "x" * 65, None],
    "maybeId": [ABSENT, None, "bob", "\x00"],
    "ids": [["alice", "bob"], "alice", [], ["alice", None], None, ["alice", "alice", 5]],
    "compare": [ABSENT, None, "PREVIOUS_YEAR_TO_DATE", "PREVIOUS_PERIOD"],
    "after": [ABSENT, None, "x"],
    "on": [True, False, None],
    "off": [ABSENT, True],
    "loose": [ABSENT, False, None],
}
ARGUMENTS: dict[str, Sequence[str | None]] = {
    "WindowInput!": [
        *("{calendar: THIS_MONTH}", "{last: {count: 2, unit: DAY}}", "$window", "$maybeWindow"),
        *("{lastFull: {count: 3, unit: DAY}}", "{lastWithRunning: {count: $count, unit: WEEK}}"),
        *("{last: {count: $count, unit: $unit}}", "{last: {count: 0, unit: DAY}}"),
        f'{{between: {{start: $start, end: "{NOW}"}}}}',
    ],
    "WindowInput": [None, "null", "$anyWindow", "{calendar: TODAY}", "$window"],
    "CalendarInput": [
        *(None, "null", "{}", "{weekStart: SUNDAY}", "{yearStartMonth: 4}", "{yearStartMonth: 13}"),
        "{weekStart: $week, yearStartMonth: $count}",
    ],
    "Direction!": [None, "SENT", "$looseSide"],
    "Direction": [None, "null", "RECEIVED", "$side"],
    "TransactionKind": [None, "null", "REVERSAL"],
    "RankBy!": [None, "TRANSACTION_COUNT"],
    "HistogramScale!": [None, "LOGARITHMIC"],
    "[Float!]!": ["[50, 99.9]", "0", "[]", "[101]"],
    "InternalTransfers!": [None, "INCLUDED"],
    "[ID!]": ['["alice", "bob"]', "null", '["bob", "alice"]', None],
    "SortOrder!": [None, "ASCENDING"],
    "TimeZone!": [None, None, '"Europe/Berlin"', '"Nowhere"', "$zone"],
    "Comparison": [None, "null", "PREVIOUS_PERIOD_TO_DATE", "$compare"],
    "Granularity!": ["DAY", "DAY", "MONTH", "MINUTE"],
    "Fill!": [None, "NONE"],
    "Int!": [None, "2", "3", "1000", "$first", "$looseFirst"],
    "ID!": ['"alice"', '"bob"', '""', "$id", "5"],
    "ID": [None, "null", '"bob"', "$maybeId"],
    "[ID!]!": ['["alice", "bob"]', '"bob"', "$ids", '[$id, "bob"]', '["a", ""]'],
    "TransactionSort!": [None, "TIME_ASCENDING", "AMOUNT_DESCENDING"],
    "Decimal": [None, None, "null", '"1.5"', '"-3"', '"0.000000001"'],
    "Int": [None, None, None, "2", "null"],
    "String": [None, None, "null", '"x"', "$after"],
}
CONDITIONS = [
    *("", "", "", "", "", "", "@include(if: $on)", "@skip(if: $off)", "@include(if: $loose)"),
    *("@include(if: false)", "@skip(if: true)", "@skip(if: $on) @include(if: $loose)"),
]
ANSWER = "Answer"


@dataclass(frozen=True, slots=True)
class Generated:
    """A document, and variables for it that may or may not fit."""

    document: str
    variables: dict[str, Any]


@dataclass
class _Growing:
    """A document that grows: what was drawn so far."""

    draw: Any
    schema: GraphQLSchema
    fragments: dict[str, str] = field(default_factory=dict)

    def of(self, pool: Sequence[Any]) -> Any:
        return self.draw(st.sampled_from(pool))

    def selection(self, of_type: GraphQLObjectType, depth: int) -> str:
        """A selection of a type's fields, in braces."""
        leaves = [name for name, each in of_type.fields.items() if not _below(each)]
        names = [*leaves, *[name for name, each in of_type.fields.items() if _below(each)] * 2]
        if depth == 0:
            names = leaves
        parts = [
            self.part(of_type, name, depth)
            for name in self.draw(st.lists(st.sampled_from(names or [""]), min_size=1, max_size=4))
        ]
        return f"{{ {' '.join(parts)} }}"

    def part(self, of_type: GraphQLObjectType, name: str, depth: int) -> str:
        """A field, alone or inside a fragment."""
        if not name or self.draw(st.integers(0, 11)) == 0:
            return f"{self.of(['', 'kind: '])}__typename {self.of(CONDITIONS)}"
        shape = self.draw(st.integers(0, 9))
        fits = [of_type.name, *(each.name for each in of_type.interfaces)]
        inherited = name in ("window", "asOf", "exact") and ANSWER in fits
        condition = self.of(fits) if inherited else of_type.name
        inner = self.one(of_type, name, depth)
        if shape == 0:
            return f"... on {condition} {self.of(CONDITIONS)} {{ {inner} }}"
        if shape == 1:
            return f"... {self.of(CONDITIONS)} {{ {inner} }}"
        if shape == 2:
            known = f"F{len(self.fragments)}"
            self.fragments[known] = f"fragment {known} on {condition} {{ {inner} __typename }}"
            return f"...{known} {self.of(CONDITIONS)} ...{known}"
        return inner

    def one(self, of_type: GraphQLObjectType, name: str, depth: int) -> str:
        """A field, its alias told by its arguments, so that what is called alike is alike."""
        definition = of_type.fields[name]
        given = {key: self.of(ARGUMENTS[str(each.type)]) for key, each in definition.args.items()}
        arguments = ", ".join(f"{key}: {text}" for key, text in given.items() if text is not None)
        alias = (
            f"a{zlib.crc32(f'{name}({arguments})'.encode())}" if arguments else self.of(["", name])
        )
        text = f"{alias}: {name}" if alias else name
        if arguments:
            text += f"({arguments})"
        text += f" {self.of(CONDITIONS)}"
        below = _below(definition)
        return f"{text} {self.selection(below, depth - 1)}" if below is not None else text


def _below(definition: GraphQLField) -> GraphQLObjectType | None:
    named = get_named_type(definition.type)
    return named if is_object_type(named) else None


def operations(schema: GraphQLSchema) -> st.SearchStrategy[Generated]:
    """Operations of a schema that are nearly always valid."""

    @st.composite
    def grown(draw: Any) -> Generated:
        growing = _Growing(draw, schema)
        assert schema.query_type is not None
        body = growing.selection(schema.query_type, depth=4)
        text = " ".join([body, *growing.fragments.values()])
        used = [name for name in DECLARED if _uses(text, name)]
        declared = ", ".join(f"${name}: {DECLARED[name]}" for name in used)
        head = f"query Q({declared})" if used else "query Q"
        # The first two values of a pool are in order; half of the operations have no others.
        fine = draw(st.booleans())
        given = {name: growing.of(GIVEN[name][: 2 if fine else None]) for name in used}
        return Generated(
            f"{head} {text}", {name: each for name, each in given.items() if each is not ABSENT}
        )

    return grown()


def _uses(text: str, name: str) -> bool:
    return any(f"${name}{end}" in text for end in (",", ")", "]", "}"))
