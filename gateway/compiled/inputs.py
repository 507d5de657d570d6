"""What a request gives: variables coerced to their types, arguments as a resolver takes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass
from typing import Any

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLError,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
    get_argument_values,
    get_variable_values,
    is_input_object_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
)
from graphql.execution.get_variable_signature import get_variable_signature
from graphql.execution.values import VariableValues
from graphql.utilities.coerce_input_value import (
    coerce_default_value,
    coerce_input_literal,
)

from gateway.compiled.coercion import Coerce, coercer
from gateway.compiled.unsupported import UnsupportedError
from gateway.cost.values import variables_in

DEFINITION = "strawberry-definition"
"""Under this key a GraphQL type, field or argument carries what Strawberry made it of."""

MAX_COERCION_ERRORS = 50
"""As graphql-core's `execute` has it."""

_UNFIT = object()

Convert = Callable[[Any], Any]
"""From a coerced value to what Strawberry gives to a resolver."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of an operation; `default` is `Undefined` where there is none."""

    name: str
    coerce: Coerce
    required: bool
    default: Any


@dataclass(frozen=True, slots=True)
class Variables:
    """The variables of an operation."""

    schema: GraphQLSchema
    nodes: tuple[VariableDefinitionNode, ...]
    variables: tuple[Variable, ...]
    hide_suggestions: bool

    def coerce(self, given: Mapping[str, Any]) -> dict[str, Any] | list[GraphQLError]:
        """The coerced values by name, or why some do not fit, in graphql-core's words."""
        coerced: dict[str, Any] = {}
        for each in self.variables:
            value = given.get(each.name, Undefined)
            if value is Undefined and not each.required:
                if each.default is not Undefined:
                    coerced[each.name] = each.default
                continue
            value = Undefined if value is Undefined else each.coerce(value)
            if value is Undefined:
                return self._judged(given)
            coerced[each.name] = value
        return coerced

    def whole(self, given: Mapping[str, Any]) -> VariableValues:
        """The values with their sources, as graphql-core's functions want them."""
        found = self._values(given)
        assert isinstance(found, VariableValues)  # they have been coerced before
        return found

    def _judged(self, given: Mapping[str, Any]) -> dict[str, Any] | list[GraphQLError]:
        found = self._values(given)
        return found.coerced if isinstance(found, VariableValues) else found

    def _values(self, given: Mapping[str, Any]) -> VariableValues | list[GraphQLError]:
        return get_variable_values(
            self.schema, self.nodes, dict(given), MAX_COERCION_ERRORS, self.hide_suggestions
        )


def variables_of(
    schema: GraphQLSchema, operation: OperationDefinitionNode, hide_suggestions: bool
) -> Variables:
    """The variables that an operation declares; raises `UnsupportedError`."""
    nodes = tuple(operation.variable_definitions or ())
    found = tuple(_variable(schema, each) for each in nodes)
    return Variables(schema, nodes, found, hide_suggestions)


def _variable(schema: GraphQLSchema, node: VariableDefinitionNode) -> Variable:
    signature = get_variable_signature(schema, node)
    if isinstance(signature, GraphQLError):
        raise UnsupportedError(signature.message)
    try:
        coerce = coercer(signature.type)
        default = coerce_default_value(signature)
    except TypeError as error:
        raise UnsupportedError(str(error)) from None
    required = is_non_null_type(signature.type) and default is Undefined
    return Variable(signature.name, coerce, required, default)


@dataclass(frozen=True, slots=True)
class Given:
    """An argument whose value the request decides."""

    name: str
    node: ValueNode
    type: GraphQLInputType
    variable: str | None
    refuses_null: bool
    default: Any
    convert: Convert | None

    def value(self, values: Mapping[str, Any]) -> Any:
        """The coerced value; `Undefined` where none is given, `_UNFIT` where it may not be this one."""
        if self.variable is None:
            value = coerce_input_literal(self.node, self.type, VariableValues({}, dict(values)))
            return _UNFIT if value is Undefined else value
        value = values.get(self.variable, self.default)
        return _UNFIT if self.refuses_null and (value is None or value is Undefined) else value


