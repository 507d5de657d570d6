"""Argument values as a request gives them: literals, variables, and variables' defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DirectiveNode,
    ListValueNode,
    ObjectValueNode,
    ValueNode,
    VariableNode,
    value_from_ast_untyped,
)


@dataclass(frozen=True, slots=True)
class Condition:
    """A `@skip` or `@include`: the field is asked for if the value is `wanted`."""

    value: ValueNode
    wanted: bool


@dataclass(frozen=True, slots=True)
class Values:
    """The variables of one request."""

    given: Mapping[str, Any]
    defaults: Mapping[str, Any]

    def variable(self, name: str) -> Any:
        """A variable's value, else its default, else `None`."""
        return self.given[name] if name in self.given else self.defaults.get(name)

    def of(self, node: ValueNode) -> Any:
        """The value of a literal or variable, lists and objects included."""
        if isinstance(node, VariableNode):
            return self.variable(node.name.value)
        if isinstance(node, ListValueNode):
            return [self.of(each) for each in node.values]
        if isinstance(node, ObjectValueNode):
            return {each.name.value: self.of(each.value) for each in node.fields}
        return value_from_ast_untyped(node)


def conditions_of(directives: tuple[DirectiveNode, ...] | None) -> tuple[Condition, ...]:
    """What a selection's directives ask for."""
    return tuple(
        Condition(argument.value, each.name.value == "include")
        for each in directives or ()
        if each.name.value in ("skip", "include")
        for argument in each.arguments or ()
        if argument.name.value == "if"
    )


def holds(conditions: tuple[Condition, ...], values: Values) -> bool:
    """Whether a selection is asked for; a value that is no boolean counts as if it were."""
    return all(values.of(each.value) is not (not each.wanted) for each in conditions)


def variables_in(node: ValueNode) -> frozenset[str]:
    """The names of the variables in a value."""
    if isinstance(node, VariableNode):
        return frozenset({node.name.value})
    if isinstance(node, ListValueNode):
        return frozenset().union(*(variables_in(each) for each in node.values))
    if isinstance(node, ObjectValueNode):
        return frozenset().union(*(variables_in(each.value) for each in node.fields))
    return frozenset()
