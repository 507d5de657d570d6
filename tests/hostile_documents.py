"""Hostile documents by seed: classes that attack one thing each, grown from a grammar, and damaged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

GOOD = (
    '{ account(id: "acct-000001") { totals(window: {calendar: TODAY}) { transactionCount } } }',
    (
        'query Q($id: ID! = "a", $n: Int = 3) { account(id: $id) { topCounterparties(window: '
        "{last: {count: 1, unit: DAY}}, first: $n) { rows { rank accountId } others { "
        "transactionCount } } } }"
    ),
    "query A { limits { maxFirst } } query B { ...F } fragment F on Query { pipeline { asOf } }",
    '{ accounts(ids: ["a", "b"]) { id netFlow(window: {calendar: THIS_WEEK}) { netAmount } } }',
)
NAMES = (
    *("account", "accounts", "network", "pipeline", "limits", "totals", "topCounterparties"),
    *("rows", "edges", "node", "asOf", "window", "maxFirst", "__typename", "__schema", "x", "y"),
)
PIECES = (*NAMES, *'{}()[]:!$@&|=,"#\\', "...", '"""', "on", "query", "fragment", "1e9", "-0", "é")

Make = Callable[[Random], str]


def aliases(random: Random) -> str:
    """The same field under many names: each is resolved."""
    many = random.randint(20, 2_000)
    field = random.choice(["limits { maxFirst }", "__typename", "pipeline { entries }"])
    return "{ " + " ".join(f"a{n}: {field}" for n in range(many)) + " }"


def duplicates(random: Random) -> str:
    """The same field again and again: each pair is compared."""
    many = random.randint(50, 5_000)
    inner = random.choice(["maxFirst", "maxFirst maxDepth", "x"])
    return random.choice(["{ limits { %s } }", "{ %s }"]) % (f"limits {{ {inner} }} " * many)


def repeated_leaves(random: Random) -> str:
    """One object with a leaf asked for thousands of times."""
    return "{ limits { " + "maxFirst " * random.randint(100, 5_000) + "} }"


def directives(random: Random) -> str:
    """Many directives at one place."""
    name = random.choice(["@include(if: true)", "@skip(if: false)", "@x", "@deprecated"])
    return "{ limits " + name * random.randint(20, 3_000) + " { maxFirst } }"


def unknown_names(random: Random) -> str:
    """Names that are nearly right: each is searched for suggestions."""
    names = " ".join(f"maxFirs{n}" for n in range(random.randint(20, 2_000)))
    return "{ limits { " + names + " } }"


def deep(random: Random) -> str:
    """Fields, lists or objects inside each other."""
    levels = random.randint(5, 4_000)
    opened, closed = random.choice([("{ account ", "}"), ("[", "]"), ("{a:", "}")])
    if opened.startswith("{ "):
        return opened * levels + "{ id }" + closed * levels
    return "{ accounts(ids: " + opened * levels + "1" + closed * levels + ") { id } }"


def fragment_bomb(random: Random) -> str:
    """Fragments that double what they spread: a short document of a million fields."""
    levels = random.randint(3, 60)
    parts = [f"fragment F{n} on Account {{ a: id ...F{n + 1} ...F{n + 1} }}" for n in range(levels)]
    return (
        '{ account(id: "a") { ...F0 } } '
        + " ".join(parts)
        + f" fragment F{levels} on Account {{ id }}"
    )


def fragment_cycle(random: Random) -> str:
    """Fragments that spread each other in a ring."""
    ring = random.randint(1, 60)
    parts = [f"fragment F{n} on Query {{ ...F{(n + 1) % ring} }}" for n in range(ring)]
    return "{ ...F0 } " + " ".join(parts)


def unused_fragments(random: Random) -> str:
    """Many fragments and operations: each pair may have to be looked at."""
    many = random.randint(5, 300)
    operations = " ".join(f"query Q{n} {{ limits {{ maxFirst }} ...F{n} }}" for n in range(many))
    return operations + " ".join(f" fragment F{n} on Query {{ ...F{n + 1} }}" for n in range(many))


def variables(random: Random) -> str:
    """Many variables, used or not."""
    many = random.randint(20, 1_000)
    defined = " ".join(
        f"$v{n}: {random.choice(['Int', 'ID!', 'Nope', '[[Int]]'])}" for n in range(many)
    )
    return f"query ({defined}) {{ limits {{ maxFirst }} }}"


