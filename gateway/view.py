"""GraphQL over HTTP, in front of everything: an answer that is ready is sent from here.

Who asks is settled first, always; then the request's own bytes lead to its key, and the key to
bytes that can be sent. Only what is not ready is executed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from starlette.types import Receive, Scope, Send

from gateway import error_format, http_request, http_response, negotiation
from gateway.caller import EVERYONE, SCOPE_KEY, Caller
from gateway.clock import Monotonic
from gateway.errors import CallerError
from gateway.execution import Execution
from gateway.http_request import ClientGoneError, Head, RequestIds, RequestRefusedError
from gateway.operation_record import OperationRecord
from gateway.outcome import CLIENT_GONE, Outcome, refused
from gateway.reading import About, Answerable, Reading, Unanswerable
from gateway.response_cache.cache import Computed, ResponseCache, Served, Status
from gateway.response_cache.entry import Entry
from graphql_schema.error_codes import ErrorCode

Got = TypeVar("Got")

_QUIET = (ErrorCode.PERSISTED_QUERY_NOT_FOUND, ErrorCode.PERSISTED_QUERY_NOT_SUPPORTED)


@dataclass(frozen=True, slots=True)
class Asking:
    """One request while it is answered."""

    head: Head
    request_id: str
    media_type: str
    started_s: float
    send: Send


@dataclass(frozen=True)
class GraphQLView:
    """The ASGI endpoint of `/graphql`, browsers' pages aside."""

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
        request_id = self.request_ids.of(head)
        asking = Asking(head, request_id, media_type or negotiation.JSON, self.monotonic(), send)
        try:
            _refuse_without(media_type)
            caller: Caller = scope.get(SCOPE_KEY, EVERYONE)
            body = await http_request.body_of(head, receive, self.max_body_bytes)
            answerable = self.reading.known(head, body, caller)
            made = answerable or self.reading.read(head, body, caller)
        except ClientGoneError:
            self._gone(asking, None)
        except RequestRefusedError as error:
            shown = error_format.plain(str(error), error.code)
            codes = (error.code.name,)
            outcome = Outcome(
                None, (shown,), status=error.status, headers=error.headers, codes=codes
            )
            await self._tell(asking, outcome, None)
        except CallerError as error:
            status = 200 if error.code in _QUIET else 400
            await self._tell(asking, refused(error, status), None)
        else:
            if isinstance(made, Unanswerable):
                await self._tell(asking, made.outcome, made.about)
                return
            entry = None if self.cache is None else self.cache.fresh(made.key)
            if entry is not None:
                await self._ready(asking, entry, made.about)
            else:
                await self._answer(asking, made, caller, receive)

    async def close(self) -> None:
        """Stop what is being made, and write what is still to be logged."""
        if self.cache is not None:
            await self.cache.close()
        self.record.log.flush()

    async def _ready(self, asking: Asking, entry: Entry, about: About) -> None:
        now_s = self.monotonic()
        response = http_response.of_entry(
            asking.head, asking.media_type, asking.request_id, entry, entry.age_s(now_s), Status.HIT
        )
        await response.send(asking.send)
        self.record.ready(asking.request_id, about, response.status, now_s - asking.started_s)

    async def _answer(
        self, asking: Asking, answerable: Answerable, caller: Caller, receive: Receive
    ) -> None:
        served = await _unless_gone(receive, self._served(answerable, caller, asking.request_id))
        if served is None:
            self._gone(asking, answerable.about)
            return
        if served.entry is None and served.told is not None and served.told.codes:
            await self._tell(asking, served.told, answerable.about, served.status)
            return
        response = http_response.of_served(
            asking.head, asking.media_type, asking.request_id, served, self.monotonic()
        )
        await response.send(asking.send)
        self._record(asking, served.told, answerable.about, served.status, response.status)

    async def _served(
        self, answerable: Answerable, caller: Caller, request_id: str
    ) -> Served[Outcome]:
        async def compute() -> Computed[Outcome]:
            outcome = await self.execution.answer(answerable.operation, caller, request_id)
            if outcome.field_class is None:
                return Computed(outcome, store_failed=outcome.store_failed)
            return Computed(outcome, outcome.content, outcome.field_class, outcome.group)

        if self.cache is None:
            return Served(Status.MISS, None, (await compute()).told)
        return await self.cache.answer(answerable.key, compute)

    async def _tell(
        self, asking: Asking, outcome: Outcome, about: About | None, how: Status | None = None
    ) -> None:
        """Send an outcome that has errors."""
        status = outcome.status
        if status == 400 and about is not None and asking.media_type == negotiation.JSON:
            # The legacy type has 200 for everything that a GraphQL processor answered.
            status = 200
        response = http_response.of_outcome(
            asking.head, asking.media_type, asking.request_id, outcome, status
        )
        await response.send(asking.send)
        self._record(asking, outcome, about, how, status)

    def _gone(self, asking: Asking, about: About | None) -> None:
        outcome = Outcome(status=CLIENT_GONE, codes=("CLIENT_GONE",))
        self._record(asking, outcome, about, None, CLIENT_GONE)

    def _record(
        self,
        asking: Asking,
        outcome: Outcome | None,
        about: About | None,
        how: Status | None,
        status: int,
    ) -> None:
        seconds = self.monotonic() - asking.started_s
        self.record.answered(asking.request_id, about, outcome, how, status, seconds)


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


@lru_cache(maxsize=256)
def _media_type(accept: bytes | None) -> str | None:
    return negotiation.choose(None if accept is None else accept[:4096].decode("latin-1"))


def _refuse_without(media_type: str | None) -> None:
    if media_type is None:
        raise RequestRefusedError(406, f"Answers come as {' or '.join(negotiation.OFFERED)}.")
