"""GraphQL over WebSocket: the protocol's messages and closing codes, and subscriptions as they are over events."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest

from gateway.http import web_socket
from gateway.settings import Settings
from tests.identity_provider import Trust, token
from tests.store_cases import transfer
from tests.unit.gateway.fakes import NOW_MS
from tests.unit.gateway.process.listening import until
from tests.unit.gateway.served import OWNER, UUID, Gateway, settle
from tests.unit.gateway.served import TOTALS as QUERY
from tests.unit.gateway.socketed import Socket, connected
from tests.unit.gateway.subscribed import TOTALS

pytestmark = pytest.mark.anyio

INIT = {"type": "connection_init"}


def arrives(gateway: Gateway) -> None:
    """One more transfer to alice."""
    number = len(gateway.store.entries)
    made = transfer("alice", "zoe", UUID.format(number), Decimal(1), NOW_MS - 5_000)
    gateway.store.entries = [*gateway.store.entries, *made]


def counts(socket: Socket, operation_id: str) -> list[int]:
    """What the answers of an operation say of alice's transactions."""
    told = [each["payload"] for each in socket.of(operation_id) if each["type"] == "next"]
    return [each["data"]["account"]["totals"]["transactionCount"] for each in told]


async def test_a_query_is_answered_once_and_complete(gateway: Gateway) -> None:
    socket = await connected(gateway)
    assert socket.accepted == "graphql-transport-ws"
    assert socket.messages == [{"type": "connection_ack"}]
    await socket.subscribes("a", QUERY)
    assert socket.kinds("a") == ["next", "complete"]
    assert counts(socket, "a") == [5]
    (answer, _) = socket.of("a")
    assert answer["payload"] | {"extensions": None} == (await gateway.ask(QUERY)) | {
        "extensions": None
    }


async def test_a_subscription_is_told_what_is_new_each_with_the_id_to_go_on_from(
    gateway: Gateway,
) -> None:
    socket = await connected(gateway)
    await socket.subscribes("a", TOTALS)
    assert counts(socket, "a") == [5]
    await socket.after(5)
    arrives(gateway)
    await socket.after(2)
    assert counts(socket, "a") == [5, 6]
    told = [each["payload"]["extensions"] for each in socket.of("a")]
    assert [each["sequence"] for each in told] == [1, 2]
    await socket.hangs_up()
    again = await connected(gateway)
    live = {"live": {"lastEventId": told[-1]["eventId"]}}
    await again.subscribes("b", TOTALS, extensions=live)
    await again.after(3)
    assert counts(again, "b") == [], "it was told already"
    arrives(gateway)
    await again.after(3)
    assert counts(again, "b") == [7]
    (event,) = again.of("b")
    assert event["payload"]["extensions"]["sequence"] == 3


async def test_operations_of_a_connection_go_on_side_by_side_until_each_is_completed(
    gateway: Gateway,
) -> None:
    socket = await connected(gateway)
    await socket.subscribes("a", TOTALS)
    await socket.subscribes("b", TOTALS)
    await socket.says({"id": "a", "type": "complete"})
    arrives(gateway)
    await socket.after(2)
    assert counts(socket, "a") == [5]
    assert counts(socket, "b") == [5, 6]
    assert await gateway.metric("gateway_live_streams ") == 1
    await socket.subscribes("a", QUERY)
    assert socket.kinds("a") == ["next", "next", "complete"], "the id is free again"
    await socket.hangs_up()
    assert await gateway.metric("gateway_live_streams ") == 0
    assert await gateway.metric('gateway_live_streams_ended_total{because="client"}') == 2


async def test_who_is_silent_is_told_that_somebody_is_there_once_for_all(gateway: Gateway) -> None:
    socket = await connected(gateway)
    for number in range(5):
        await socket.subscribes(str(number), TOTALS)
    await socket.after(31)
    pings = [each for each in socket.messages if each["type"] == "ping"]
    assert 2 <= len(pings) <= 4
    await socket.says({"type": "pong"})
    assert socket.closed is None


async def test_a_ping_is_answered_with_what_it_brought(gateway: Gateway) -> None:
    socket = Socket(gateway)
    await socket.says({"type": "ping"}, {"type": "ping", "payload": {"n": 1}})
    assert socket.messages == [{"type": "pong"}, {"type": "pong", "payload": {"n": 1}}]
    await socket.hangs_up()


