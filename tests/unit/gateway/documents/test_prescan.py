"""The first look at a document: what is counted, what is refused, and that no text takes long."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from graphql import Lexer, Source, TokenKind, parse

from gateway.documents import guards, prescan
from gateway.documents.caps import Caps
from gateway.errors import DocumentRefusedError
from tests.hostile_documents import GOOD

CAPS = Caps()


def tokens_of(text: str) -> int:
    lexer, count = Lexer(Source(text)), 0
    while lexer.advance().kind is not TokenKind.EOF:
        count += 1
    return count


@pytest.mark.parametrize(
    "text",
    [
        *GOOD,
        '{ a(b: """ { " \\""" } """, c: "{ \\" }", d: "") } # { comment',
        "\ufeff{a,b,,c}\r\n#x\r{",
        "{ a(n: -1.5e+3, m: 0) ...F @x }",
        "",
        "# only a comment",
    ],
)
def test_tokens_are_counted_as_the_lexer_counts_them(text: str) -> None:
    assert prescan.scan(text, CAPS) == tokens_of(text)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{" + "a " * 599 + "}", "600 tokens"),
        ("{a" * 41, "40 levels of brackets"),
        ("[" * 41, "40 levels of brackets"),
        ("{ a " + "@x " * 51 + "}", "50 directives"),
        ("{ " + "a" * 129 + " }", "128 characters in a name"),
    ],
)
def test_a_text_over_a_cap_is_refused_by_the_caps_name(text: str, what: str) -> None:
    with pytest.raises(DocumentRefusedError, match=f"more than {what}; .* is the limit"):
        prescan.scan(text, CAPS)


@pytest.mark.parametrize(
    "text",
    [
        "{" + "a " * 598 + "}",
        "{a" * 40 + "}" * 40 + "{a}" * 30,
        "{ a " + "@x " * 50 + "}",
        "{ " + "a" * 128 + " }",
        '{ a(b: "' + "[{(@" * 500 + '") }',
    ],
)
def test_a_text_at_its_caps_is_not_refused(text: str) -> None:
    assert prescan.scan(text, CAPS) == tokens_of(text)


@pytest.mark.parametrize(
    "piece",
    [
        '"',
        '"""',
        '\\"""',
        '"\\',
        '""" \\"""',
        "#\n",
        "#",
        "\ufeff,",
        "\\",
        '"a',
        "'",
        "é",
        "\n",
        '""',
        "..",
        "-",
    ],
)
def test_no_text_takes_more_than_linear_time(piece: str) -> None:
    def seconds(text: str) -> float:
        took = []
        for _ in range(3):
            before = time.process_time()
            with suppress(DocumentRefusedError):
                prescan.scan(text, Caps(max_tokens=10**9, max_directives=10**9))
            took.append(time.process_time() - before)
        return min(took)

    # Quadratic, these would take seconds.
    for start in ("", "{ a(b: ", '"""'):
        assert seconds(start + piece * (100_000 // len(piece))) < 0.5


def check(query: str, **caps: int) -> None:
    guards.check(parse(query), Caps(**caps))


def test_fields_are_counted_with_fragments_expanded() -> None:
    query = "{ a { ...F ...F } } fragment F on X { b ...G } fragment G on X { c d }"
    check(query, max_fields=7)
    with pytest.raises(DocumentRefusedError, match="more than 6 fields; 6 is the limit"):
        check(query, max_fields=6)


def test_a_bomb_of_fragments_is_measured_without_being_set_off() -> None:
    parts = [f"fragment F{n} on X {{ ...F{n + 1} ...F{n + 1} }}" for n in range(29)]
    query = "{ ...F0 } " + " ".join(parts) + " fragment F29 on X { a }"
    with pytest.raises(DocumentRefusedError, match="more than 500 fields"):
        check(query)


def test_depth_is_measured_through_fragments() -> None:
    query = "{ a { ... { b { ...F } } } } fragment F on X { c { d } }"
    check(query, max_depth=4)
    with pytest.raises(DocumentRefusedError, match="more than 3 levels of fields"):
        check(query, max_depth=3)


def test_introspection_has_a_depth_of_its_own() -> None:
    query = "{ __schema { a { ...F } } } fragment F on X { b { c } }"
    check(query, max_depth=2)
    with pytest.raises(DocumentRefusedError, match="more than 2 levels of introspection"):
        check(query, max_depth=1)
    with pytest.raises(DocumentRefusedError, match="more than 3 fields"):
        check(query, max_fields=3)


@pytest.mark.parametrize(
    ("query", "cap", "what"),
    [
        ("{ a: x b: x ...F ...F } fragment F on X { c: x }", "max_aliases", "3 aliases"),
        ("{ a b ...F } fragment F on X { c d { e } }", "max_root_fields", "3 root fields"),
        ("{ ... { a b c d } }", "max_root_fields", "3 root fields"),
        (
            "query A { a } query B { a } query C { a } query D { a }",
            "max_operations",
            "3 operations",
        ),
        ("query ($a: I $b: I $c: I $d: I) { a }", "max_variables", "3 variables"),
        ("{ a } " + "fragment F on X { a } " * 4, "max_fragments", "3 fragments"),
    ],
)
def test_each_cap_refuses_one_more(query: str, cap: str, what: str) -> None:
    check(query, **{cap: 4})
    with pytest.raises(DocumentRefusedError, match=f"more than {what}; 3 is the limit"):
        check(query, **{cap: 3})


def test_rings_of_fragments_end() -> None:
    check("{ ...A } fragment A on X { a ...B } fragment B on X { b ...A ...Unknown }")


def test_brackets_that_are_closed_count_no_longer_and_each_closes_one() -> None:
    with pytest.raises(DocumentRefusedError, match="levels of brackets"):
        prescan.scan("{a" * 40 + "}" * 2 + "{a" * 3, CAPS)
    assert prescan.scan("{a" * 40 + "}" * 3 + "{a" * 3, CAPS) == 89