@dataclass(frozen=True, slots=True)
class Arguments:
    """A field's arguments; `fixed` are the same for every request."""

    field: GraphQLField
    node: FieldNode
    fixed: Mapping[str, Any]
    given: tuple[Given, ...]
    hide_suggestions: bool

    def of(self, values: Mapping[str, Any], whole: Callable[[], VariableValues]) -> dict[str, Any]:
        """The arguments for a resolver; raises graphql-core's error where a value does not fit."""
        found = dict(self.fixed)
        for each in self.given:
            value = each.value(values)
            if value is _UNFIT:
                # Raises, and says which argument it is and where it stands.
                get_argument_values(self.field, self.node, whole(), None, self.hide_suggestions)
                raise TypeError(f"The value of the argument {each.name} does not fit.")
            if value is not Undefined:
                convert = each.convert
                found[each.name] = value if convert is None else convert(value)
        return found


def arguments_of(field: GraphQLField, node: FieldNode, hide_suggestions: bool) -> Arguments:
    """The arguments of a field as a document gives them; raises `UnsupportedError`."""
    nodes = {each.name.value: each.value for each in node.arguments or ()}
    fixed: dict[str, Any] = {}
    given: list[Given] = []
    for name, argument in field.args.items():
        value = nodes.get(name)
        python_name = argument.extensions[DEFINITION].python_name
        if value is not None and variables_in(value):
            given.append(_given(python_name, argument, value))
            continue
        coerced = (
            _default(argument) if value is None else coerce_input_literal(value, argument.type)
        )
        if coerced is Undefined:
            if value is not None or is_required_argument(argument):
                raise UnsupportedError(f"the value of the argument {name}")
            continue
        convert = converter(argument.type)
        fixed[python_name] = coerced if convert is None else convert(coerced)
    return Arguments(field, node, fixed, tuple(given), hide_suggestions)


def _given(python_name: str, argument: GraphQLArgument, value: ValueNode) -> Given:
    return Given(
        name=python_name,
        node=value,
        type=argument.type,
        variable=value.name.value if isinstance(value, VariableNode) else None,
        refuses_null=is_non_null_type(argument.type),
        default=_default(argument),
        convert=converter(argument.type),
    )


def _default(argument: GraphQLArgument) -> Any:
    try:
        return coerce_default_value(argument)
    except TypeError as error:
        raise UnsupportedError(str(error)) from None


def converter(type_: GraphQLInputType) -> Convert | None:
    """What Strawberry makes of a coerced value of a type; `None` if it leaves it as it is."""
    if is_non_null_type(type_):
        return converter(type_.of_type)
    if is_leaf_type(type_):
        return None
    if is_list_type(type_):
        convert_item = converter(type_.of_type)
        if convert_item is None:
            return lambda values: None if values is None else list(values)
        return lambda values: None if values is None else [convert_item(each) for each in values]
    assert is_input_object_type(type_)
    return _object_converter(type_)


def _object_converter(type_: GraphQLInputObjectType) -> Convert:
    definition = type_.extensions[DEFINITION]
    if definition.from_input is not None:
        raise UnsupportedError(f"the input {type_.name}, which makes itself")
    make = definition.origin
    members: Sequence[tuple[str, str, Convert | None]] = tuple(
        (name, each.extensions[DEFINITION].python_name, converter(each.type))
        for name, each in type_.fields.items()
    )
    absent = {
        each.python_name: None
        for each in definition.fields
        if each.default_value is MISSING and each.default_factory is MISSING
    }

    def convert(value: Mapping[str, Any] | None) -> Any:
        if value is None:
            return None
        found: dict[str, Any] = dict(absent)
        for name, python_name, convert_member in members:
            if name in value:
                member = value[name]
                found[python_name] = member if convert_member is None else convert_member(member)
        return make(**found)

    return convert
