"""A subscriber's looks: each is the whole way of a request, with the same credential, judged anew."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from graphql import GraphQLSchema
from starlette.types import Scope

from gateway.access.auth.authenticator import Authenticator
from gateway.access.budget.balance import Balance
from gateway.access.caller import SCOPE_KEY, Caller
from gateway.documents.admission import Asker
from gateway.errors import CallerError, OverloadedError, RateLimitedError, UnauthenticatedError
from gateway.execution.outcome import Outcome, overloaded, refused, unauthenticated
from gateway.http.answering import Answering
from gateway.http.reading import Answerable, Unanswerable
from gateway.http.request import Head
from gateway.http.response import stale_mark
from gateway.live.audience import End
from gateway.live.still import MARK_BYTES, Rankings, Shape, shape_of
from gateway.live.stream import EndedError
from gateway.live.telling import Snapshot
from gateway.process import beside
from gateway.process.bounded_store import BoundedStore
from gateway.process.clock import Monotonic
from gateway.response_cache.cache import Served, Status
from gateway.response_cache.entry import Entry
from gateway.response_cache.flight import Flights
from graphql_schema.error_codes import ErrorCode

MAX_KEPT_BYTES = 8 * 1024 * 1024
"""Of what is known about snapshots that several subscribers get."""

BYTES_A_VALUE = 30
"""Of an answer, about."""

_FORBIDDEN = ErrorCode.FORBIDDEN.name


class Snapshots:
    """Compares answers: each kept one once, however many subscribers it goes to."""

    def __init__(self, schema: GraphQLSchema, max_bytes: int = MAX_KEPT_BYTES) -> None:
        self._schema = schema
        self._shapes: BoundedStore[Shape] = BoundedStore(max_bytes // 4)
        self._known: BoundedStore[Snapshot] = BoundedStore(max_bytes)
        self._made: Flights[Snapshot] = Flights()

    async def shape(self, answerable: Answerable, answering: Answering, asker: Asker) -> Shape:
        """What an operation's answers look like."""
        key = answerable.key[1]
        known = self._shapes.get(key)
        if known is None:
            operation = await answering.reading.operation(answerable, asker, _patiently)
            known = shape_of(self._schema, operation.document, operation.node, operation.values)
            self._shapes.put(key, known, known.size)
        return known

    async def of_entry(self, question: bytes, entry: Entry, shape: Shape) -> Snapshot:
        """A kept answer's, made once for all that wake for it."""
        body, key = entry.body, (question, entry.etag)
        known = self._known.get(key)
        if known is None or known.body is not body:
            known, leads = await self._made.join((*key, id(body)), lambda: _of_data(body, shape))
            if leads:
                self._known.put(key, known, len(body) + 500)
        return known

    async def of_outcome(self, outcome: Outcome, shape: Shape, request_id: str) -> Snapshot:
        """That of an answer that is not kept: with errors, or not proven exact."""
        body = outcome.body(request_id)
        if outcome.content is not None:
            return replace(await _of_data(body, shape), extensions=outcome.extensions)
        data = outcome.data
        said = [(each.get("path"), each["extensions"]["code"]) for each in outcome.errors]
        is_null = data is None or all(each is None for each in data.values())
        mark = shape.mark(data, said)
        rankings: Rankings = {} if data is None else shape.rankings(data)
        return Snapshot(body, mark, rankings, outcome.codes, is_null, outcome.extensions)


def of_refusal(outcome: Outcome, request_id: str) -> Snapshot:
    """The last words to a subscriber."""
    return Snapshot(outcome.body(request_id), bytes(MARK_BYTES), codes=outcome.codes, is_null=True)


