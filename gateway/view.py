"""GraphQL over HTTP, in front of everything: an answer that is ready is sent from here.

Who asks is settled first, always; then the request's own bytes lead to its key, its price is paid,
and the key leads to bytes that can be sent. Only what is not ready is executed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Hashable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple, TypeVar

from starlette.types import Receive, Scope, Send

from gateway import error_format, http_request, http_response, negotiation, whole_response
from gateway.admission import Admission, Asker
from gateway.auth.authenticator import Authenticator
from gateway.budget.balance import Balance
from gateway.caller import SCOPE_KEY, Caller
from gateway.clock import Monotonic
from gateway.errors import CallerError, OverloadedError, RateLimitedError, UnauthenticatedError
from gateway.execution import Execution, Operation
from gateway.http_request import ClientGoneError, Head, RequestIds, RequestRefusedError
from gateway.http_response import Addressee, Response
from gateway.operation_record import OperationRecord
from gateway.outcome import CLIENT_GONE, Outcome, overloaded, refused, unauthenticated
from gateway.overload.shedding import Shedding
from gateway.reading import About, Answerable, Reading, Unanswerable
from gateway.response_cache.cache import Computed, ResponseCache, Served, Status
from gateway.response_cache.entry import Entry
from gateway.response_cache.key import Key
from gateway.whole_response import Write

Got = TypeVar("Got")

MAX_ACCEPT_BYTES = 1_024
"""Of an `Accept` header that are read, and remembered for whoever sends it, known or not."""


class Asking(NamedTuple):
    """One request while it is answered."""

    to: Addressee
    started_s: float
    send: Send
    write: Write | None


@dataclass(frozen=True)
class GraphQLView:
    """The ASGI endpoint of `/graphql`, browsers' pages aside."""

    door: Authenticator
    admission: Admission
    reading: Reading
    cache: ResponseCache[Outcome] | None
    execution: Execution
    shedding: Shedding
    record: OperationRecord
    request_ids: RequestIds
    monotonic: Monotonic
    max_body_bytes: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        head = http_request.head_of(scope)
        accept = head.headers.get(b"accept")
        media_type = _media_type(accept and accept[:MAX_ACCEPT_BYTES])
        to = Addressee(head, media_type or negotiation.JSON, self.request_ids.of(head))
        asking = Asking(to, self.monotonic(), send, whole_response.writer(scope))
        try:
            asker = Asker(self._caller(scope) or await self._verified(scope), _address(scope))
            _refuse_without(media_type)
            body = await http_request.body_of(head, receive, self.max_body_bytes)
            known = self.reading.known(head, body, asker)
            made = known or await self._read(head, body, asker, receive)
        except ClientGoneError:
            self._gone(asking, None)
        except RequestRefusedError as error:
            await self._tell(asking, _refused_request(error), None)
        except UnauthenticatedError as error:
            await self._tell(asking, unauthenticated(error), None)
        except CallerError as error:
            await self._tell(asking, refused(error), None)
        except OverloadedError as error:
            await self._tell(asking, overloaded(error), None)
        else:
            if isinstance(made, Unanswerable):
                await self._tell(asking, made.outcome, made.about)
            else:
                await self._answer(asking, made, asker, receive)

    def open(self) -> None:
        """Watch the running loop for requests that stand in line."""
        self.shedding.start()

    async def close(self) -> None:
        """Stop what is being made, and write what is still to be logged."""
        self.shedding.stop()
        if self.cache is not None:
            await self.cache.close()
        await self.admission.budgets.close()
        await self.door.close()
        self.record.log.flush()

    def _caller(self, scope: Scope) -> Caller | None:
        caller: Caller | None = scope.get(SCOPE_KEY)
        return caller or self.door.authenticate_cached(scope["headers"])

    async def _verified(self, scope: Scope) -> Caller:
        return await self.door.authenticate(scope["headers"])

    async def _read(
        self, head: Head, body: bytes, asker: Asker, receive: Receive
    ) -> Answerable | Unanswerable:
        refusal = self.shedding.refusal_unread()
        if refusal is not None:
            raise refusal
        return await self.reading.read(head, body, asker, partial(_unless_gone, receive))

    async def _answer(
        self, asking: Asking, answerable: Answerable, asker: Asker, receive: Receive
    ) -> None:
        about = answerable.about
        try:
            charged = self.admission.charge(asker, answerable.cost)
            balance = charged if isinstance(charged, Balance) else await charged
        except RateLimitedError as error:
            await self._tell(asking, refused(error), about)
            return
        self.record.metrics.points.add("granted", answerable.cost)
        self.reading.register(answerable.found)
        entry = None if self.cache is None else self.cache.fresh(answerable.key)
        if entry is not None:
            now_s = self.monotonic()
            status = await _send_ready(asking, entry, entry.age_s(now_s), balance)
            seconds = now_s - asking.started_s
            self.record.ready(asking.to.request_id, about, status, seconds, asker, balance)
            return
        try:
            served = await self._made(asking, answerable, asker, receive)
        except ClientGoneError:
            self._gone(asking, about)
        except CallerError as error:
            await self._tell(asking, refused(error), about)
        else:
            await self._send_made(asking, served, about, balance)

    async def _made(
        self, asking: Asking, answerable: Answerable, asker: Asker, receive: Receive
    ) -> Served[Outcome]:
        """What is made now or stands in for it; raises `ClientGoneError` if the client hung up."""
        key: Hashable = object() if self.cache is None else answerable.key
        refusal = self._refusal(answerable, key)
        if refusal is not None:
            return self._instead(answerable, overloaded(refusal))
        while_there = partial(_unless_gone, receive)
        operation = await self.reading.operation(answerable, asker, while_there)
        answering = self._served(answerable.key, operation, asker, asking.to.request_id)
        with self.shedding.beginning(key):
            return await while_there(answering)

    async def _send_made(
        self, asking: Asking, served: Served[Outcome], about: About, balance: Balance
    ) -> None:
        if served.entry is None and served.told is not None and served.told.codes:
            await self._tell(asking, served.told, about, served.status, balance)
        else:
            response = http_response.of_served(asking.to, served, self.monotonic(), balance)
            await response.send(asking.send)
            self._record(asking, served.told, about, served.status, response, balance)

    def _refusal(self, answerable: Answerable, key: Hashable) -> OverloadedError | None:
        if self.cache is not None and self.cache.is_being_made(answerable.key):
            return None
        return self.shedding.refusal(key)

    def _instead(self, answerable: Answerable, told: Outcome) -> Served[Outcome]:
        if self.cache is None:
            return Served(Status.MISS, None, told)
        return self.cache.instead(answerable.key, told)

    async def _served(
        self, key: Key, operation: Operation, asker: Asker, request_id: str
    ) -> Served[Outcome]:
        async def compute() -> Computed[Outcome]:
            outcome = await self.execution.answer(operation, asker.caller, request_id)
            if outcome.field_class is None:
                return Computed(outcome, store_failed=outcome.store_failed)
            return Computed(outcome, outcome.content, outcome.field_class, outcome.group)

        if self.cache is None:
            return Served(Status.MISS, None, (await compute()).told)
        return await self.cache.answer(key, compute)

    async def _tell(
        self,
        asking: Asking,
        outcome: Outcome,
        about: About | None,
        how: Status | None = None,
        balance: Balance | None = None,
    ) -> None:
        """Send an outcome that has errors."""
        status = outcome.status
        if status == 400 and about is not None and asking.to.media_type == negotiation.JSON:
            # The legacy type has 200 for everything that a GraphQL processor answered.
            status = 200
        response = http_response.of_outcome(asking.to, outcome, status, balance)
        await response.send(asking.send)
        self._record(asking, outcome, about, how, response, balance)

    def _gone(self, asking: Asking, about: About | None) -> None:
        outcome = Outcome(status=CLIENT_GONE, codes=("CLIENT_GONE",))
        self._record(asking, outcome, about, None, Response(CLIENT_GONE, (), b""), None)

    def _record(
        self,
        asking: Asking,
        outcome: Outcome | None,
        about: About | None,
        how: Status | None,
        response: Response,
        balance: Balance | None,
    ) -> None:
        seconds = self.monotonic() - asking.started_s
        request_id = asking.to.request_id
        self.record.answered(request_id, about, outcome, how, response.status, seconds, balance)


