"""An operation as a tree of what adds to its cost: built once a document, summed up a request.

Field cost plus type cost of the specification (section 5.3.2), as an upper bound: fields that
merge into one are counted once, what `@skip` and `@include` leave out is not counted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.cost.values import Condition, Values, holds
from gateway.cost.weights import FieldWeight

Estimate = Callable[[Mapping[str, Any]], int | None]
"""The length of a field's list by its arguments; `None` if they do not tell."""


@dataclass(frozen=True, slots=True)
class PricedField:
    """One field of the response.

    `conditions`: alternatives, of which one must hold for the field to be asked for.
    """

    name: str
    weight: FieldWeight
    arguments: Mapping[str, Any]
    conditions: tuple[tuple[Condition, ...], ...]
    below: tuple[PricedField, ...]
    estimate: Estimate | None


@dataclass(frozen=True, slots=True)
class Priced:
    """An operation's cost as a function of its variables; `variables` are those that matter."""

    fields: tuple[PricedField, ...]
    variables: frozenset[str]
    defaults: Mapping[str, Any]

    def cost(self, variables: Mapping[str, Any]) -> int:
        """The cost in whole points, at least 1: the request itself counts as one object.

        Whatever the variables are, there is a cost; what does not fit its type is refused later.
        """
        values = Values(variables, self.defaults)
        total = sum(_cost(each, values, None) for each in self.fields)
        return 1 + math.ceil(total)


def _cost(priced: PricedField, values: Values, given_size: int | None) -> float:
    if not any(holds(each, values) for each in priced.conditions):
        return 0.0
    weight = priced.weight
    arguments = {name: values.of(node) for name, node in priced.arguments.items()}
    own = weight.weight + sum(
        weight.arguments.get(name, 0.0) for name, value in arguments.items() if value is not None
    )
    size = _size(priced, {**weight.defaults, **arguments})
    own_size = given_size if given_size is not None else size
    items = own_size if weight.is_list and own_size is not None else 1
    sized = weight.size.fields if weight.size is not None else ()
    below = sum(_cost(each, values, size if each.name in sized else None) for each in priced.below)
    return max(0.0, own) + items * (weight.type_weight + below)


def _size(priced: PricedField, arguments: Mapping[str, Any]) -> int | None:
    """The longest that the field's list can be, or the list of a field below it."""
    size = priced.weight.size
    if size is None:
        return None
    if priced.estimate is not None:
        estimated = priced.estimate(arguments)
        if estimated is not None:
            return estimated if size.assumed is None else min(estimated, size.assumed)
    slices = [arguments[name] for name in size.arguments if isinstance(arguments.get(name), int)]
    return max(0, *slices) if slices else size.assumed
