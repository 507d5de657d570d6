"""GraphQL over HTTP, in front of everything: an answer that is ready is sent from here.

Who asks is settled first, always; then the request's own bytes lead to its key, its price is paid,
and the key leads to bytes that can be sent. Only what is not ready is executed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from starlette.types import Receive, Scope, Send

from gateway import error_format, http_request, http_response, negotiation
from gateway.admission import Admission, Asker
from gateway.auth.authenticator import Authenticator
from gateway.budget.balance import Balance
from gateway.caller import SCOPE_KEY, Caller
from gateway.clock import Monotonic
from gateway.errors import CallerError, RateLimitedError, UnauthenticatedError
from gateway.execution import Execution
from gateway.http_request import ClientGoneError, RequestIds, RequestRefusedError
from gateway.http_response import Addressee, Response
from gateway.operation_record import OperationRecord
from gateway.outcome import CLIENT_GONE, Outcome, refused, unauthenticated
from gateway.reading import About, Answerable, Reading, Unanswerable
from gateway.response_cache.cache import Computed, ResponseCache, Served, Status

Got = TypeVar("Got")


@dataclass(frozen=True, slots=True)
class Asking:
    """One request while it is answered."""

    to: Addressee
    started_s: float
    send: Send


@dataclass(frozen=True)
class GraphQLView:
    """The ASGI endpoint of `/graphql`, browsers' pages aside."""

    door: Authenticator
    admission: Admission
    reading: Reading
    cache: ResponseCache[Outcome] | None
    execution: Execution
    record: OperationRecord
    request_ids: RequestIds
    monotonic: Monotonic
    max_body_bytes: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        head = http_request.head_of(scope)
        media_type = _media_type(head.headers.get(b"accept"))
        to = Addressee(head, media_type or negotiation.JSON, self.request_ids.of(head))
        asking = Asking(to, self.monotonic(), send)
        try:
            asker = Asker(await self._caller(scope), _address(scope))
            _refuse_without(media_type)
            body = await http_request.body_of(head, receive, self.max_body_bytes)
            known = self.reading.known(head, body, asker)
            made = known or await self.reading.read(head, body, asker)
        except ClientGoneError:
            self._gone(asking, None)
        except RequestRefusedError as error:
            await self._tell(asking, _refused_request(error), None)
        except UnauthenticatedError as error:
            await self._tell(asking, unauthenticated(error), None)
        except CallerError as error:
            await self._tell(asking, refused(error), None)
        else:
            if isinstance(made, Unanswerable):
                await self._tell(asking, made.outcome, made.about)
            else:
                await self._answer(asking, made, asker, receive)

    async def close(self) -> None:
        """Stop what is being made, and write what is still to be logged."""
        if self.cache is not None:
            await self.cache.close()
        await self.admission.budgets.close()
        await self.door.close()
        self.record.log.flush()

    async def _caller(self, scope: Scope) -> Caller:
        caller: Caller | None = scope.get(SCOPE_KEY)
        caller = caller or self.door.authenticate_cached(scope["headers"])
        return caller or await self.door.authenticate(scope["headers"])

    async def _answer(
        self, asking: Asking, answerable: Answerable, asker: Asker, receive: Receive
    ) -> None:
        about = answerable.about
        try:
            balance = await self.admission.charge(asker, answerable.cost)
        except RateLimitedError as error:
            await self._tell(asking, refused(error), about)
            return
        self.record.metrics.points.add("granted", answerable.cost)
        self.reading.register(answerable.found)
        entry = None if self.cache is None else self.cache.fresh(answerable.key)
        if entry is not None:
            now_s = self.monotonic()
            age_s = entry.age_s(now_s)
            response = http_response.of_entry(asking.to, entry, age_s, Status.HIT, balance)
            await response.send(asking.send)
            seconds = now_s - asking.started_s
            self.record.ready(asking.to.request_id, about, response.status, seconds, asker, balance)
            return
        served = await _unless_gone(receive, self._served(answerable, asker, asking.to.request_id))
        if served is None:
            self._gone(asking, about)
        elif served.entry is None and served.told is not None and served.told.codes:
            await self._tell(asking, served.told, about, served.status, balance)
        else:
            response = http_response.of_served(asking.to, served, self.monotonic(), balance)
            await response.send(asking.send)
            self._record(asking, served.told, about, served.status, response, balance)

    async def _served(
        self, answerable: Answerable, asker: Asker, request_id: str
    ) -> Served[Outcome]:
        async def compute() -> Computed[Outcome]:
            operation = answerable.operation
            outcome = await self.execution.answer(operation, asker.caller, request_id)
            if outcome.field_class is None:
                return Computed(outcome, store_failed=outcome.store_failed)
            return Computed(outcome, outcome.content, outcome.field_class, outcome.group)

        if self.cache is None:
            return Served(Status.MISS, None, (await compute()).told)
        return await self.cache.answer(answerable.key, compute)

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


async def _unless_gone(receive: Receive, answering: Coroutine[Any, Any, Got]) -> Got | None:
    """What is being answered; `None`, and no longer waited for, if the client hangs up."""
    working = asyncio.ensure_future(answering)
    gone = asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
        if not working.done():
            working.cancel()
            await asyncio.wait({working})
    return None if working.cancelled() else working.result()


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
    return negotiation.choose(None if accept is None else accept[:4096].decode("latin-1"))


def _refuse_without(media_type: str | None) -> None:
    if media_type is None:
        raise RequestRefusedError(406, f"Answers come as {' or '.join(negotiation.OFFERED)}.")
