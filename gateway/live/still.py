"""What of an answer stands still while nothing happens: all of it but what moves with the clock.

That moves are `asOf`, `freshnessSeconds`; of a window that ends now (`last`), and of a page of
transactions, which ends at its `asOf`, also its bounds, the outer bounds of its first and last
point, and its cursors, which hold those bounds, as those of every page do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_argument_values,
    get_named_type,
)
from graphql.execution import VariableValues

MARK_BYTES = 12
"""Two answers of one question that differ have the same mark once in 2^96 times."""

SHAPE_BYTES = 1_100
KEY_BYTES = 260
"""Of what is selected of one object, and of each key: names have up to 128 characters."""

_MOVES = frozenset({"asOf", "freshnessSeconds"})
_CURSORS = frozenset({"cursor", "startCursor", "endCursor"})
_BOUNDS = ("start", "end")
_POINTS = ("TimePoint", "FlowPoint")
_RANKED = ("CounterpartyTotal", "CounterpartySeries")

Path: TypeAlias = tuple[str | int, ...]
Rankings: TypeAlias = Mapping[Path, tuple[str, ...]]
"""Where a ranking's rows stand in an answer, and the accounts in their order."""


@dataclass(slots=True)
class Shape:
    """What is selected of one object, by response key.

    `moves`: keys that no difference is told by. `first`, `last`: those that the first and the last
    of a list of such objects has beside. `account`: under which key rows of a ranking tell theirs.
    """

    moves: set[str] = field(default_factory=set)
    first: set[str] = field(default_factory=set)
    last: set[str] = field(default_factory=set)
    account: str | None = None
    below: dict[str, Shape] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes that the shape takes, at most; its keys, which are cut out of the document, beside."""
        keys = len(self.moves) + len(self.first) + len(self.last) + len(self.below)
        return SHAPE_BYTES + KEY_BYTES * keys + sum(each.size for each in self.below.values())

    def mark(self, data: Any, beside: Any = None) -> bytes:
        """A digest of what stands still of an answer, and of what is said `beside` it."""
        still = orjson.dumps([_still(data, self, self.moves), beside])
        return hashlib.blake2b(still, digest_size=MARK_BYTES).digest()

    def rankings(self, data: Any) -> Rankings:
        """The rankings in an answer that tell their accounts."""
        return dict(_rankings(data, self, ()))


def shape_of(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    values: VariableValues,
) -> Shape:
    """The shape of a valid operation's answers; its expanded fields must be bounded."""
    fragments = {
        each.name.value: each
        for each in document.definitions
        if isinstance(each, FragmentDefinitionNode)
    }
    root = schema.get_root_type(operation.operation)
    assert root is not None
    shape = Shape()
    _Reading(schema, fragments, values).add(shape, root, operation.selection_set, moving=False)
    return shape


@dataclass(frozen=True, slots=True)
class _Reading:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    values: VariableValues

    def add(
        self, shape: Shape, parent: GraphQLNamedType, selections: SelectionSetNode, *, moving: bool
    ) -> None:
        """Add what is selected; `moving`: below a window that ends now."""
        for each in selections.selections:
            if isinstance(each, FieldNode):
                self._add_field(shape, parent, each, moving=moving)
                continue
            definition: Any = each
            if isinstance(each, FragmentSpreadNode):
                definition = self.fragments[each.name.value]
            condition = definition.type_condition
            inner = self.schema.type_map[condition.name.value] if condition else parent
            assert isinstance(definition, FragmentDefinitionNode | InlineFragmentNode)
            self.add(shape, inner, definition.selection_set, moving=moving)

    def _add_field(
        self, shape: Shape, parent: GraphQLNamedType, node: FieldNode, *, moving: bool
    ) -> None:
        name, key = node.name.value, (node.alias or node.name).value
        is_cursor = name in _CURSORS and (moving or parent.name == "PageInfo")
        if name in _MOVES or is_cursor:
            shape.moves.add(key)
        if moving and parent.name == "Window" and name in _BOUNDS:
            shape.moves.add(key)
        if moving and parent.name in _POINTS and name in _BOUNDS:
            (shape.first if name == "start" else shape.last).add(key)
        if parent.name in _RANKED and name == "accountId":
            shape.account = key
        found = getattr(parent, "fields", {}).get(name)
        if node.selection_set is None or found is None:
            return
        answers = get_named_type(found.type)
        ends_now = moving or answers.name.endswith("Connection") or self._ends_now(found, node)
        below = shape.below.setdefault(key, Shape())
        self.add(below, answers, node.selection_set, moving=ends_now)

    def _ends_now(self, found: Any, node: FieldNode) -> bool:
        if "window" not in found.args:
            return False
        try:
            given = get_argument_values(found, node, self.values)
        except GraphQLError:
            return False  # the field will say so
        windows = (given.get("window"), given.get("compareWindow", given.get("compare_window")))
        return any(isinstance(each, Mapping) and each.get("last") is not None for each in windows)


def _still(value: Any, shape: Shape, moves: set[str]) -> Any:
    if isinstance(value, dict):
        return {
            key: _still(each, below, below.moves) if (below := shape.below.get(key)) else each
            for key, each in value.items()
            if key not in moves
        }
    if isinstance(value, list):
        ends = {0: shape.first, len(value) - 1: shape.last}
        if len(value) == 1:
            ends = {0: shape.first | shape.last}
        return [_still(each, shape, moves | ends.get(at, set())) for at, each in enumerate(value)]
    return value


def _rankings(value: Any, shape: Shape, path: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    if isinstance(value, list):
        if shape.account is not None:
            yield path, tuple(each[shape.account] for each in value)
            return
        for at, each in enumerate(value):
            yield from _rankings(each, shape, (*path, at))
    elif isinstance(value, dict):
        for key, below in shape.below.items():
            if key in value:
                yield from _rankings(value[key], below, (*path, key))


def changes(before: Rankings, after: Rankings) -> Sequence[Mapping[str, Any]]:
    """Who entered, left or moved in each ranking that differs; places count from 1."""
    found = []
    for path, now in after.items():
        then = before.get(path)
        if then is None or then == now:
            continue
        places = {account: place for place, account in enumerate(then, start=1)}
        there = frozenset(now)
        found.append(
            {
                "path": list(path),
                "entered": [each for each in now if each not in places],
                "left": [each for each in then if each not in there],
                "moved": [
                    {"accountId": each, "from": places[each], "to": place}
                    for place, each in enumerate(now, start=1)
                    if places.get(each, place) != place
                ],
            }
        )
    return found
