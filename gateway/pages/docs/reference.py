"""Types, fields, arguments and enum values as HTML, each with the examples that show it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    get_named_type,
    print_ast,
)

from gateway.pages.docs.examples import Example
from gateway.pages.docs.groups import BUILT_IN

MOST_EXAMPLES = 3
_KINDS = {
    GraphQLObjectType: "type",
    GraphQLInterfaceType: "interface",
    GraphQLInputObjectType: "input",
    GraphQLEnumType: "enum",
    GraphQLScalarType: "scalar",
}


@dataclass(frozen=True, slots=True)
class Reference:
    """Writes sections; `shown` are the examples of each `Type.field`, `examples` all of them."""

    schema: GraphQLSchema
    shown: Mapping[str, Sequence[Example]]
    examples: Sequence[Example]

    def section(self, named: GraphQLNamedType) -> Iterator[str]:
        """A type with all that it has."""
        kind = _KINDS.get(type(named), "type")
        yield f'<section class="type card" id="{named.name}">'
        yield f'<h3><span class="kind">{kind}</span> {named.name}</h3>'
        yield f"<p>{prose(named.description)}</p>"
        if isinstance(named, GraphQLInterfaceType):
            found = self.schema.get_implementations(named).objects
            yield f"<p>Implemented by {', '.join(link(each.name) for each in found)}.</p>"
        if isinstance(named, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for name, field in named.fields.items():
                yield from self._field(named, name, field)
        if isinstance(named, GraphQLEnumType):
            for name, value in named.values.items():
                yield f'<div class="entry" id="{named.name}.{name}"><h4><code>{name}</code></h4>'
                yield f"<p>{prose(value.description)}</p>{self._saying(name)}</div>"
        yield "</section>"

    def _field(
        self, named: GraphQLNamedType, name: str, field: GraphQLField | GraphQLInputField
    ) -> Iterator[str]:
        place = f"{named.name}.{name}"
        yield f'<div class="entry" id="{place}"><h4><code>{name}: {_type(field)}</code></h4>'
        yield f"<p>{prose(field.description)}</p>"
        if isinstance(field, GraphQLField) and field.args:
            yield '<dl class="arguments">'
            for argument, each in field.args.items():
                yield f"<dt><code>{argument}: {_type(each)}{_preset(each)}</code></dt>"
                yield f"<dd>{prose(each.description)}</dd>"
            yield "</dl>"
        if isinstance(named, GraphQLInputObjectType):
            yield self._saying(name)
        else:
            yield _links(self._of(named, name))
        yield "</div>"

    def _of(self, named: GraphQLNamedType, name: str) -> Sequence[Example]:
        """Of an interface's field, the examples of those that have it."""
        if isinstance(named, GraphQLInterfaceType):
            objects = self.schema.get_implementations(named).objects
            found = [each for one in objects for each in self.shown.get(f"{one.name}.{name}", ())]
            return list(dict.fromkeys(found))
        return self.shown.get(f"{named.name}.{name}", ())

    def _saying(self, word: str) -> str:
        """The examples that say a word: what is only said has no answer of its own."""
        saying = [each for each in self.examples if word in each.words]
        return _links(sorted(saying, key=lambda example: len(example.document)))


def _links(examples: Sequence[Example]) -> str:
    if not examples:
        return ""
    links = ", ".join(
        f'<a href="#example-{each.name}">{escape(each.title.lower())}</a>'
        for each in examples[:MOST_EXAMPLES]
    )
    return f'<p class="shown">Example: {links}</p>'


def _type(said: GraphQLField | GraphQLInputField | GraphQLArgument) -> str:
    name = get_named_type(said.type).name
    return escape(str(said.type)).replace(name, link(name), 1)


def _preset(argument: GraphQLArgument) -> str:
    node = argument.ast_node
    default = print_ast(node.default_value) if node and node.default_value else None
    return f" = {escape(default)}" if default else ""


def link(name: str) -> str:
    """A type's name, leading to where it is described."""
    return name if name in BUILT_IN else f'<a href="#{name}">{name}</a>'


def prose(text: str | None) -> str:
    """A description: what stands between back quotes is code."""
    parts = escape(text or "").split("`")
    return "".join(
        f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts)
    )
