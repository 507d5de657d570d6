"""One request while it is answered, and how what is ready is sent to whoever asks."""

from __future__ import annotations

from typing import NamedTuple

from starlette.types import Receive, Scope, Send

from gateway.access.budget.balance import Balance
from gateway.http import response as http_response
from gateway.http.negotiation import AS_JSON, Accepted
from gateway.http.response import Addressee, Response
from gateway.process.whole_response import Write
from gateway.response_cache.cache import Status
from gateway.response_cache.entry import Entry


class Asking(NamedTuple):
    """One request while it is answered; `scope`: what its credential is judged by, again and again.

    `write`, `accepted` and `body` are GraphQL's: an export has none of them.
    """

    to: Addressee
    address: str
    started_s: float
    scope: Scope
    receive: Receive
    send: Send
    write: Write | None = None
    accepted: Accepted = AS_JSON
    body: bytes = b""


async def send_ready(asking: Asking, entry: Entry, age_s: int, balance: Balance) -> int:
    """Send a fresh answer, in one piece where that can be; its status."""
    to, write = asking.to, asking.write
    if to.head.method == "POST" and write and write(http_response.whole(to, entry, age_s, balance)):
        return 200
    response = http_response.of_entry(as_of_post(asking), entry, age_s, Status.HIT, balance)
    return (await sent(asking, response, as_events=asking.accepted.prefers_events)).status


def as_of_post(asking: Asking) -> Addressee:
    """To whom a response goes; events are nobody's to keep, whatever they are asked by."""
    if not asking.accepted.prefers_events:
        return asking.to
    return asking.to._replace(head=asking.to.head._replace(method="POST"))


async def sent(asking: Asking, response: Response, *, as_events: bool) -> Response:
    """What was sent: the response, or the stream of one event that says the same."""
    response = http_response.as_events(response) if as_events else response
    await response.send(asking.send)
    return response
