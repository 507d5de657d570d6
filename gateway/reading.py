"""From a request to what can be looked up or executed: its document found, judged, priced and keyed.

What can be answered is remembered by the request's own bytes, so that no request is read twice.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

from gateway import error_format, http_request, logs
from gateway.admission import Admission, Asker
from gateway.budget.balance import Balance
from gateway.caller import EVERYONE
from gateway.documents import Documents, Found
from gateway.error_format import Stage
from gateway.errors import CallerError, OperationUnresolvedError
from gateway.execution import Operation
from gateway.http_request import Head, OperationRequest
from gateway.outcome import Outcome, of_errors, refused
from gateway.preparation import Prepared
from gateway.response_cache import key as keys
from gateway.response_cache.key import Key
from gateway.response_cache.store import BoundedStore

OVERHEAD_BYTES = 1_500
MAX_CONTENT_TYPE_BYTES = 128
"""A request with a longer one is read each time."""

REFUSED_AGAIN_COST = 5
"""Points for a refusal of what was checked before: reading 16 KiB takes about 200 µs, a point is 50."""

# Blanks of its own line only before the word: else a run of empty lines is gone through from each of them.
_NAME = re.compile(r"^[^\S\n]*(?:query|mutation|subscription)\s+([A-Za-z_]\w*)", re.MULTILINE)


WhileThere: TypeAlias = Callable[[Coroutine[Any, Any, Prepared]], Coroutine[Any, Any, Prepared]]
"""Waits for a document only as long as whoever asks is there; raises `ClientGoneError` else."""


class About(NamedTuple):
    """What the log tells of a request's document."""

    operation: str | None
    document: str
    trusted: bool


@dataclass(frozen=True, slots=True)
class Answerable:
    """A request that can be answered: by the cache under `key`, or by executing its operation.

    What is remembered of it has no `operation`, which would hold the document's tree: that is kept
    elsewhere, and bounded there.
    """

    name: str | None
    variables: dict[str, Any] | None
    key: Key
    cost: int
    found: Found
    about: About
    operation: Operation | None = None


@dataclass(frozen=True, slots=True)
class Unanswerable:
    """A request whose operation is not executed, and what is said instead."""

    outcome: Outcome
    about: About


