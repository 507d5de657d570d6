"""`GET /export/transactions`: what is refused at once as any answer of the API, else a list, page by page.

Its end arrives only if it is whole. Whatever ends it before, a limit, the budget, the store or a right
that ends, breaks the response off, and the client goes on behind the last row that it has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

from gateway.analytics.entries import EntriesQuestion
from gateway.documents.admission import Asker
from gateway.documents.asked_accounts import AskedAccounts
from gateway.errors import (
    CallerError,
    ForbiddenError,
    OverloadedError,
    RateLimitedError,
    StoreError,
)
from gateway.execution.outcome import (
    CLIENT_GONE,
    Outcome,
    failed,
    outcome_of,
    refused,
)
from gateway.http import negotiation
from gateway.http import request as http_request
from gateway.http import response as http_response
from gateway.http.asking import Asking
from gateway.http.export import asked as exports
from gateway.http.export.pages import BrokenOffError, End, Means, Page, Pages
from gateway.http.export.rows import Format
from gateway.http.hanging_up import unless_gone
from gateway.http.operation_record import OperationRecord, Recorded
from gateway.http.reading import About, Digests
from gateway.http.refused import RequestRefusedError
from gateway.http.request import ClientGoneError, RequestIds
from gateway.http.response import Addressee, Header
from gateway.http.watching import caller_of
from gateway.process import one_at_a_time
from gateway.process.places import Places
from graphql_schema.scalars import serialize_datetime

PATH = "/export/transactions"
NAME = "ExportTransactions"
"""Of the operation, in the log and in metrics."""
_ABOUT = About(NAME, PATH, trusted=True, label=NAME)


@dataclass(frozen=True)
class TransactionExport:
    """The ASGI endpoint.

    `digests` are what the record keeps of accounts, `on_ended` is told why and after how many rows,
    `earliest_ms` tells since when transactions are kept, if not for ever.
    """

    means: Means
    places: Places
    record: OperationRecord
    request_ids: RequestIds
    digests: Digests
    on_ended: Callable[[str, int], None]
    earliest_ms: Callable[[], int | None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        head = http_request.head_of(scope)
        to = Addressee(head, negotiation.JSON, self.request_ids.of(head))
        address = http_request.address_of(scope)
        asking = Asking(to, address, self.means.monotonic(), scope, receive, send)
        recorded, pages = Recorded(None), None
        try:
            caller = await caller_of(self.means.door, scope, address)
            recorded = Recorded(caller)
            asked = exports.read(head, self.means.bounds.page_rows, self.earliest_ms())
            recorded = Recorded(caller, _ABOUT, self.digests(caller, _named(asked.question)))
            asker = Asker(caller, address)
            pages = Pages(self.means, scope, to.request_id, asker, asked.question)
            with self.places.place(asker.payer):
                await self._export(asking, asked.format, pages, recorded)
        except ClientGoneError:
            gone = Outcome(status=CLIENT_GONE, codes=("CLIENT_GONE",))
            self._record(asking, gone, recorded, pages)
        except Exception as error:  # noqa: BLE001 # nothing was sent yet: whatever it is, it is told
            await self._tell(asking, _outcome_of(error), recorded, pages)

    async def _export(
        self, asking: Asking, format_: Format, pages: Pages, recorded: Recorded
    ) -> None:
        await unless_gone(asking.receive, pages.first())
        self._record(asking, None, recorded, pages)
        end = End.CUT
        try:
            end = await unless_gone(asking.receive, self._sent(asking, format_, pages))
            if end is End.COMPLETE:
                await _write(asking, b"", more=False)
        except ClientGoneError:
            end = End.CLIENT
        finally:
            self.on_ended(end.value, pages.rows)
            told = {"rows": pages.rows, "points": pages.points}
            of = asking.to.request_id, asking.address, recorded
            self.record.ended(*of, end.value, told, self._since_s(asking))
        if end is not End.COMPLETE:
            one_at_a_time.break_off(asking.scope)

    async def _sent(self, asking: Asking, format_: Format, pages: Pages) -> End:
        """Send the list, and tell how that ended."""
        try:
            await _stream(asking, format_, pages)
        except BrokenOffError as error:
            return error.end
        except Exception as error:  # noqa: BLE001 # something was sent: it can only be logged
            if not isinstance(error, CallerError | OverloadedError):
                self.record.causes(asking.to.request_id, failed(error))
            return _end_of(error)
        return End.COMPLETE

    async def _tell(
        self, asking: Asking, outcome: Outcome, recorded: Recorded, pages: Pages | None
    ) -> None:
        """Send an outcome that has errors."""
        balance = None if pages is None else pages.balance
        response = http_response.of_outcome(asking.to, outcome, outcome.status, balance)
        await response.send(asking.send)
        self._record(asking, outcome, recorded, pages)

    def _record(
        self,
        asking: Asking,
        outcome: Outcome | None,
        recorded: Recorded,
        pages: Pages | None,
    ) -> None:
        balance = None if pages is None else pages.balance
        of = asking.to.request_id, asking.address, recorded
        status = 200 if outcome is None else outcome.status
        self.record.answered(*of, outcome, None, status, self._since_s(asking), balance)

    def _since_s(self, asking: Asking) -> float:
        return self.means.monotonic() - asking.started_s


def _named(question: EntriesQuestion) -> AskedAccounts:
    other = question.counterparty_id
    return AskedAccounts((question.account_id,), () if other is None else (other,))


async def _stream(asking: Asking, format_: Format, pages: Pages) -> None:
    """Send page after page, all but the end; each is fetched when the one before is taken, so that there is one in memory.

    A list of one page has a length, and its connection goes on: of it what the server holds for the
    client counts as taken, as of any answer.
    """
    headers = _headers(asking, format_, pages.page)
    body = format_.head + format_.write(pages.page.rows)
    if pages.page.after is None:
        headers = [*headers, (b"content-length", b"%d" % len(body))]
    else:
        one_at_a_time.begin(asking.scope)
        headers = [*headers, (b"connection", b"close")]
    await asking.send({"type": "http.response.start", "status": 200, "headers": headers})
    while True:
        await _write(asking, body)
        await _write(asking, b"")  # the server waits until what is above is taken
        await asyncio.sleep(0)  # or until its client is gone, which ends this here
        pages.taken()
        if pages.page.after is None:
            return
        await pages.following()
        body = format_.write(pages.page.rows)


async def _write(asking: Asking, body: bytes, *, more: bool = True) -> None:
    await asking.send({"type": "http.response.body", "body": body, "more_body": more})


def _headers(asking: Asking, format_: Format, first: Page) -> Sequence[Header]:
    return (
        (b"content-type", format_.content_type),
        (b"content-disposition", b'attachment; filename="transactions.%s"' % format_.name.encode()),
        (b"cache-control", b"no-store"),
        http_response.VARY,
        (b"x-as-of", serialize_datetime(first.as_of).encode()),
        (b"x-window-end", serialize_datetime(first.end).encode()),
        (b"x-request-id", asking.to.request_id.encode()),
    )


def _outcome_of(error: Exception) -> Outcome:
    """What is told of an error before anything else was."""
    match error:
        case RequestRefusedError():
            return error.outcome
        case ForbiddenError():
            return refused(error, status=403)
    return outcome_of(error)


def _end_of(error: Exception) -> End:
    match error:
        case ForbiddenError():
            return End.RIGHT
        case RateLimitedError():
            return End.BUDGET
        case StoreError():
            return End.STORE
    return End.CUT
