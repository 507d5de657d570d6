"""GraphQL over WebSocket: what is asked over one connection, each operation as a request of its own.

Price, rights, limits and the record are those of HTTP, since every operation goes the same way.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.access.auth.authenticator import Authenticator
from gateway.errors import CallerError, UnauthenticatedError
from gateway.execution.outcome import refused, unauthenticated
from gateway.http import request as http_request
from gateway.http import socket_messages as messages
from gateway.http.operation_record import OperationRecord, Recorded
from gateway.http.request import RequestIds
from gateway.http.response import Header
from gateway.http.socket_messages import Closing, Kind, Message, SocketEndedError
from gateway.http.socket_operation import SocketOperation, headers_of
from gateway.http.watching import caller_of
from gateway.live.stream import Sleep
from gateway.process import web_socket
from gateway.process.clock import Monotonic

INIT_S = 10.0
"""Until a client has said who it is."""

MAX_OPERATIONS = 200
"""Of one connection at a time."""


@dataclass(frozen=True, slots=True)
class WebSockets:
    """The ASGI endpoint of `/graphql` for WebSockets; `app` answers each operation as a request."""

    app: ASGIApp
    door: Authenticator
    record: OperationRecord
    request_ids: RequestIds
    monotonic: Monotonic
    sleep: Sleep
    heartbeat_s: float

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection to its end."""
        if (await receive())["type"] != "websocket.connect":
            return
        if messages.SUBPROTOCOL not in scope.get("subprotocols", ()):
            # Accepted first: a browser is not told why a handshake failed.
            await send({"type": "websocket.accept"})
            await _close(send, messages.WRONG_PROTOCOL)
            return
        await send({"type": "websocket.accept", "subprotocol": messages.SUBPROTOCOL})
        await _Socket(self, scope, receive, send).serve()


@dataclass(slots=True)
class _Socket:
    """One connection, whose client speaks the protocol."""

    among: WebSockets
    scope: Scope
    receive: Receive
    send: Send
    headers: list[Header] | None = None
    """Those of each request; none before the client has said who it is."""
    operations: dict[str, SocketOperation] = field(default_factory=dict)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    leaving: asyncio.Task[None] | None = None
    said_s: float = 0.0

    async def serve(self) -> None:
        """Take messages until the connection ends, then end what goes on."""
        try:
            async with asyncio.timeout(INIT_S) as beginning:
                while (message := await self._next()) is not None:
                    await self._take(message)
                    if self.headers is not None:
                        beginning.reschedule(None)
        except TimeoutError:
            await _close(self.send, messages.TOO_LATE)
        except SocketEndedError as error:
            await _close(self.send, error.closing)
        finally:
            for operation in self.operations.values():
                operation.over.set()
            if self.leaving is not None:
                self.leaving.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _next(self) -> Message | None:
        """What the client says next; nothing, once it is gone."""
        event = await self.receive()
        return None if event["type"] == "websocket.disconnect" else messages.read(event.get("text"))

    async def _take(self, message: Message) -> None:
        match message.kind:
            case Kind.INIT:
                await self._acknowledge(message)
            case Kind.PING:
                await self._say(messages.pong(message.payload))
            case Kind.PONG:
                pass
            case Kind.SUBSCRIBE:
                await self._subscribe(message)
            case Kind.COMPLETE:
                operation = self.operations.pop(message.id, None)
                if operation is not None:
                    operation.over.set()

    async def _acknowledge(self, message: Message) -> None:
        if self.headers is not None:
            raise SocketEndedError(messages.BEGUN_TWICE)
        headers = headers_of(self.scope["headers"], messages.credentials(message.payload))
        await self._require_credential({**self.scope, "headers": headers})
        self.headers = headers
        await self._say(messages.acknowledgement())

    async def _require_credential(self, scope: Scope) -> None:
        """Raise `SocketEndedError`, and record it, if whoever connects may ask nothing at all."""
        among, began_s = self.among, self.among.monotonic()
        address = http_request.address_of(scope)
        try:
            await caller_of(among.door, scope, address)
        except UnauthenticatedError as error:
            outcome, message = unauthenticated(error), error.public_message
        except CallerError as error:
            outcome, message = refused(error), error.public_message
        else:
            return
        request_id = among.request_ids.of(http_request.head_of({**scope, "method": "GET"}))
        seconds, nobody = among.monotonic() - began_s, Recorded(None)
        among.record.answered(request_id, address, nobody, outcome, None, outcome.status, seconds)
        raise SocketEndedError(Closing(messages.REFUSED, f"{outcome.codes[0]}: {message}"))

    async def _subscribe(self, message: Message) -> None:
        if self.headers is None:
            raise SocketEndedError(messages.NOT_BEGUN)
        if message.id in self.operations:
            raise SocketEndedError(messages.known_id(message.id))
        if len(self.operations) >= MAX_OPERATIONS:
            reason = f"A connection has up to {MAX_OPERATIONS} operations at a time"
            raise SocketEndedError(Closing(messages.MALFORMED, reason))
        assert message.payload is not None
        operation = SocketOperation(
            message.id,
            messages.request_body(message.payload),
            self._say,
            web_socket.taken(self.scope),
            self._beat,
            self._leave,
        )
        self.operations[message.id] = operation
        task = asyncio.create_task(self._run(operation, self.headers))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _run(self, operation: SocketOperation, headers: list[Header]) -> None:
        try:
            # The client may be gone before the last word.
            with suppress(OSError):
                await operation.run(self.among.app, self.scope, headers)
        finally:
            if self.operations.get(operation.id) is operation:
                del self.operations[operation.id]

    async def _say(self, text: str) -> None:
        self.said_s = self.among.monotonic()
        await self.send({"type": "websocket.send", "text": text})

    async def _beat(self) -> None:
        if self.among.monotonic() - self.said_s >= self.among.heartbeat_s / 2:
            await self._say(messages.ping())

    def _leave(self, closing: Closing, wait_s: float) -> None:
        """Have the client connect again with all that it asks: elsewhere, or as whom it now is."""
        if self.leaving is None:
            self.leaving = asyncio.create_task(self._leave_after(closing, wait_s))

    async def _leave_after(self, closing: Closing, wait_s: float) -> None:
        await self.among.sleep(wait_s)
        with suppress(OSError):
            await _close(self.send, closing)


async def _close(send: Send, closing: Closing) -> None:
    reason = messages.cut_to_fit(closing.reason)
    await send({"type": "websocket.close", "code": closing.code, "reason": reason})