async def test_a_slow_client_gets_the_newest_and_never_a_queue(gateway: Gateway) -> None:
    socket = await connected(gateway)
    await socket.subscribes("a", TOTALS)
    socket.takes.clear()
    for _ in range(6):
        arrives(gateway)
        await socket.after(1)
    socket.takes.set()
    await settle()
    await socket.after(2)
    assert counts(socket, "a")[0] == 5
    assert counts(socket, "a")[-1] == 11
    assert len(counts(socket, "a")) <= 3


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("mutation { a }", "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_what_is_not_executed_is_an_error_and_its_id_is_free_again(
    gateway: Gateway, query: str, code: str
) -> None:
    socket = await connected(gateway)
    await socket.subscribes("a", query)
    (told,) = socket.of("a")
    assert told["type"] == "error"
    assert told["payload"][0]["extensions"]["code"] == code
    await socket.subscribes("a", QUERY)
    assert socket.kinds("a") == ["error", "next", "complete"]


async def test_an_id_beyond_64_bits_is_refused_or_kept_and_never_another(gateway: Gateway) -> None:
    socket = await connected(gateway)
    document = "query ($id: ID!) { account(id: $id) { id } }"
    big = '{"id":"%s","type":"subscribe","payload":{"query":"%s","variables":{"id":%s}}}'
    await socket.says(big % ("a", document, "99999999999999999999"))
    await socket.says(big % ("b", document, "1e3"))
    (told, _) = socket.of("a")
    assert told["payload"]["data"] == {"account": {"id": "99999999999999999999"}}
    (refused,) = socket.of("b")
    assert refused["type"] == "error"


@pytest.mark.parametrize(
    "said",
    [
        "no json",
        "[]",
        "{}",
        '{"type": "stop"}',
        '{"type": "subscribe", "id": "a"}',
        '{"type": "subscribe", "id": "", "payload": {"query": "{a}"}}',
        '{"type": "subscribe", "id": 1, "payload": {"query": "{a}"}}',
        '{"type": "subscribe", "id": "%s", "payload": {"query": "{a}"}}' % ("x" * 257),
        '{"type": "complete"}',
        '{"type": "ping", "payload": 1}',
        '{"type": "ping", "type": "pong"}',
    ],
)
async def test_what_is_no_message_ends_the_connection(gateway: Gateway, said: str) -> None:
    socket = await connected(gateway)
    await socket.says(said)
    assert socket.closed is not None
    assert socket.closed[0] == 4400
    await socket.serving


async def test_bytes_are_no_message(gateway: Gateway) -> None:
    socket = await connected(gateway)
    await socket.says_bytes(b'{"type":"ping"}')
    assert socket.closed == (4400, "Messages are text")