class Reading:
    """Reads requests; remembers those that were answerable, bounded in bytes."""

    def __init__(
        self,
        documents: Documents,
        admission: Admission,
        max_body_bytes: int,
        max_memory_bytes: int,
    ) -> None:
        self._documents = documents
        self._admission = admission
        self._max_body_bytes = max_body_bytes
        self._known: BoundedStore[Answerable] = BoundedStore(max_memory_bytes, lambda _: None)

    def known(self, head: Head, body: bytes, asker: Asker) -> Answerable | None:
        """The request as it was read before; raises a `CallerError` if its hash is no longer known.

        What is remembered follows from the bytes alone: who asks, what they have left and how old
        an answer may be is settled anew each time.
        """
        made = self._known.get(_raw_key(head, body, asker))
        if made is not None:
            self._documents.found_again(made.found)
        return made

    async def read(
        self, head: Head, body: bytes, asker: Asker, while_there: WhileThere
    ) -> Answerable | Unanswerable:
        """The request, read and judged; a document that is not known takes points for that.

        Raises `RequestRefusedError` if it is none of GraphQL's, a `CallerError` if its document is
        not found.
        """
        asked = http_request.read(head, body, self._max_body_bytes)
        found = self._documents.find(asked.asked)
        if not found or not found.text:
            raise OperationUnresolvedError("The request has no query.")
        known = self._admission.preparation.known(found.text)
        about = _about(found, asked.operation_name, known)
        try:
            prepared = known or await while_there(self._admission.prepare(found.text, asker))
            made = self._judged(asked, found, about, asker, prepared)
        except CallerError as error:
            made = Unanswerable(refused(error), about)
        if isinstance(made, Unanswerable):
            return made if known is None else await self._charged(made, asker)
        self._remember(head, body, asker, made)
        return made

    async def operation(
        self, answerable: Answerable, asker: Asker, while_there: WhileThere
    ) -> Operation:
        """What is to be executed; a document that is no longer kept is prepared, and paid for, anew.

        Raises `RateLimitedError` if there are too few points for that.
        """
        if answerable.operation is not None:
            return answerable.operation
        text = answerable.found.text
        known = self._admission.preparation.known(text)
        prepared = known or await while_there(self._admission.prepare(text, asker))
        return _operation(prepared, answerable.name, answerable.variables)

    def register(self, found: Found) -> None:
        """Keep a document that was paid for, if its client wants it to be known by its hash."""
        self._documents.register(found)

    def _remember(self, head: Head, body: bytes, asker: Asker, made: Answerable) -> None:
        content_type = head.headers.get(b"content-type", b"")
        if made.found.to_register is not None or len(content_type) > MAX_CONTENT_TYPE_BYTES:
            return
        own = body, head.query_string, content_type, made.found.text
        size = OVERHEAD_BYTES + sum(map(sys.getsizeof, own)) + _size(made.variables)
        self._known.put(_raw_key(head, body, asker), replace(made, operation=None), size)

    async def _charged(self, made: Unanswerable, asker: Asker) -> Unanswerable:
        try:
            charged = self._admission.charge(asker, REFUSED_AGAIN_COST)
            if not isinstance(charged, Balance):
                await charged
        except CallerError as error:
            return Unanswerable(refused(error), made.about)
        return made

    def _judged(
        self,
        asked: OperationRequest,
        found: Found,
        about: About,
        asker: Asker,
        prepared: Prepared,
    ) -> Answerable | Unanswerable:
        if prepared.document is not None and not prepared.is_query(asked.operation_name):
            if asked.method == "GET":
                message = "Only queries can be asked by GET; send a POST."
                error = OperationUnresolvedError(message)
                return Unanswerable(refused(error, (b"allow", b"POST"), status=405), about)
            if not prepared.errors:
                raise OperationUnresolvedError("Only queries are answered here.")
        if prepared.errors or prepared.document is None:
            shown = [error_format.shown(each, Stage.VALIDATION) for each in prepared.errors]
            return Unanswerable(of_errors(shown, status=400), about)
        cost = self._admission.cost(prepared, asked)
        node = prepared.operation(asked.operation_name)
        name = None if node.name is None else node.name.value
        declared = {each.variable.name.value for each in node.variable_definitions or ()}
        digest = keys.digest(found.text, name, asked.variables, declared)
        operation = _operation(prepared, name, asked.variables)
        key = _sees(asker), digest
        return Answerable(name, asked.variables, key, cost, found, about, operation)


def _operation(prepared: Prepared, name: str | None, variables: dict[str, Any] | None) -> Operation:
    assert prepared.document is not None  # none without is answerable
    return Operation(prepared.document, name, variables, prepared.key, prepared.tokens)


def _sees(asker: Asker) -> Hashable:
    # Whoever is unknown has other limits than an operator, who sees the same otherwise.
    return asker.caller.visibility, asker.caller is EVERYONE


def _raw_key(head: Head, body: bytes, asker: Asker) -> Hashable:
    if head.method == "GET":
        return _sees(asker), head.query_string
    return _sees(asker), head.method, head.headers.get(b"content-type"), body


def _size(value: Any) -> int:
    """Bytes of a JSON value, whose levels are few."""
    below: list[Any] = []
    if isinstance(value, dict):
        below = [*value, *value.values()]
    elif isinstance(value, list):
        below = value
    return sys.getsizeof(value) + sum(map(_size, below))


def _about(found: Found, operation_name: str | None, known: Prepared | None) -> About:
    name = operation_name or _first_name(found.text, known)
    document = logs.digest(found.text) if known is None else known.key[: logs.DIGEST_CHARACTERS]
    return About(name and name[:100], document, found.trusted)


def _first_name(text: str, known: Prepared | None) -> str | None:
    if known is not None and known.operations:
        return next((name for name in known.operations if name is not None), None)
    named = _NAME.search(text)
    return named.group(1) if named else None
