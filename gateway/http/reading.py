"""From a request to what can be looked up or executed: its document found, judged, priced and keyed.

What can be answered is remembered by the request's own bytes, so that no request is read twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

from graphql import GraphQLError, OperationType

from gateway.access.budget.balance import Balance
from gateway.access.caller import EVERYONE, Caller
from gateway.documents.admission import Admission, Asker
from gateway.documents.asked_accounts import AskedAccounts
from gateway.documents.named import Documents, Found
from gateway.documents.preparation import Prepared
from gateway.errors import CallerError, OperationUnresolvedError
from gateway.execution import error_format
from gateway.execution.error_format import Stage
from gateway.execution.operation import Operation
from gateway.execution.outcome import Outcome, of_errors, refused
from gateway.http import exact_json
from gateway.http import request as http_request
from gateway.http.request import Head, OperationRequest
from gateway.live import wishes
from gateway.live.wishes import Wish
from gateway.process import logs
from gateway.process.bounded_store import BoundedStore, size_of
from gateway.response_cache import key as keys
from gateway.response_cache.key import Key

OVERHEAD_BYTES = 1_800
"""What a request takes beside its own bytes, document and variables."""

MAX_CONTENT_TYPE_BYTES = 128
"""A request with a longer one is read each time."""

REFUSED_AGAIN_COST = 5
REFUSED_AGAIN_BYTES = 16_384
"""Points for each so many bytes of a refusal of what was checked before: they take up to 200 µs, a point is 50."""

MOST_IN_LOOP = 250
"""Points of the gateway's own work on an answer that is made in the event loop: each is up to 33 µs (`./dev bench held`)."""

# Blanks of its own line only before the word: else a run of empty lines is gone through from each of them.
_NAME = re.compile(r"^[^\S\n]*(?:query|mutation|subscription)\s+([A-Za-z_]\w*)", re.MULTILINE)


WhileThere: TypeAlias = Callable[[Coroutine[Any, Any, Prepared]], Coroutine[Any, Any, Prepared]]
"""Waits for a document only as long as whoever asks is there; raises `ClientGoneError` else."""


Digests: TypeAlias = Callable[[Caller, AskedAccounts], tuple[str, ...]]
"""What the record tells accounts by that a caller has named."""


class About(NamedTuple):
    """What the log tells of a request's document, and the metrics of its operation."""

    operation: str | None
    document: str
    trusted: bool
    label: str


@dataclass(frozen=True, slots=True)
class Answerable:
    """A request that can be answered: by the cache under `key`, or by executing its operation.

    `accounts` are the digests of those that it names, for the record; `live`: it is a subscription;
    `is_large`: to answer it would hold the event loop.
    What is remembered of it has no `operation`, which would hold the document's tree: that is kept
    elsewhere, and bounded there.
    """

    name: str | None
    variables: dict[str, Any] | None
    key: Key
    cost: int
    found: Found
    about: About
    accounts: tuple[str, ...] = ()
    operation: Operation | None = None
    live: Wish | None = None
    is_large: bool = False


@dataclass(frozen=True, slots=True)
class Unanswerable:
    """A request whose operation is not executed, and what is said instead."""

    outcome: Outcome
    about: About
    accounts: tuple[str, ...] = ()