async def test_the_protocols_other_closing_codes(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = Socket(gateway)
    await early.subscribes("a", QUERY)
    assert early.closed == (4401, "Unauthorized")
    twice = await connected(gateway)
    await twice.says(INIT)
    assert twice.closed == (4429, "Too many initialisation requests")
    known = await connected(gateway)
    await known.subscribes("a", TOTALS)
    await known.subscribes("a", TOTALS)
    assert known.closed == (4409, "Subscriber for a already exists")
    other = Socket(gateway, protocols=("graphql-ws",))
    await settle()
    assert (other.accepted, other.closed and other.closed[0]) == ("", 4406)
    monkeypatch.setattr(web_socket, "INIT_S", 0.01)
    silent = Socket(gateway)
    await asyncio.wait_for(silent.serving, 10)
    assert silent.closed == (4408, "Connection initialisation timeout")


async def test_a_connection_has_no_more_operations_than_it_may(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_socket, "MAX_OPERATIONS", 2)
    socket = await connected(gateway)
    for operation_id in "abc":
        await socket.subscribes(operation_id, TOTALS)
    assert socket.closed is not None
    assert socket.closed[0] == 4400
    assert "up to 2 operations" in socket.closed[1]


@pytest.mark.parametrize("below", [True, False])
@pytest.mark.parametrize("name", ["Authorization", "authorization"])
async def test_a_credential_comes_with_the_first_message_or_the_handshake(
    trust: Trust, name: str, below: bool
) -> None:
    gateway = Gateway(trust.settings())
    sent = {name: f"Bearer {token()}"}
    socket = Socket(gateway)
    payload: dict[str, Any] = {"headers": sent} if below else sent
    await socket.says({**INIT, "payload": payload})
    await until(lambda: bool(socket.messages))
    by_header = Socket(gateway, headers={"authorization": f"Bearer {token()}"})
    await by_header.says(INIT)
    await until(lambda: bool(by_header.messages))
    for each in (socket, by_header):
        assert each.messages == [{"type": "connection_ack"}]
        await each.subscribes("a", QUERY)
        await until(lambda each=each: len(each.messages) == 3)  # type: ignore[misc]
        assert counts(each, "a") == [5]


@pytest.mark.parametrize(
    "payload", [None, {}, {"Authorization": "Bearer no"}, {"Authorization": 5}]
)
async def test_who_is_not_known_is_sent_away_and_recorded(
    trust: Trust, payload: dict[str, Any] | None
) -> None:
    gateway = Gateway(trust.settings())
    socket = Socket(gateway)
    await socket.says(INIT if payload is None else {**INIT, "payload": payload})
    await until(lambda: socket.closed is not None)
    assert socket.closed is not None
    assert socket.closed[0] == 4403
    if payload is None or "Authorization" not in payload or payload["Authorization"] != 5:
        assert "UNAUTHENTICATED" in socket.closed[1]
        assert '"codes":["UNAUTHENTICATED"]' in gateway.log.getvalue()
    assert "Bearer" not in gateway.log.getvalue()


async def test_a_right_that_ends_in_the_middle_ends_that_subscription_alone(
    gateway: Gateway,
) -> None:
    gateway.caller = OWNER
    socket = await connected(gateway)
    await socket.subscribes("a", 'subscription { account(id: "bob") { id } }')
    await socket.subscribes("b", TOTALS)
    assert socket.kinds("a") == ["next", "complete"]
    (refused, _) = socket.of("a")
    assert refused["payload"]["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    arrives(gateway)
    await socket.after(2)
    assert counts(socket, "b") == [5, 6]


async def test_each_operation_is_paid_and_limited_as_over_http() -> None:
    gateway = Gateway(Settings(live_streams_per_caller=1, anonymous_budget_per_s=1000))
    socket = await connected(gateway)
    await socket.subscribes("a", TOTALS)
    await socket.subscribes("b", TOTALS)
    (told,) = socket.of("b")
    assert told["type"] == "error"
    assert told["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
    (first,) = socket.of("a")
    assert first["payload"]["extensions"]["cost"]["requested"] > 1


async def test_a_process_that_leaves_asks_to_connect_again(gateway: Gateway) -> None:
    socket = await connected(gateway)
    await socket.subscribes("a", TOTALS)
    gateway.process.drain.begun = True
    await socket.after(10)
    assert socket.closed == (1012, "Service restart: connect again")
    assert socket.kinds("a") == ["next"], "it is not complete: it goes on elsewhere"
    await socket.serving
    assert '"because":"leaving"' in gateway.log.getvalue()


@pytest.mark.parametrize(
    ("origin", "open_"),
    [("http://localhost", True), ("https://evil.example", False), ("null", False), (None, True)],
)
async def test_pages_of_other_sites_may_not_connect(
    gateway: Gateway, origin: str | None, open_: bool
) -> None:
    socket = Socket(gateway, headers={} if origin is None else {"origin": origin})
    await settle()
    assert (socket.accepted is not None) is open_
    if not open_:
        assert code_of(socket, 403) == "FORBIDDEN"
        await socket.serving


async def test_pages_of_sites_that_are_allowed_may_connect() -> None:
    gateway = Gateway(Settings(allowed_origins="https://app.example"))
    socket = await connected(gateway, headers={"origin": "https://app.example"})
    assert socket.messages == [{"type": "connection_ack"}]


async def test_another_name_in_host_is_refused(gateway: Gateway) -> None:
    socket = Socket(gateway, headers={"host": "evil.example"})
    await settle()
    assert socket.accepted is None
    assert code_of(socket, 421) == "FORBIDDEN"


def code_of(socket: Socket, expected: int) -> str:
    """With which code a handshake is refused."""
    assert socket.refused is not None
    status, body = socket.refused
    assert status == expected
    assert body["errors"][0]["extensions"]["requestId"]
    code: str = body["errors"][0]["extensions"]["code"]
    return code


async def test_what_the_client_no_longer_waits_for_is_not_said(gateway: Gateway) -> None:
    gateway.store.may_answer = asyncio.Event()
    socket = await connected(gateway)
    await socket.subscribes("a", QUERY)
    await socket.says({"id": "a", "type": "complete"})
    gateway.store.may_answer.set()
    await settle()
    assert list(socket.of("a")) == []
    await socket.says({"id": "nobody's", "type": "complete"})
    assert socket.closed is None


async def test_messages_are_json_with_any_id(gateway: Gateway) -> None:
    socket = await connected(gateway)
    operation_id = 'a"\\\u2028ü'
    await socket.subscribes(operation_id, QUERY)
    assert socket.kinds(operation_id) == ["next", "complete"]
    assert json.loads(json.dumps(socket.messages)) == socket.messages
