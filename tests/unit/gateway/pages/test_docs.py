"""The documentation leaves nothing out, shows each field in an answer that was given, and leads nowhere in vain."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    build_schema,
    is_introspection_type,
)

from gateway.execution.sdl import sdl
from gateway.pages.docs import examples, groups
from gateway.pages.docs.page import page
from gateway.settings import Settings
from graphql_schema.error_codes import ErrorCode
from local_stack import examples as answers
from tests.unit.gateway.served import Gateway

SCHEMA = build_schema(sdl())
OWN = {
    name: each
    for name, each in SCHEMA.type_map.items()
    if name not in groups.BUILT_IN and not is_introspection_type(each)
}


class Places(HTMLParser):
    """All ids of a page, and where its links within it lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: Counter[str] = Counter()
        self.links: set[str] = set()
        self.styled: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.ids.update([found["id"]] if "id" in found else [])
        if found.get("href", "").startswith("#"):
            self.links.add(found["href"][1:])
        self.styled += [name for name in found if name == "style" or name.startswith("on")]


PLACES = Places(page())


def test_each_type_field_value_and_code_has_one_place() -> None:
    wanted = set(OWN) | {code.name for code in ErrorCode}
    for name, each in OWN.items():
        if isinstance(each, GraphQLObjectType | GraphQLInputObjectType):
            wanted |= {f"{name}.{field}" for field in each.fields}
        if isinstance(each, GraphQLEnumType):
            wanted |= {f"{name}.{value}" for value in each.values}
    assert wanted - set(PLACES.ids) == set()
    assert [place for place, times in PLACES.ids.items() if times > 1] == []


def test_every_link_within_the_page_leads_somewhere() -> None:
    assert len(PLACES.links) > 80
    assert PLACES.links - set(PLACES.ids) == set()


def test_every_field_of_an_answer_is_shown_in_an_example_with_its_answer() -> None:
    known = examples.read(SCHEMA)
    shown = examples.by_field([each for each in known if each.folder != "refusals"])
    lacking = [
        f"{name}.{field}"
        for name, each in OWN.items()
        if isinstance(each, GraphQLObjectType)
        for field in each.fields
        if not shown.get(f"{name}.{field}")
    ]
    assert lacking == [], "add it to a document of graphql_schema/operations, then ./dev docs"


def test_everything_that_can_be_said_in_an_argument_is_said_in_an_example() -> None:
    said = frozenset[str]().union(*(each.words for each in examples.read(SCHEMA)))
    objects = [each for each in OWN.values() if isinstance(each, GraphQLObjectType)]
    fields = [field for each in objects for field in each.fields.values()]
    inputs = [each for each in OWN.values() if isinstance(each, GraphQLInputObjectType)]
    wanted = {name for field in fields for name in field.args}
    wanted |= {name for each in inputs for name in each.fields}
    assert len(wanted) > 30
    assert wanted - said == set()


def test_each_document_has_an_answer_and_each_answer_a_document() -> None:
    assert {each.name for each in examples.read(SCHEMA)} == {
        path.stem for path in answers.documents()
    }
    assert answers.left_over() == []


def test_examples_are_answered_and_refusals_refused() -> None:
    for each in examples.read(SCHEMA):
        assert ('"errors"' in each.answer) == (each.folder == "refusals"), each.name
        assert each.about, each.name


def test_the_page_fits_its_policy() -> None:
    assert PLACES.styled == []
    scripts = re.findall(r"<script[^>]*>([^<]*)", page())
    assert scripts == [""]
    assert "<style" not in page()


@pytest.mark.anyio
async def test_it_is_served_with_its_files_and_hidden_where_the_schema_is() -> None:
    open_to_all = Gateway()
    docs = await open_to_all.client.get("/docs")
    assert "script-src 'self'; style-src 'self';" in docs.headers["content-security-policy"]
    for name in ("docs.css", "docs.js"):
        assert (await open_to_all.client.get(f"/docs/{name}")).status_code == 200
    assert (await open_to_all.client.get("/docs/start.html")).status_code == 404
    hidden = Gateway(Settings(introspection=False))
    assert (await hidden.client.get("/docs")).status_code == 404


@pytest.mark.anyio
async def test_examples_lead_to_graphiql_only_where_it_is() -> None:
    with_it = await Gateway().client.get("/docs")
    without = await Gateway(Settings(graphiql=False)).client.get("/docs")
    assert "/graphql#query=query%20TopSenders" in with_it.text
    assert "/graphql#" not in without.text
