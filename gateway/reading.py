"""From a request to what can be looked up or executed: its document found, parsed and keyed.

What is valid is remembered by the request's own bytes, so that the same request is not read twice.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass

from graphql import GraphQLError, OperationType

from gateway import error_format, http_request, logs
from gateway.caller import Caller
from gateway.documents import Documents, Found
from gateway.error_format import Stage
from gateway.errors import OperationUnresolvedError
from gateway.execution import Operation
from gateway.http_request import Head
from gateway.outcome import Outcome, of_errors, refused
from gateway.parsed import ParsedDocuments
from gateway.response_cache import key as keys
from gateway.response_cache.key import Key
from gateway.response_cache.store import BoundedStore

OVERHEAD_BYTES = 1_500
_NAME = re.compile(r"^\s*(?:query|mutation|subscription)\s+([A-Za-z_]\w*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class About:
    """What the log tells of a request's document."""

    operation: str | None
    document: str
    trusted: bool


@dataclass(frozen=True, slots=True)
class Answerable:
    """A request that can be answered: by the cache under `key`, or by executing `operation`."""

    operation: Operation
    key: Key
    about: About


@dataclass(frozen=True, slots=True)
class Unanswerable:
    """A request whose document cannot be executed, and what is said instead."""

    outcome: Outcome
    about: About | None


class Reading:
    """Reads requests; remembers those that were answerable, bounded in bytes."""

    def __init__(
        self,
        documents: Documents,
        parsed: ParsedDocuments,
        max_body_bytes: int,
        max_memory_bytes: int,
    ) -> None:
        self._documents = documents
        self._parsed = parsed
        self._max_body_bytes = max_body_bytes
        self._known: BoundedStore[Answerable] = BoundedStore(max_memory_bytes, lambda _: None)

    @property
    def judges(self) -> bool:
        """Whether it is of interest if a document is a trusted one."""
        return self._documents.judges

    def known(self, head: Head, body: bytes, caller: Caller) -> Answerable | None:
        """The request as it was read before."""
        return self._known.get(_raw_key(head, body, caller))

    def read(self, head: Head, body: bytes, caller: Caller) -> Answerable | Unanswerable:
        """The request, read and checked.

        Raises `RequestRefusedError` if it is none of GraphQL's, a `CallerError` if its document is
        not found.
        """
        asked = http_request.read(head, body, self._max_body_bytes)
        found = self._documents.find(asked.asked)
        if not found or not found.text:
            error = OperationUnresolvedError("The request has no query.")
            return Unanswerable(refused(error, 400), None)
        parsed = self._parsed.get(found.text)
        about = _about(found, asked.operation_name)
        if parsed.tree is None:
            return _invalid(parsed.problems, about)
        node = parsed.operation(asked.operation_name)
        if node is None:
            message = "The document has no operation of that name, or does not say which to run."
            return Unanswerable(refused(OperationUnresolvedError(message), 400), about)
        if node.operation is not OperationType.QUERY and asked.method == "GET":
            message = "Only queries can be asked by GET; send a POST."
            error = OperationUnresolvedError(message)
            return Unanswerable(refused(error, 405, (b"allow", b"POST")), about)
        if parsed.problems:
            return _invalid(parsed.problems, about)
        if node.operation is not OperationType.QUERY:
            error = OperationUnresolvedError("Only queries are answered here.")
            return Unanswerable(refused(error, 400), about)
        name = None if node.name is None else node.name.value
        digest = keys.digest(found.text, name, asked.variables, parsed.declared[name])
        operation = Operation(parsed.tree, name, asked.variables)
        answerable = Answerable(operation, (caller.visibility, digest), about)
        if found.lasting:
            size = OVERHEAD_BYTES + 2 * (len(body) + len(head.query_string))
            self._known.put(_raw_key(head, body, caller), answerable, size)
        return answerable


def _raw_key(head: Head, body: bytes, caller: Caller) -> Hashable:
    if head.method == "GET":
        return caller.visibility, head.query_string
    return caller.visibility, head.method, head.headers.get(b"content-type"), body


def _about(found: Found, operation_name: str | None) -> About:
    named = _NAME.search(found.text)
    name = operation_name or (named.group(1) if named else None)
    return About(name and name[:100], logs.digest(found.text), found.trusted)


def _invalid(problems: tuple[GraphQLError, ...], about: About) -> Unanswerable:
    shown = [error_format.shown(each, Stage.VALIDATION) for each in problems]
    return Unanswerable(of_errors(shown, status=400), about)