class Reading:
    """Reads requests; remembers those that were answerable, bounded in bytes."""

    def __init__(
        self,
        documents: Documents,
        admission: Admission,
        max_body_bytes: int,
        max_memory_bytes: int,
        digests: Digests,
    ) -> None:
        self._documents = documents
        self._admission = admission
        self._max_body_bytes = max_body_bytes
        self._known: BoundedStore[Answerable] = BoundedStore(max_memory_bytes)
        self._digests = digests

    @property
    def kept_bytes(self) -> int:
        """What all that is remembered takes."""
        return self._known.bytes

    def known(self, head: Head, body: bytes, asker: Asker) -> Answerable | None:
        """The request as it was read before; raises a `CallerError` if its hash is no longer known.

        What is remembered follows from the bytes and who asks alone: what they have left and how
        old an answer may be is settled anew each time.
        """
        made = self._known.get(_raw_key(head, body, asker))
        if made is not None:
            self._documents.found_again(made.found, asker.payer)
        return made

    async def read(
        self, head: Head, body: bytes, asker: Asker, while_there: WhileThere
    ) -> Answerable | Unanswerable:
        """The request, read and judged; a document that is not known takes points for that.

        Raises `RequestRefusedError` if it is none of GraphQL's, a `CallerError` if its document is
        not found.
        """
        asked = http_request.read(head, body, self._max_body_bytes)
        found = self._documents.find(asked.asked, asker.payer)
        if not found or not found.text:
            raise OperationUnresolvedError("The request has no query.")
        known = self._admission.known(found.text, asker, trusted=found.trusted)
        about = self._about(found, asked.operation_name, known)
        try:
            prepared = known or await while_there(
                self._admission.prepare(found.text, asker, trusted=found.trusted)
            )
            made = self._judged(asked, found, about, asker, prepared)
        except CallerError as error:
            made = Unanswerable(refused(error), about)
        if isinstance(made, Unanswerable):
            return made if known is None else await self._charged(made, len(body), asker)
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
        text, trusted = answerable.found.text, answerable.found.trusted
        known = self._admission.preparation.known(text)
        prepared = known or await while_there(self._admission.prepare(text, asker, trusted=trusted))
        node = prepared.operation(answerable.name)
        values = self._admission.preparation.coerce(node, answerable.variables or {})
        # The same text and variables were answerable before.
        assert prepared.document is not None
        assert not isinstance(values, list)
        return Operation(prepared.document, node, values, answerable.is_large)

    def register(self, found: Found, asker: Asker) -> None:
        """Keep a document that was paid for, if its client wants it to be known by its hash."""
        self._documents.register(found, asker.payer)

    def _remember(self, head: Head, body: bytes, asker: Asker, made: Answerable) -> None:
        content_type = head.headers.get(b"content-type", b"")
        if made.found.to_register is not None or len(content_type) > MAX_CONTENT_TYPE_BYTES:
            return
        own = body, head.query_string, content_type, made.found.text, made.variables, made.accounts
        size = OVERHEAD_BYTES + size_of(own)
        self._known.put(_raw_key(head, body, asker), replace(made, operation=None), size)

    async def _charged(self, made: Unanswerable, size: int, asker: Asker) -> Unanswerable:
        cost = REFUSED_AGAIN_COST * (1 + size // REFUSED_AGAIN_BYTES)
        try:
            charged = self._admission.charge(asker, cost)
            if not isinstance(charged, Balance):
                await charged
        except CallerError as error:
            return Unanswerable(refused(error), made.about, made.accounts)
        return made

    def _about(self, found: Found, operation_name: str | None, known: Prepared | None) -> About:
        name = operation_name or _first_name(found.text, known)
        document = logs.digest(found.text) if known is None else known.key[: logs.DIGEST_CHARACTERS]
        label = self._documents.label(found, name)
        return About(name and name[:100], document, found.trusted, label)

    def _judged(
        self,
        asked: OperationRequest,
        found: Found,
        about: About,
        asker: Asker,
        prepared: Prepared,
    ) -> Answerable | Unanswerable:
        kind = OperationType.QUERY
        if prepared.document is not None:
            kind = prepared.kind(asked.operation_name)
        if kind is OperationType.MUTATION:
            if asked.method == "GET":
                message = "Only queries can be asked by GET; send a POST."
                error = OperationUnresolvedError(message)
                return Unanswerable(refused(error, (b"allow", b"POST"), status=405), about)
            if not prepared.errors:
                raise OperationUnresolvedError("Only queries and subscriptions are answered here.")
        if prepared.errors or prepared.document is None:
            return _unanswerable(prepared.errors, Stage.VALIDATION, about)
        node = prepared.operation(asked.operation_name)
        variables = asked.variables or {}
        values = self._admission.preparation.coerce(node, variables)
        if isinstance(values, list):
            return _unanswerable(values, Stage.VARIABLES, about)
        groups = dict(asker.caller.groups)
        named = self._admission.preparation.accounts(prepared.document, node, values, groups)
        accounts = self._digests(asker.caller, named)
        given = exact_json.values_in(variables)
        try:
            price = self._admission.price(prepared.document, node, values, given)
        except CallerError as error:
            return Unanswerable(refused(error), about, accounts)
        name = None if node.name is None else node.name.value
        key = _sees(asker), keys.digest(found.text, name, values.coerced)
        is_large = price.own > MOST_IN_LOOP
        operation = Operation(prepared.document, node, values, is_large)
        live = None if kind is OperationType.QUERY else wishes.read(asked.asked.extensions)
        return Answerable(
            name,
            asked.variables,
            key,
            price.points,
            found,
            about,
            accounts,
            operation,
            live,
            is_large=is_large,
        )


def _unanswerable(errors: Sequence[GraphQLError], stage: Stage, about: About) -> Unanswerable:
    shown = [error_format.shown(each, stage) for each in errors]
    return Unanswerable(of_errors(shown, status=400), about)


def _sees(asker: Asker) -> Hashable:
    # Whoever is unknown has other limits than an operator, who sees the same otherwise.
    return asker.caller.visibility, asker.caller is EVERYONE


def _raw_key(head: Head, body: bytes, asker: Asker) -> Hashable:
    # What one has asked before is nobody else's: others have not paid for its document.
    who = _sees(asker), asker.payer
    if head.method == "GET":
        return who, head.query_string
    return who, head.method, head.headers.get(b"content-type"), body


def _first_name(text: str, known: Prepared | None) -> str | None:
    if known is not None and known.operations:
        return next((name for name in known.operations if name is not None), None)
    named = _NAME.search(text)
    return named.group(1) if named else None
