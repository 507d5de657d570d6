"""Which operations have a program, and how many: compiled when it pays, kept bounded in bytes."""

from __future__ import annotations

from dataclasses import dataclass

from graphql import DocumentNode, GraphQLSchema

from gateway import logs
from gateway.compiled.program import Outline, Program, compile_outline, outline_of
from gateway.compiled.unsupported import UnsupportedError
from gateway.recency import Recency

FIELD_BYTES = 2_000
"""Of a planned field at most: 500 to 1,100, and 900 more for a function of its own, which few have."""

TOKEN_BYTES = 1_000
"""Of a document, which its programs keep even where it is no longer kept for itself."""

PROGRAM_BYTES = 10_000
"""Of what does not depend on the document's length: how variables are coerced."""

MAX_BYTES = 32 * 1024 * 1024
"""Of all programs in one process."""

MAX_WAITING = 5_000
"""Operations whose executions are counted."""

FIELDS_A_TOKEN = 2
"""Fragments that expand to more are not compiled: what it takes would not be in what is sent."""


@dataclass(slots=True)
class _Waiting:
    """How often an operation was executed, and at which time it will be compiled."""

    times: int = 0
    patience: int = 2
    unsupported: bool = False


class Compiler:
    """Compiles the operations of a schema that are executed again and again.

    One that is not asked again would cost its compiling for nothing.
    """

    def __init__(
        self, schema: GraphQLSchema, hide_suggestions: bool = False, max_bytes: int = MAX_BYTES
    ) -> None:
        self._schema = schema
        self._hide_suggestions = hide_suggestions
        self._waiting: Recency[_Waiting] = Recency(MAX_WAITING)
        self._programs: Recency[Program] = Recency(max_bytes)
        self._most_bytes = max_bytes // 5  # what is new has a fifth of the room

    @property
    def bytes(self) -> int:
        """What all programs take, at most."""
        return self._programs.weight

    def program(
        self, document: DocumentNode, name: str | None, key: str, tokens: int
    ) -> Program | None:
        """The program of an operation that is about to be executed; `None`: leave it to graphql-core.

        `key` stands for the document, `tokens` is its length.
        """
        key = f"{key} {name or ''}"
        found = self._programs.get(key)
        if found is not None:
            return found
        waiting = self._waiting.get(key)
        if waiting is None:
            waiting = _Waiting()
            self._waiting.put(key, waiting, 1)
        waiting.times += 1
        if waiting.unsupported or waiting.times < waiting.patience:
            return None
        return self._compiled(document, name, key, tokens, waiting)

    def _compiled(
        self, document: DocumentNode, name: str | None, key: str, tokens: int, waiting: _Waiting
    ) -> Program | None:
        try:
            outline = outline_of(document, name)
            waiting.patience = outline.patience
            if waiting.times < waiting.patience:
                return None
            weight = self._weight(outline, tokens)
            program = compile_outline(self._schema, outline, self._hide_suggestions)
        except UnsupportedError:
            waiting.unsupported = True
            return None
        except Exception as error:  # noqa: BLE001 # graphql-core can still answer
            logs.logger().error("compiling failed", exc_info=error)
            waiting.unsupported = True
            return None
        self._programs.put(key, program, weight)
        waiting.times = 0  # if it is pushed out, it is waited for anew
        return program

    def _weight(self, outline: Outline, tokens: int) -> int:
        weight = PROGRAM_BYTES + TOKEN_BYTES * tokens + FIELD_BYTES * outline.most_planned
        if outline.fields > FIELDS_A_TOKEN * tokens or weight > self._most_bytes:
            raise UnsupportedError(f"{outline.fields} fields out of {tokens} tokens")
        return weight
