"""The schema as one HTML page at `/docs`: every type with its fields, arguments and error codes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from html import escape

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    is_introspection_type,
    print_ast,
)

from gateway.execution.sdl import sdl
from gateway.execution.told_limits import Told
from graphql_schema.error_codes import ErrorCode

_BUILT_IN = frozenset({"Boolean", "Float", "ID", "Int", "String"})
_FIRST = ("Query", "Account", "Network", "WindowInput")


@lru_cache(maxsize=8)
def page(told: Told = ()) -> str:
    """The whole page; `told` are the limits as configured."""
    schema = build_schema(sdl(told))
    types = [each for each in schema.type_map.values() if _is_own(each)]
    types.sort(key=lambda each: (_place(each.name), each.name))
    links = " ".join(f'<a href="#{each.name}">{each.name}</a>' for each in types)
    sections = "\n".join("\n".join(_section(each, schema)) for each in types)
    return _PAGE.format(links=links, sections=sections, codes="\n".join(_codes()))


def _is_own(named: GraphQLNamedType) -> bool:
    return not is_introspection_type(named) and named.name not in _BUILT_IN


def _place(name: str) -> int:
    return _FIRST.index(name) if name in _FIRST else len(_FIRST)


def _section(named: GraphQLNamedType, schema: GraphQLSchema) -> Iterator[str]:
    yield f'<section id="{named.name}"><h2>{_kind(named)} {named.name}</h2>'
    yield f"<p>{_prose(named.description)}</p>"
    if isinstance(named, GraphQLInterfaceType):
        implementations = schema.get_implementations(named).objects
        yield f"<p>Implemented by {', '.join(_link(each.name) for each in implementations)}.</p>"
    if isinstance(named, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
        yield "<dl>"
        for name, field in named.fields.items():
            yield from _field(name, field)
        yield "</dl>"
    if isinstance(named, GraphQLEnumType):
        yield "<dl>"
        for name, value in named.values.items():
            yield f"<dt><code>{name}</code></dt><dd>{_prose(value.description)}</dd>"
        yield "</dl>"
    yield "</section>"


def _field(name: str, field: GraphQLField | GraphQLInputField) -> Iterator[str]:
    yield f"<dt><code>{name}: {_type(str(field.type), get_named_type(field.type).name)}</code></dt>"
    yield f"<dd>{_prose(field.description)}"
    arguments = field.args if isinstance(field, GraphQLField) else {}
    if arguments:
        yield "<ul>"
        for argument, each in arguments.items():
            shown = _type(str(each.type), get_named_type(each.type).name)
            node = each.ast_node
            default = print_ast(node.default_value) if node and node.default_value else None
            preset = f" = {escape(default)}" if default else ""
            yield f"<li><code>{argument}: {shown}{preset}</code> {_prose(each.description)}</li>"
        yield "</ul>"
    yield "</dd>"


def _codes() -> Iterator[str]:
    for code in ErrorCode:
        yield f"<dt><code>{code.name}</code></dt><dd>{escape(code.value)}</dd>"


def _kind(named: GraphQLNamedType) -> str:
    kinds = {
        GraphQLObjectType: "type",
        GraphQLInterfaceType: "interface",
        GraphQLInputObjectType: "input",
        GraphQLEnumType: "enum",
        GraphQLScalarType: "scalar",
    }
    return kinds.get(type(named), "type")


def _type(shown: str, name: str) -> str:
    return escape(shown).replace(name, _link(name), 1)


def _link(name: str) -> str:
    return name if name in _BUILT_IN else f'<a href="#{name}">{name}</a>'


def _prose(text: str | None) -> str:
    parts = escape(text or "").split("`")
    return "".join(
        f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts)
    )


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Payment analytics: the schema</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/graphiql/start.css">
</head>
<body class="note">
<h1>Payment analytics: the schema</h1>
<p>As text: <a href="/schema.graphql">/schema.graphql</a>. To try it: <a href="/graphql">GraphiQL</a>.</p>
<nav>{links} <a href="#errors">error codes</a></nav>
{sections}
<section id="errors"><h2>Error codes</h2>
<p>Every error has <code>extensions.code</code> out of this list, and <code>extensions.requestId</code>.</p>
<dl>
{codes}
</dl>
</section>
</body>
</html>
"""