async def _of_data(body: bytes, shape: Shape) -> Snapshot:
    def made() -> Snapshot:
        data = orjson.loads(body)["data"]
        return Snapshot(body, shape.mark(data), shape.rankings(data))

    return await beside.done(len(body) // BYTES_A_VALUE, made)


@dataclass(slots=True)
class Watching:
    """One subscriber's looks; `tell_causes` logs why the store failed, each time that it begins to.

    `outcome`, `balance`, `status`: what became of the last look. For `patience_s` a subscriber without
    points is just looked for less often; then it is told.
    """

    door: Authenticator
    answering: Answering
    snapshots: Snapshots
    tell_causes: Callable[[str, Outcome], None]
    monotonic: Monotonic
    scope: Scope
    head: Head
    body: bytes
    request_id: str
    asker: Asker
    answerable: Answerable
    outcome: Outcome | None = None
    balance: Balance | None = None
    status: Status | None = None
    patience_s: float = 15.0
    _unpaid: RateLimitedError | None = None
    _until_s: float = 0.0
    _paid_s: float = 0.0
    _last: Snapshot | None = field(default=None, repr=False)

    async def look(self, since_s: float) -> Snapshot:
        """A snapshot, paid for; raises `EndedError`."""
        await self.check()
        try:
            if self._unpaid is not None and self.monotonic() < self._until_s:
                raise self._unpaid
            snapshot = await self._taken(since_s)
        except RateLimitedError as error:
            snapshot = await self._without_points(error)
        except OverloadedError as error:
            snapshot = await self._failed(overloaded(error))
        except CallerError as error:
            raise EndedError(End.REFUSED, of_refusal(refused(error), self.request_id)) from None
        if self.outcome is not None and self._is_news(snapshot):
            self.tell_causes(self.request_id, self.outcome)
        self._require_right(snapshot)
        self._last = snapshot
        return snapshot

    async def first(self, since_s: float) -> Snapshot:
        """The first snapshot; raises what a query would, and `EndedError` if the caller may not have it."""
        self._last = await self._taken(since_s)
        self._refuse_if_null(self._last)
        self.answerable = _without_tree(self.answerable)
        return self._last

    def _is_news(self, snapshot: Snapshot) -> bool:
        return self._last is None or self._last.mark != snapshot.mark

    async def _taken(self, since_s: float) -> Snapshot:
        self.balance = await self.answering.charge(self.answerable.cost, self.asker)
        self._unpaid, self._paid_s = None, self.monotonic()
        shape = await self.snapshots.shape(self.answerable, self.answering, self.asker)
        entry = self.answering.ready(self.answerable, since_s)
        self.outcome, self.status = None, Status.HIT
        if entry is not None:
            return await self.snapshots.of_entry(self.answerable.key[1], entry, shape)
        served = await self.answering.made(self.answerable, self.asker, self.request_id, _patiently)
        return await self._of_served(served, shape)

    async def check(self) -> bool:
        """Judge the credential anew; whether it gives other rights than before. Raises `EndedError`."""
        try:
            asker = await judged_again(self.door, self.scope, self.asker)
        except UnauthenticatedError as error:
            last = of_refusal(unauthenticated(error), self.request_id)
            raise EndedError(End.CREDENTIAL, last) from None
        return asker is not self.asker and await self._become(asker)

    def extensions(self) -> dict[str, Any]:
        """What the last look cost."""
        return {} if self.balance is None else {"cost": self.balance.extensions()}

    def _refuse_if_null(self, snapshot: Snapshot) -> None:
        """Raise `EndedError` if nothing is answered for want of a right."""
        if snapshot.is_null and _FORBIDDEN in snapshot.codes:
            raise EndedError(End.RIGHT, snapshot)

    async def _become(self, asker: Asker) -> bool:
        """The same subscriber with a credential that was judged again: with other rights, another question."""
        changed = asker.caller != self.asker.caller
        self.asker = asker
        if not changed:
            return False
        reading = self.answering.reading
        try:
            made = reading.known(self.head, self.body, self.asker) or await reading.read(
                self.head, self.body, self.asker, _patiently
            )
        except CallerError as error:
            raise EndedError(End.REFUSED, of_refusal(refused(error), self.request_id)) from None
        if isinstance(made, Unanswerable):
            raise EndedError(End.REFUSED, of_refusal(made.outcome, self.request_id))
        self.answerable = _without_tree(made)
        return True

    def _require_right(self, snapshot: Snapshot) -> None:
        """Raise `EndedError` if a right is missing that was there."""
        if _FORBIDDEN not in snapshot.codes:
            return
        had = self._last is not None and _FORBIDDEN not in self._last.codes
        if had:
            raise EndedError(End.RIGHT, snapshot)
        self._refuse_if_null(snapshot)

    async def _of_served(self, served: Served[Outcome], shape: Shape) -> Snapshot:
        self.status = served.status
        if served.entry is None:
            assert served.told is not None
            self.outcome = served.told
            return await self.snapshots.of_outcome(served.told, shape, self.request_id)
        snapshot = await self.snapshots.of_entry(self.answerable.key[1], served.entry, shape)
        mark = stale_mark(served.status, served.entry.age_s(self.monotonic()))
        return replace(snapshot, extensions=mark) if mark else snapshot

    async def _without_points(self, error: RateLimitedError) -> Snapshot:
        now_s = self.monotonic()
        if error is not self._unpaid:
            self._unpaid = error.with_traceback(None)
            self._until_s = now_s + error.retry_after_s
        if self._last is not None and now_s - self._paid_s < self.patience_s:
            self.outcome = None
            return self._last
        return await self._failed(refused(error))

    async def _failed(self, outcome: Outcome) -> Snapshot:
        self.outcome = outcome
        shape = Shape()
        return await self.snapshots.of_outcome(outcome, shape, self.request_id)


async def caller_of(door: Authenticator, scope: Scope, address: str | None) -> Caller:
    """Who sends a request; raises `UnauthenticatedError`, or `FailedLoginsError` as `address` sent too many."""
    caller: Caller | None = scope.get(SCOPE_KEY) or door.authenticate_cached(scope["headers"])
    return caller or await door.authenticate(scope["headers"], address)


async def judged_again(door: Authenticator, scope: Scope, asker: Asker) -> Asker:
    """Who asks, by the credential as it is judged now, however often that is looked at; raises `UnauthenticatedError`."""
    caller = await caller_of(door, scope, None)
    return asker if caller is asker.caller else Asker(caller, asker.address)


def _without_tree(answerable: Answerable) -> Answerable:
    """The same without its document's tree, which is kept elsewhere, and bounded there: a stream may last for days."""
    return replace(answerable, operation=None)


async def _patiently(working: Coroutine[Any, Any, Any]) -> Any:
    """What is made, however long it takes: whoever waits for the whole stream watches whether the client is there."""
    return await working
