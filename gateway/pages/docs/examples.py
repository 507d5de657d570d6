"""The committed documents as examples: what each asks, what it is answered, and which parts of the schema it shows."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from graphql import (
    FieldNode,
    GraphQLSchema,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    parse,
    visit,
)

import graphql_schema

REFUSALS = "refusals"
FOLDERS = ("operations", "subscriptions", REFUSALS)
_WORD = re.compile(r"\w+")
_LINE = 84


@dataclass(frozen=True, slots=True)
class Example:
    """A document; `about` is its own comment, `variables` and `answer` are JSON to read.

    `fields`: the `Type.field` that it selects; `words`: all names in it and in its variables;
    `roots`: the fields it begins with.
    """

    name: str
    folder: str
    title: str
    about: str
    document: str
    variables: str
    status: int
    answer: str
    fields: frozenset[str]
    words: frozenset[str]
    roots: tuple[str, ...]


def read(schema: GraphQLSchema) -> list[Example]:
    """All documents that have an answer, by name."""
    root = Path(graphql_schema.__file__).parent
    paths = sorted(path for folder in FOLDERS for path in (root / folder).glob("*.graphql"))
    answers = {path.stem: path for path in (root / "answers").glob("*.json")}
    return [_example(path, answers[path.stem], schema) for path in paths if path.stem in answers]


def by_field(examples: Iterable[Example]) -> Mapping[str, list[Example]]:
    """The examples that select each `Type.field`; the shortest first, as it says least beside it."""
    found: defaultdict[str, list[Example]] = defaultdict(list)
    for each in sorted(examples, key=lambda example: len(example.document)):
        for name in each.fields:
            found[name].append(each)
    return found


def _example(path: Path, answered: Path, schema: GraphQLSchema) -> Example:
    text = path.read_text("utf-8")
    told = json.loads(answered.read_text("utf-8"))
    lines = text.splitlines()
    comments = [line.removeprefix("#").strip() for line in lines if line.startswith("#")]
    document = "\n".join(line for line in lines if not line.startswith("#"))
    variables = _laid(told["variables"]) if told["variables"] else ""
    fields, roots = _selected(text, schema)
    return Example(
        name=path.stem,
        folder=path.parent.name,
        title=path.stem.replace("_", " ").capitalize(),
        about=" ".join(comments),
        document=document,
        variables=variables,
        status=told["status"],
        answer=_laid(told["answer"]),
        fields=fields,
        words=frozenset(_WORD.findall(f"{document} {variables}")),
        roots=roots,
    )


def _laid(value: object, indent: str = "") -> str:
    """JSON with small objects on one line, so that rows read as rows."""
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or not value or len(indent) + len(flat) <= _LINE:
        return flat
    deeper = f"{indent}  "
    if isinstance(value, dict):
        parts = [f"{json.dumps(name)}: {_laid(each, deeper)}" for name, each in value.items()]
        opening, closing = "{", "}"
    else:
        parts = [_laid(each, deeper) for each in value]
        opening, closing = "[", "]"
    joined = f",\n{deeper}".join(parts)
    return f"{opening}\n{deeper}{joined}\n{indent}{closing}"


class _Selecting(Visitor):
    """Notes each field that is selected, and those of the operation itself."""

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self._info = info
        self.fields: set[str] = set()

    def enter_field(self, node: FieldNode, *_: object) -> None:
        """Note one; fields that there are not are in refusals only."""
        parent = self._info.get_parent_type()
        if parent is not None and self._info.get_field_def() is not None:
            self.fields.add(f"{parent.name}.{node.name.value}")


def _selected(text: str, schema: GraphQLSchema) -> tuple[frozenset[str], tuple[str, ...]]:
    tree = parse(text)
    info = TypeInfo(schema)
    selecting = _Selecting(info)
    visit(tree, TypeInfoVisitor(info, selecting))
    operation = next(each for each in tree.definitions if isinstance(each, OperationDefinitionNode))
    roots = [
        each.name.value
        for each in operation.selection_set.selections
        if isinstance(each, FieldNode)
    ]
    return frozenset(selecting.fields), tuple(roots)
