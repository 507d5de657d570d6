"""GraphQL over HTTP, in front of everything: an answer that is ready is sent from here.

Who asks is settled first, always; then the request's own bytes lead to its key, its price is paid,
and the key leads to bytes that can be sent. Only what is not ready is executed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial

from starlette.types import Receive, Scope, Send

from gateway.access.auth.authenticator import Authenticator
from gateway.access.budget.balance import Balance
from gateway.access.caller import Caller
from gateway.documents.admission import Asker
from gateway.errors import (
    CallerError,
    OperationUnresolvedError,
    OverloadedError,
    RateLimitedError,
)
from gateway.execution.outcome import CLIENT_GONE, Outcome, outcome_of, overloaded, refused
from gateway.http import negotiation
from gateway.http import request as http_request
from gateway.http import response as http_response
from gateway.http.answering import Answering
from gateway.http.asking import Asking, as_of_post, send_ready, sent
from gateway.http.event_stream import EventStreams, offered_wire
from gateway.http.hanging_up import unless_gone
from gateway.http.negotiation import Accepted
from gateway.http.operation_record import OperationRecord, Recorded
from gateway.http.reading import Answerable, Reading, Unanswerable
from gateway.http.refused import RequestRefusedError
from gateway.http.request import ClientGoneError, RequestIds
from gateway.http.response import Addressee, Response
from gateway.http.watching import Watching, caller_of
from gateway.live.audience import End
from gateway.live.stream import EndedError
from gateway.process import whole_response
from gateway.process.clock import Monotonic
from gateway.response_cache.cache import Served, Status

MAX_ACCEPT_BYTES = 1_024
"""Of an `Accept` header that are read, and remembered for whoever sends it, known or not."""


HOW_TO_SUBSCRIBE = (
    "A subscription is answered as a stream of events: ask here with `Accept: text/event-stream`, "
    "or over a WebSocket that speaks `graphql-transport-ws`."
)


@dataclass(frozen=True)
class GraphQLView:
    """The ASGI endpoint of `/graphql`, browsers' pages aside."""

    door: Authenticator
    reading: Reading
    answering: Answering
    streams: EventStreams
    record: OperationRecord
    request_ids: RequestIds
    monotonic: Monotonic
    max_body_bytes: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        head = http_request.head_of(scope)
        accept = head.headers.get(b"accept")
        accepted = _accepted(accept and accept[:MAX_ACCEPT_BYTES])
        to = Addressee(head, accepted.media_type or negotiation.JSON, self.request_ids.of(head))
        address = http_request.address_of(scope)
        write = None if accepted.prefers_events else whole_response.writer(scope)
        wires = scope, receive, send, write
        asking = Asking(to, address, self.monotonic(), *wires, accepted)
        by: Caller | None = None
        try:
            caller = await caller_of(self.door, scope, address)
            by, asker = caller, Asker(caller, address)
            _refuse_without(accepted)
            body = await http_request.body_of(head, receive, self.max_body_bytes)
            asking = asking._replace(body=body)
            known = self.reading.known(head, body, asker)
            made = known or await self._read(asking, asker)
        except ClientGoneError:
            self._gone(asking, Recorded(by))
        except RequestRefusedError as error:
            await self._tell(asking, error.outcome, Recorded(by))
        except Exception as error:  # noqa: BLE001 # whatever it is, it is told and recorded
            await self._tell(asking, outcome_of(error), Recorded(by))
        else:
            asked = Recorded(by, made.about, made.accounts)
            try:
                await self._go_on(asking, made, asker, asked)
            except Exception as error:  # noqa: BLE001 # of what has begun the server breaks off the rest
                await self._tell(asking, outcome_of(error), asked)

    async def _go_on(
        self, asking: Asking, made: Answerable | Unanswerable, asker: Asker, asked: Recorded
    ) -> None:
        if isinstance(made, Unanswerable):
            await self._tell(asking, made.outcome, asked)
        elif made.live is None:
            await self._answer(asking, made, asker, asked)
        elif asking.accepted.events:
            await self._stream(asking, made, asker, asked)
        else:
            await self._tell(asking, refused(OperationUnresolvedError(HOW_TO_SUBSCRIBE)), asked)

    def open(self) -> None:
        """Watch the running loop for requests that stand in line."""
        self.answering.shedding.start()

    async def close(self) -> None:
        """Stop what is being made, and write what is still to be logged."""
        self.answering.shedding.stop()
        try:
            await self.answering.close()
            await self.answering.admission.budgets.close()
            await self.door.close()
        finally:
            self.record.close()

    async def _read(self, asking: Asking, asker: Asker) -> Answerable | Unanswerable:
        refusal = self.answering.shedding.refusal_unread(asker.payer)
        if refusal is not None:
            raise refusal
        while_there = partial(unless_gone, asking.receive)
        return await self.reading.read(asking.to.head, asking.body, asker, while_there)

    async def _answer(
        self,
        asking: Asking,
        answerable: Answerable,
        asker: Asker,
        asked: Recorded,
    ) -> None:
        try:
            balance = await self.answering.charge(answerable.cost, asker)
        except RateLimitedError as error:
            await self._tell(asking, refused(error), asked)
            return
        self.reading.register(answerable.found, asker)
        entry = self.answering.ready(answerable)
        if entry is not None:
            now_s = self.monotonic()
            status = await send_ready(asking, entry, entry.age_s(now_s), balance)
            seconds = now_s - asking.started_s
            to, address = asking.to, asking.address
            self.record.ready(to.request_id, address, asked, status, seconds, balance)
            return
        try:
            while_there = partial(unless_gone, asking.receive)
            request_id = asking.to.request_id
            served = await self.answering.made(answerable, asker, request_id, while_there)
        except ClientGoneError:
            self._gone(asking, asked)
        except CallerError as error:
            await self._tell(asking, refused(error), asked)
        except OverloadedError as error:
            # A document that is no longer kept finds no room in the line.
            instead = self.answering.instead(answerable, overloaded(error))
            await self._send_made(asking, instead, asked, balance)
        else:
            await self._send_made(asking, served, asked, balance)

    async def _stream(
        self, asking: Asking, answerable: Answerable, asker: Asker, asked: Recorded
    ) -> None:
        """Answer a subscription: what is refused at once as a request, all else as a stream."""
        # What goes wrong before the stream is told as events only if it is GraphQL that says it.
        as_events = offered_wire(asking.scope) is None
        asking = asking._replace(accepted=asking.accepted._replace(prefers_events=as_events))
        watching = self._watching(asking, answerable, asker)
        try:
            with self.streams.audience.place(asker.payer):
                await self._streamed(asking, watching, asked)
        except ClientGoneError:
            self._gone(asking, asked)
        except CallerError as error:
            await self._tell(asking, refused(error), asked)
        except OverloadedError as error:
            await self._tell(asking, overloaded(error), asked)
        except EndedError:
            assert watching.outcome is not None
            await self._tell(asking, watching.outcome, asked, watching.status, watching.balance)

    async def _streamed(self, asking: Asking, watching: Watching, asked: Recorded) -> None:
        pace = self.streams.pace_of(watching.answerable)
        since_s = pace.since_s(self.monotonic())
        first = await unless_gone(asking.receive, watching.first(since_s))
        outcome, balance = watching.outcome, watching.balance
        if outcome is not None and outcome.status >= 500:
            await self._tell(asking, outcome, asked, watching.status, balance)
            return
        self.reading.register(watching.answerable.found, watching.asker)
        self._record(asking, outcome, asked, watching.status, _STREAM, balance)

        def ended(end: End, events: int) -> None:
            of = asking.to.request_id, asking.address, asked
            self.record.ended(*of, end.value, {"events": events}, self._since_s(asking))

        await self.streams.run(watching, first, pace, asking.receive, asking.send, ended)

    def _watching(self, asking: Asking, answerable: Answerable, asker: Asker) -> Watching:
        return Watching(
            self.door,
            self.answering,
            self.streams.snapshots,
            self.record.causes,
            self.monotonic,
            asking.scope,
            asking.to.head,
            asking.body,
            asking.to.request_id,
            asker,
            answerable,
            patience_s=self.streams.audience.limits.heartbeat_s,
        )

    async def _send_made(
        self, asking: Asking, served: Served[Outcome], asked: Recorded, balance: Balance
    ) -> None:
        if served.entry is None and served.told is not None and served.told.codes:
            await self._tell(asking, served.told, asked, served.status, balance)
        else:
            to = as_of_post(asking)
            response = http_response.of_served(to, served, self.monotonic(), balance)
            response = await sent(asking, response, as_events=asking.accepted.prefers_events)
            self._record(asking, served.told, asked, served.status, response, balance)

    async def _tell(
        self,
        asking: Asking,
        outcome: Outcome,
        asked: Recorded,
        how: Status | None = None,
        balance: Balance | None = None,
    ) -> None:
        """Send an outcome that has errors."""
        status = outcome.status
        if status == 400 and asked.about is not None and asking.to.media_type == negotiation.JSON:
            # The legacy type has 200 for everything that a GraphQL processor answered.
            status = 200
        response = http_response.of_outcome(as_of_post(asking), outcome, status, balance)
        # What a GraphQL processor says is told as an event; what HTTP refuses has a status.
        of_graphql = status == 200 or (status == 400 and asked.about is not None)
        as_events = asking.accepted.prefers_events and of_graphql
        response = await sent(asking, response, as_events=as_events)
        self._record(asking, outcome, asked, how, response, balance)

    def _gone(self, asking: Asking, asked: Recorded) -> None:
        outcome = Outcome(status=CLIENT_GONE, codes=("CLIENT_GONE",))
        self._record(asking, outcome, asked, None, Response(CLIENT_GONE, (), b""), None)

    def _record(
        self,
        asking: Asking,
        outcome: Outcome | None,
        asked: Recorded,
        how: Status | None,
        response: Response,
        balance: Balance | None,
    ) -> None:
        seconds = self._since_s(asking)
        of = asking.to.request_id, asking.address, asked
        self.record.answered(*of, outcome, how, response.status, seconds, balance)

    def _since_s(self, asking: Asking) -> float:
        return self.monotonic() - asking.started_s


_STREAM = Response(200, (), b"")
"""Of a stream, for the record."""


@lru_cache(maxsize=256)
def _accepted(accept: bytes | None) -> Accepted:
    return negotiation.accepted(None if accept is None else accept.decode("latin-1"))


def _refuse_without(accepted: Accepted) -> None:
    if accepted.media_type is None and not accepted.events:
        offered = *negotiation.OFFERED, negotiation.EVENTS
        raise RequestRefusedError(406, f"Answers come as {' or '.join(offered)}.")
