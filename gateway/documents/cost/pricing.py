"""What an operation costs, and how much its answer may hold: walked as it will be executed.

Field cost plus type cost of the specification (section 5.3.2), as an upper bound. Arguments and
conditions are what the execution makes of them, by its own function and out of the same values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_argument_values,
    get_variable_values,
    is_abstract_type,
    parse,
)
from graphql.execution import VariableValues

from gateway.documents.cost.weights import FieldWeight, Weights

Estimate = Callable[[Mapping[str, Any]], int]
"""The length of a field's list by its coerced arguments."""
Below = Callable[[Mapping[str, Any]], Mapping[str, int]]
"""The lengths of lists anywhere below a field, by their names, by its coerced arguments."""

INTROSPECTION = {
    "__schema": FieldWeight(500.0, 0.0, (), False, {}, None),
    "__type": FieldWeight(50.0, 0.0, (), False, {}, None),
}
"""The schema's own description is priced as a whole, whatever is selected of it."""

_Fields: TypeAlias = dict[str, list[FieldNode]]
"""What is selected of one object, by response key; each with all its occurrences."""


QUERY_WEIGHT = 30
"""A field that weighs as much or more asks the store, which takes but few points of the gateway's own work."""
OF_A_QUERY = 5.0


class Price(NamedTuple):
    """Whole points, the most values that the answer can hold, objects among them, and the gateway's own part of the points."""

    points: int
    values: int
    own: int = 0


class _Part(NamedTuple):
    points: float
    values: int
    own: float = 0.0


@dataclass(frozen=True, slots=True)
class Pricing:
    """Prices operations of valid documents, whose expanded fields are bounded.

    `estimates`: by coordinate, how long a list is where directives cannot say it; `below`: how long those
    are that stand deeper than one step below; `made`: points of what a field makes, be it selected or not.
    """

    schema: GraphQLSchema
    weights: Weights
    estimates: Mapping[tuple[str, str], Estimate]
    below: Mapping[tuple[str, str], Below] = field(default_factory=dict)
    made: Mapping[tuple[str, str], Estimate] = field(default_factory=dict)

    def price(
        self, document: DocumentNode, operation: OperationDefinitionNode, values: VariableValues
    ) -> Price:
        """An operation's price under its coerced variables, in whole points; the request is one."""
        fragments = {
            each.name.value: each
            for each in document.definitions
            if isinstance(each, FragmentDefinitionNode)
        }
        root = self.schema.get_root_type(operation.operation)
        assert root is not None
        walk = _Walk(self, fragments, values)
        found = walk.of_object(root.name, [operation.selection_set], {}, {})
        return Price(1 + math.ceil(found.points), found.values, 1 + math.ceil(found.own))

    def price_of(self, text: str, variables: Mapping[str, Any]) -> Price:
        """The price of a document of our own, known to be valid with these variables."""
        document = parse(text)
        (operation,) = (
            each for each in document.definitions if isinstance(each, OperationDefinitionNode)
        )
        definitions = operation.variable_definitions or ()
        values = get_variable_values(self.schema, definitions, dict(variables))
        assert isinstance(values, VariableValues)
        return self.price(document, operation, values)


def _of_gateway(name: str, weight: float) -> float:
    """What a field itself takes of the gateway; the schema's description is made by it alone."""
    is_query = weight >= QUERY_WEIGHT and name not in INTROSPECTION
    return OF_A_QUERY if is_query else max(0.0, weight)


