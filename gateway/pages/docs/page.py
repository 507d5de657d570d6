"""The whole page, put together once: chapters of a few words, examples with their answers, and the reference."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote

from graphql import build_schema

from gateway.execution.sdl import sdl
from gateway.execution.told_limits import Told
from gateway.pages.docs import examples as documents
from gateway.pages.docs.examples import Example
from gateway.pages.docs.groups import ERRORS, GROUPS, OTHERS, Group, group_of, types_of
from gateway.pages.docs.reference import Reference, prose
from graphql_schema.error_codes import ErrorCode

FOLDER = Path(__file__).parents[1] / "docs_page"


@lru_cache(maxsize=8)
def page(told: Told = (), *, graphiql: bool = True) -> str:
    """The page; `told`: the limits as configured; `graphiql`: whether examples can be opened there."""
    schema = build_schema(sdl(told))
    known = documents.read(schema)
    answered = [each for each in known if each.folder != documents.REFUSALS]
    reference = Reference(schema, documents.by_field(answered), answered)
    types = types_of(schema)
    chapters: list[str] = []
    contents: list[str] = []
    for group in GROUPS:
        own = [each for each in known if group_of(each) is group]
        sections = ["".join(reference.section(each)) for each in types[group]]
        chapters += _chapter(group, own, sections, graphiql)
        names = [f'<li><a href="#{each.name}">{each.name}</a></li>' for each in types[group]]
        contents.append(
            f'<li><a href="#{group.name}">{group.title}</a><ul>{"".join(names)}</ul></li>'
        )
    text = Template((FOLDER / "index.html").read_text("utf-8"))
    return text.substitute(
        contents="\n".join(contents),
        chapters="\n".join(chapters),
        graphiql='<a href="/graphql">GraphiQL</a>' if graphiql else "",
    )


def _chapter(
    group: Group, examples: list[Example], sections: list[str], graphiql: bool
) -> Iterator[str]:
    yield f'<section class="chapter" id="{group.name}"><h2>{group.title}</h2>'
    if group is not OTHERS:
        yield (FOLDER / f"{group.name}.html").read_text("utf-8")
    if group is ERRORS:
        yield from _codes()
    for each in examples:
        yield _example(each, graphiql)
    yield from sections
    yield "</section>"


def _codes() -> Iterator[str]:
    yield '<section class="type card" id="error-codes"><h3><span class="kind">list</span> Error codes</h3>'
    for code in ErrorCode:
        yield f'<div class="entry" id="{code.name}"><h4><code>{code.name}</code></h4><p>{prose(code.value)}</p></div>'
    yield "</section>"


def _example(example: Example, graphiql: bool) -> str:
    address = f"/graphql#query={quote(example.document)}&variables={quote(example.variables)}"
    opening = f'<a href="{escape(address)}">Open in GraphiQL</a>' if graphiql else ""
    told = {"subscriptions": "The first event"}.get(example.folder, f"The answer, {example.status}")
    variables = f"<h4>Variables</h4>{_code(example.variables)}" if example.variables else ""
    return (
        f'<details class="example card" id="example-{example.name}">'
        f"<summary><h3>{escape(example.title)}</h3><p>{prose(example.about)}</p></summary>"
        f'<div class="sides"><div><h4>Document {opening}</h4>{_code(example.document)}{variables}</div>'
        f"<div><h4>{told}</h4>{_code(example.answer)}</div></div></details>"
    )


def _code(text: str) -> str:
    return f'<pre tabindex="0"><code>{escape(text)}</code></pre>'