def arguments(random: Random) -> str:
    """Many arguments, long lists, long strings."""
    many = random.randint(10, 2_000)
    shape = random.randrange(3)
    if shape == 0:
        return "{ account(" + " ".join(f"a{n}: {n}" for n in range(many)) + ") { id } }"
    if shape == 1:
        return "{ accounts(ids: [" + '"a" ' * many + "]) { id } }"
    return '{ account(id: "' + "\\u0041" * many + '") { id } }'


def introspection(random: Random) -> str:
    """Descriptions of descriptions."""
    levels = random.randint(1, 12)
    inner = "name"
    for _ in range(levels):
        inner = (
            random.choice(
                ["fields { type { %s } }", "ofType { %s }", "types { %s }", "name x: ofType { %s }"]
            )
            % inner
        )
    return (
        random.choice(["{ __schema { types { %s } } }", '{ __type(name: "Query") { %s } }']) % inner
    )


def strings(random: Random) -> str:
    """Quotes, escapes and block strings that do not end."""
    piece = random.choice(
        ['"', '"""', '\\"""', '"\\', '""" \\"""', "#\n", "\ufeff", ",", "\x00", "\\u{110000}"]
    )
    return random.choice(["", "{ a(b: "]) + piece * random.randint(10, 5_000)


def expensive(random: Random) -> str:
    """A valid document that asks for as much as it can."""
    field = random.choice(
        [
            "t%d: topCounterparties(window: {last: {count: 9, unit: YEAR}}, first: 100) { rows { rank accountId shareOfAmount } }",
            "t%d: timeSeries(window: {last: {count: 1, unit: DAY}}, granularity: MINUTE) { points { start end transactionCount } }",
            "t%d: totals(window: {last: {count: 1, unit: HOUR}}) { counterpartyCount }",
        ]
    )
    parts = " ".join(field % n for n in range(random.randint(1, 30)))
    ids = ", ".join(f'"a{n}"' for n in range(random.randint(1, 50)))
    return f"{{ accounts(ids: [{ids}]) {{ {parts} }} }}"


def grown(random: Random) -> str:
    """A document out of the grammar, with names that may or may not fit."""

    def selections(levels: int) -> str:
        fields = []
        for _ in range(random.randint(1, 4)):
            name = random.choice(NAMES)
            alias = f"{random.choice(NAMES)}: " if random.random() < 0.2 else ""
            directive = " @include(if: $b)" if random.random() < 0.1 else ""
            argument = random.choice(
                ["", "", '(id: "a")', "(first: 3)", "(window: {calendar: TODAY})"]
            )
            below = selections(levels - 1) if levels and random.random() < 0.6 else ""
            fields.append(alias + name + argument + directive + below)
        if random.random() < 0.1:
            fields.append(
                random.choice(["...F", "... on Query { limits { maxFirst } }", "... { x }"])
            )
        return " { " + " ".join(fields) + " }"

    head = random.choice(["", "query Q", "query ($b: Boolean!)", "mutation", "subscription S"])
    tail = random.choice(["", " fragment F on Account { id }", " query R { limits { maxFirst } }"])
    return head + selections(random.randint(1, 6)) + tail


def soup(random: Random) -> str:
    """Tokens in any order."""
    return " ".join(random.choices(PIECES, k=random.randint(1, 800)))


def damaged(random: Random) -> str:
    """A good document with bytes changed, doubled, cut out or put in."""
    content = bytearray(random.choice(GOOD), "utf-8")
    for _ in range(random.randint(1, 12)):
        at = random.randrange(len(content)) if content else 0
        match random.randrange(4):
            case 0 if content:
                content[at] = random.randrange(256)
            case 1:
                content[at:at] = content[at : at + random.randint(1, 40)]
            case 2:
                del content[at : at + random.randint(1, 10)]
            case _:
                content[at:at] = random.choice(PIECES).encode()
    return content.decode("utf-8", "replace")


CLASSES: tuple[Make, ...] = (
    *(aliases, duplicates, repeated_leaves, directives, unknown_names, deep, fragment_bomb),
    *(fragment_cycle, unused_fragments, variables, arguments, introspection, strings, expensive),
    *(grown, soup, damaged),
)


def documents(seed: int, number: int) -> Iterator[tuple[str, str]]:
    """So many documents, each with its class's name; the same for the same seed."""
    random = Random(seed)
    for _ in range(number):
        make = random.choice(CLASSES)
        yield make.__name__, make(random)