@dataclass(frozen=True, slots=True)
class _Walk:
    pricing: Pricing
    fragments: Mapping[str, FragmentDefinitionNode]
    values: VariableValues

    def of_object(
        self,
        type_name: str,
        selections: Iterable[SelectionSetNode],
        lengths: Mapping[str, int | None],
        deep: Mapping[str, int],
    ) -> _Part:
        """What is selected of an object; `lengths` are of its lists that are known from above, `deep` of all below."""
        found: _Fields = {}
        seen: set[str] = set()
        for each in selections:
            self._collect(each, type_name, found, seen)
        points, held, own = 0.0, 0, 0.0
        for nodes in found.values():
            name = nodes[0].name.value
            more = self._of_field(type_name, nodes, lengths.get(name, deep.get(name)), deep)
            points, held, own = points + more.points, held + more.values, own + more.own
        return _Part(points, held, own)

    def _collect(
        self, selections: SelectionSetNode, type_name: str, found: _Fields, seen: set[str]
    ) -> None:
        for each in selections.selections:
            if each.directives and not all(map(self._holds, each.directives)):
                continue
            if isinstance(each, FieldNode):
                found.setdefault((each.alias or each.name).value, []).append(each)
            elif isinstance(each, InlineFragmentNode):
                if each.type_condition is None or self._fits(
                    each.type_condition.name.value, type_name
                ):
                    self._collect(each.selection_set, type_name, found, seen)
            elif isinstance(each, FragmentSpreadNode) and each.name.value not in seen:
                seen.add(each.name.value)
                fragment = self.fragments[each.name.value]
                if self._fits(fragment.type_condition.name.value, type_name):
                    self._collect(fragment.selection_set, type_name, found, seen)

    def _fits(self, condition: str, type_name: str) -> bool:
        types = self.pricing.schema.type_map
        wider, own = types[condition], types[type_name]
        return wider is own or (
            is_abstract_type(wider) and self.pricing.schema.is_sub_type(wider, own)
        )

    def _holds(self, directive: DirectiveNode) -> bool:
        """Whether `@skip` or `@include` lets its selection be; under null, nothing is executed."""
        if directive.name.value not in ("skip", "include"):
            return True
        (argument,) = directive.arguments or ()
        given: Any = None
        if isinstance(argument.value, BooleanValueNode):
            given = argument.value.value
        elif isinstance(argument.value, VariableNode):
            given = self.values.coerced.get(argument.value.name.value)
        return given is (directive.name.value == "include")

    def _of_field(
        self,
        parent: str,
        nodes: Sequence[FieldNode],
        length: int | None,
        deep: Mapping[str, int],
    ) -> _Part:
        name = nodes[0].name.value
        weight = self.pricing.weights.get((parent, name)) or INTROSPECTION.get(name)
        if weight is None:
            return _Part(0.0, 1)
        own, size, made = weight.weight, None, 0
        if weight.depends:
            arguments = self._arguments(parent, nodes[0])
            if arguments is None:
                return _Part(max(0.0, own), 1, _of_gateway(name, own))
            own += sum(
                each for key, each in weight.arguments.items() if arguments.get(key) is not None
            )
            size = self._size(parent, name, arguments, weight)
            below = self.pricing.below.get((parent, name))
            deep = deep if below is None else {**deep, **below(arguments)}
            making = self.pricing.made.get((parent, name))
            made = 0 if making is None else making(arguments)
        items = 1
        if weight.is_list:
            items = next((each for each in (length, size) if each is not None), 1)
        each = self._each(weight, nodes, size, deep)
        return _Part(
            max(0.0, own) + items * (weight.type_weight + max(each.points, made)),
            items * (1 + each.values),
            _of_gateway(name, own) + items * (weight.type_weight + max(each.own, made)),
        )

    def _each(
        self,
        weight: FieldWeight,
        nodes: Sequence[FieldNode],
        size: int | None,
        deep: Mapping[str, int],
    ) -> _Part:
        """The dearest that an item can be, whatever its type is."""
        if not weight.answers:
            return _Part(0.0, 0)
        lengths = dict.fromkeys(weight.size.fields, size) if weight.size is not None else {}
        selections = [each.selection_set for each in nodes if each.selection_set is not None]
        found = [self.of_object(each, selections, lengths, deep) for each in weight.answers]
        return _Part(*map(max, zip(*found, strict=True)))

    def _arguments(self, parent: str, node: FieldNode) -> Mapping[str, Any] | None:
        """As the resolver gets them; `None` where they do not fit, and the field only fails."""
        type_: Any = self.pricing.schema.type_map[parent]
        try:
            return get_argument_values(type_.fields[node.name.value], node, self.values)
        except GraphQLError:
            return None

    def _size(
        self, parent: str, name: str, arguments: Mapping[str, Any], weight: FieldWeight
    ) -> int | None:
        """The longest that the field's list can be, or a list of the field's objects."""
        if weight.size is None:
            return None
        estimate = self.pricing.estimates.get((parent, name))
        if estimate is not None:
            return estimate(arguments)
        given = [arguments.get(each) for each in weight.size.arguments]
        slices = [each for each in given if each is not None]
        return max(0, *slices) if slices else weight.size.assumed
