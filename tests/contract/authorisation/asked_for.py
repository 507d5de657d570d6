"""Documents made from the schema, so that a field that is added is asked for here too."""

from __future__ import annotations

import hashlib

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    is_required_argument,
)

from gateway.execution.sdl import sdl
from tests.contract.authorisation.world import UUID

SCHEMA = build_schema(sdl())
ARGUMENTS = {
    "WindowInput": "{last: {count: 30, unit: DAY}}",
    "Granularity": "DAY",
    "ID": '"bobby"',
    "Float": "50",
}


def object_type(name: str) -> GraphQLObjectType:
    found = SCHEMA.type_map[name]
    assert isinstance(found, GraphQLObjectType)
    return found


def asked(name: str, each: GraphQLField) -> str:
    """The field with the arguments it needs and everything below it."""
    if name in ("transaction", "reversedBy"):
        return one_transaction(name)
    given = [
        f"{argument}: {ARGUMENTS[get_named_type(of.type).name]}"
        for argument, of in each.args.items()
        if is_required_argument(of)
    ]
    below = get_named_type(each.type)
    arguments = f"({', '.join(given)})" if given else ""
    fields = everything(below) if isinstance(below, GraphQLObjectType) else ""
    return f"{name}{arguments}{fields}"


def one_transaction(name: str) -> str:
    """A field that answers transactions; those that reversed one are not asked who reversed them."""
    of = object_type("Transaction").fields
    below = [asked(key, each) for key, each in of.items() if key != name]
    arguments = f'(id: "{UUID.format(0)}")' if name == "transaction" else ""
    return f"{name}{arguments} {{ {' '.join(below)} }}"


def everything(of: GraphQLObjectType | GraphQLInterfaceType) -> str:
    """A selection of all fields of a type, however deep."""
    return " { " + " ".join(asked(name, each) for name, each in of.fields.items()) + " }"


ACCOUNT_SET = everything(object_type("AccountSet"))
ACCOUNT = everything(object_type("Account"))
BY_VARIABLE = f"query ByVariable($id: ID!) {{ account(id: $id){ACCOUNT} }}"
HASH = hashlib.sha256(BY_VARIABLE.encode()).hexdigest()
APQ = {"persistedQuery": {"version": 1, "sha256Hash": HASH}}
