"""From a valid document to its priced operations: fields resolved to weights, fragments expanded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    value_from_ast_untyped,
)

from gateway.cost.priced import Estimate, Priced, PricedField
from gateway.cost.values import Condition, conditions_of, variables_in
from gateway.cost.weights import FieldWeight, Weights

INTROSPECTION = {
    "__schema": FieldWeight(500.0, 0.0, None, False, {}, {}, None),
    "__type": FieldWeight(50.0, 0.0, None, False, {}, {}, None),
}
"""The schema's own description is priced as a whole, whatever is selected of it."""


@dataclass(frozen=True, slots=True)
class _Occurrence:
    """One place where a field is asked for, under all the conditions around it."""

    node: FieldNode
    parent: str
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Pricing:
    """Prices documents by a schema's weights; `root` names the type of queries.

    `estimates`: by coordinate, how long a list is where directives cannot say it.
    The document must be valid, and the number of its expanded fields bounded.
    """

    weights: Weights
    estimates: Mapping[tuple[str, str], Estimate]
    root: str = "Query"

    def price(self, document: DocumentNode, operation: OperationDefinitionNode) -> Priced:
        """An operation's cost, as a function of its variables."""
        fragments = {
            each.name.value: each
            for each in document.definitions
            if isinstance(each, FragmentDefinitionNode)
        }
        found = list(_occurrences(operation.selection_set, self.root, (), fragments))
        fields = self._fields(found, fragments)
        return Priced(
            fields,
            frozenset().union(*(self._variables(each) for each in fields)),
            {
                each.variable.name.value: value_from_ast_untyped(each.default_value)
                for each in operation.variable_definitions or ()
                if each.default_value is not None
            },
        )

    def _fields(
        self,
        occurrences: list[_Occurrence],
        fragments: Mapping[str, FragmentDefinitionNode],
    ) -> tuple[PricedField, ...]:
        groups: dict[tuple[str, str], list[_Occurrence]] = {}
        for each in occurrences:
            name = each.node.alias or each.node.name
            groups.setdefault((each.parent, name.value), []).append(each)
        priced = (self._field(parent, group, fragments) for (parent, _), group in groups.items())
        return tuple(each for each in priced if each is not None)

    def _field(
        self,
        parent: str,
        group: list[_Occurrence],
        fragments: Mapping[str, FragmentDefinitionNode],
    ) -> PricedField | None:
        node = group[0].node
        name = node.name.value
        weight = self.weights.get((parent, name)) or INTROSPECTION.get(name)
        if weight is None:
            return None
        below: list[_Occurrence] = []
        if weight.answers is not None:
            for each in group:
                selections = each.node.selection_set
                if selections is not None:
                    below += _occurrences(selections, weight.answers, each.conditions, fragments)
        return PricedField(
            name=name,
            weight=weight,
            arguments={each.name.value: each.value for each in node.arguments or ()},
            conditions=tuple(each.conditions for each in group),
            below=self._fields(below, fragments),
            estimate=self.estimates.get((parent, name)),
        )

    def _variables(self, priced: PricedField) -> frozenset[str]:
        """The variables that the cost depends on."""
        sizing = priced.weight.size is not None
        matter = [
            variables_in(value)
            for name, value in priced.arguments.items()
            if sizing or priced.weight.arguments.get(name)
        ]
        matter += [variables_in(c.value) for each in priced.conditions for c in each]
        matter += [self._variables(each) for each in priced.below]
        return frozenset().union(*matter)


def _occurrences(
    selections: SelectionSetNode,
    parent: str,
    conditions: tuple[Condition, ...],
    fragments: Mapping[str, FragmentDefinitionNode],
) -> Iterator[_Occurrence]:
    for each in selections.selections:
        under = conditions + conditions_of(each.directives)
        if isinstance(each, FieldNode):
            yield _Occurrence(each, parent, under)
        elif isinstance(each, InlineFragmentNode):
            yield from _occurrences(each.selection_set, parent, under, fragments)
        elif isinstance(each, FragmentSpreadNode):
            fragment = fragments[each.name.value]
            yield from _occurrences(fragment.selection_set, parent, under, fragments)