async def _send_ready(asking: Asking, entry: Entry, age_s: int, balance: Balance) -> int:
    """Send a fresh answer, in one piece where that can be; its status."""
    to, write = asking.to, asking.write
    if to.head.method == "POST" and write and write(http_response.whole(to, entry, age_s, balance)):
        return 200
    response = http_response.of_entry(to, entry, age_s, Status.HIT, balance)
    await response.send(asking.send)
    return response.status


async def _unless_gone(receive: Receive, working: Coroutine[Any, Any, Got]) -> Got:
    """What is being made; no longer waited for, and `ClientGoneError`, if the client hangs up."""
    task = asyncio.current_task()
    assert task is not None
    watching, has_left = True, False

    def leave(_: asyncio.Future[None]) -> None:
        nonlocal has_left
        if watching:  # else it is called late, for what is over
            has_left = True
            task.cancel()

    gone = asyncio.ensure_future(_gone(receive))
    gone.add_done_callback(leave)
    try:
        return await working
    except asyncio.CancelledError:
        if not has_left or task.uncancel() > 0:
            raise
        raise ClientGoneError from None
    finally:
        watching = False
        gone.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


def _refused_request(error: RequestRefusedError) -> Outcome:
    shown = error_format.plain(str(error), error.code)
    return Outcome(
        errors=(shown,), status=error.status, headers=error.headers, codes=(error.code.name,)
    )


@lru_cache(maxsize=256)
def _media_type(accept: bytes | None) -> str | None:
    return negotiation.choose(None if accept is None else accept.decode("latin-1"))


def _refuse_without(media_type: str | None) -> None:
    if media_type is None:
        raise RequestRefusedError(406, f"Answers come as {' or '.join(negotiation.OFFERED)}.")
