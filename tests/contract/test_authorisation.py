"""Who gets whose figures: callers x accounts x ways to ask, every field, on the embedded store.

Documents are made from the schema, so that a field that is added is asked for here too.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    is_non_null_type,
    is_required_argument,
)

from gateway import logs
from gateway.app import create_app
from gateway.auth.keys import main as keys_command
from gateway.duckdb.store import DuckdbStore
from gateway.query_plan import (
    EntryCountPlan,
    ProgressPlan,
    QueryPlan,
    RejectedPlan,
    TotalsPlan,
)
from gateway.sdl import sdl
from gateway.store import StoreResult
from tests.identity_provider import NOW_S, Trust, token
from tests.store_cases import reversal, transfer

pytestmark = pytest.mark.anyio

SCHEMA = build_schema(sdl())
UUID = "00000000-0000-0000-0000-{:012d}"
ACCOUNTS = ("alice", "bobby", "carol", "nobod")
"""The last one has never had a transaction; ids are of one length, so that answers compare."""

AMOUNTS = {"alice": "1111.11", "bobby": "2222.22", "carol": "3333.33"}
"""An amount that only transfers of this account have."""

ARGUMENTS = {
    "WindowInput": "{last: {count: 30, unit: DAY}}",
    "Granularity": "DAY",
}


class WatchedStore(DuckdbStore):
    """The embedded store, which remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(epoch_ms=lambda: NOW_S * 1000)
        self.plans: list[QueryPlan[Any]] = []
        self.asked_about_several = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def fetch(self, plan: QueryPlan[Any], timeout_s: float) -> StoreResult[Any]:
        """The answer."""
        self.plans.append(plan)
        if isinstance(plan, TotalsPlan) and len(plan.account_ids or ()) > 1:
            self.asked_about_several.set()
        await self.may_answer.wait()
        return await super().fetch(plan, timeout_s)


@dataclass
class World:
    """A gateway, the callers that it knows, and what it has logged."""

    store: WatchedStore
    client: httpx.AsyncClient
    credentials: dict[str, str]
    log: StringIO = field(default_factory=StringIO)

    def headers(self, caller: str) -> dict[str, str]:
        sent = self.credentials.get(caller)
        given = {} if sent is None else {"authorization": f"Bearer {sent}"}
        return {**given, "x-request-id": "request-1"}

    async def post(self, caller: str, query: str, **body: Any) -> httpx.Response:
        self.store.plans.clear()
        asked = {"query": query, **body}
        return await self.client.post("/graphql", json=asked, headers=self.headers(caller))


READS: dict[str, frozenset[str]] = {
    "owner": frozenset({"alice"}),
    "partner": frozenset({"alice", "bobby"}),
    "masked partner": frozenset({"alice", "bobby"}),
    "partner by token": frozenset({"bobby"}),
    "operator": frozenset(ACCOUNTS),
}
STRANGERS = ("nobody", "wrong token", "expired token", "wrong key")


def created_key(path: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert keys_command(["--store", str(path / "keys.json"), "create", "--name", *words]) == 0
    return capsys.readouterr().out.split()[0]


@pytest.fixture
async def world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> AsyncIterator[World]:
    trust = Trust(tmp_path)
    trust.write("groups.json", {"friends": {"accounts": ["alice", "bobby"]}})
    trust.write("documents.json", {"trusted": BY_VARIABLE})
    partner = ("--role", "partner", "--group", "friends")
    key = created_key(tmp_path, capsys, "full", *partner, "--sees-counterparties")
    credentials = {
        "owner": token(),
        "partner": key,
        "masked partner": created_key(tmp_path, capsys, "masked", *partner),
        "partner by token": token(role="partner", accounts=["bobby"], sees_counterparties=True),
        "operator": created_key(tmp_path, capsys, "ops", "--role", "operator"),
        "wrong token": token()[:-4] + "AAAA",
        "expired token": token(exp=NOW_S - 60),
        "wrong key": key[:-1] + ("A" if key[-1] != "A" else "B"),
    }
    store = WatchedStore()
    await store.open()
    for number, (account, amount) in enumerate(AMOUNTS.items()):
        for step, other in enumerate(AMOUNTS):
            at_ms = (NOW_S - 3_600 * (3 * number + step + 1)) * 1000
            moved = (
                transfer(account, f"payer-{account}", UUID.format(number), Decimal(amount), at_ms)
                if other == account
                else transfer(account, other, UUID.format(100 * number + step), Decimal(5), at_ms)
            )
            taken_back = UUID.format(10_000 + 100 * number + step)
            store.load([*moved, *reversal(moved, taken_back, at_ms + 1_000)])
    store.load_rejected([("NOT_JSON", NOW_S * 1000 - 5)])
    settings = trust.settings(
        trusted_documents_manifest=str(tmp_path / "documents.json"),
        max_store_queries=500,
        **{f"store_queries_{name}": 12 for name in ("least", "start", "most")},
        budget_burst=1_000_000,
    )
    app = create_app(settings, store, trust.clock.epoch_ms, trust.clock.monotonic)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        made = World(store, client, credentials)
        logs.configure("info", made.log)
        yield made
    await store.close()


def object_type(name: str) -> GraphQLObjectType:
    found = SCHEMA.type_map[name]
    assert isinstance(found, GraphQLObjectType)
    return found


def asked(name: str, each: GraphQLField) -> str:
    """The field with the arguments it needs and everything below it."""
    given = [
        f"{argument}: {ARGUMENTS[get_named_type(of.type).name]}"
        for argument, of in each.args.items()
        if is_required_argument(of)
    ]
    below = get_named_type(each.type)
    arguments = f"({', '.join(given)})" if given else ""
    fields = everything(below) if isinstance(below, GraphQLObjectType) else ""
    return f"{name}{arguments}{fields}"


def everything(of: GraphQLObjectType | GraphQLInterfaceType) -> str:
    """A selection of all fields of a type, however deep."""
    return " { " + " ".join(asked(name, each) for name, each in of.fields.items()) + " }"


ACCOUNT = everything(object_type("Account"))
BY_VARIABLE = f"query ByVariable($id: ID!) {{ account(id: $id){ACCOUNT} }}"
HASH = hashlib.sha256(BY_VARIABLE.encode()).hexdigest()
APQ = {"persistedQuery": {"version": 1, "sha256Hash": HASH}}

Way = Callable[[World, str, str], Awaitable[httpx.Response]]
"""Asks for all fields of an account (named `account` in the answer) as a caller."""


async def by_post(world: World, caller: str, account: str) -> httpx.Response:
    return await world.post(caller, f'{{ account(id: "{account}"){ACCOUNT} }}')


async def by_variable(world: World, caller: str, account: str) -> httpx.Response:
    return await world.post(caller, BY_VARIABLE, variables={"id": account})


async def by_get(world: World, caller: str, account: str) -> httpx.Response:
    world.store.plans.clear()
    parameters = {"query": BY_VARIABLE, "variables": json.dumps({"id": account})}
    return await world.client.get("/graphql", params=parameters, headers=world.headers(caller))


async def beside_own(world: World, caller: str, account: str) -> httpx.Response:
    own = min(READS.get(caller, {"alice"}))
    return await world.post(
        caller,
        f'{{ own: account(id: "{own}") {{ id }} account: account(id: "{account}"){ACCOUNT} }}',
    )


async def by_fragment(world: World, caller: str, account: str) -> httpx.Response:
    return await world.post(
        caller,
        f'{{ ...Root }} fragment Root on Query {{ ... on Query {{ account(id: "{account}") '
        f"{{ ...All }} }} }} fragment All on Account {ACCOUNT}",
    )


async def by_directive(world: World, caller: str, account: str) -> httpx.Response:
    query = "query ($id: ID!, $yes: Boolean!) { account(id: $id) @include(if: $yes)" + ACCOUNT + "}"
    return await world.post(caller, query, variables={"id": account, "yes": True})


async def by_operation_name(world: World, caller: str, account: str) -> httpx.Response:
    query = f'query Other {{ limits {{ maxFirst }} }} query Mine {{ account(id: "{account}"){ACCOUNT} }}'
    return await world.post(caller, query, operationName="Mine")


async def by_registered_document(world: World, caller: str, account: str) -> httpx.Response:
    """Registered by an operator, for another account; asked for by its hash."""
    await world.post("operator", BY_VARIABLE, variables={"id": "carol"}, extensions=APQ)
    world.store.plans.clear()
    parameters = {"extensions": json.dumps(APQ), "variables": json.dumps({"id": account})}
    return await world.client.get("/graphql", params=parameters, headers=world.headers(caller))


async def by_trusted_document(world: World, caller: str, account: str) -> httpx.Response:
    world.store.plans.clear()
    body = {"documentId": "sha256:trusted", "variables": {"id": account}}
    return await world.client.post("/graphql", json=body, headers=world.headers(caller))


async def after_an_operator(world: World, caller: str, account: str) -> httpx.Response:
    """The same request that an operator has just been answered."""
    await by_get(world, "operator", account)
    return await by_get(world, caller, account)


async def with_an_operators_validator(world: World, caller: str, account: str) -> httpx.Response:
    """A conditional request with the tag of an operator's answer."""
    etag = (await by_get(world, "operator", account)).headers["etag"]
    parameters = {"query": BY_VARIABLE, "variables": json.dumps({"id": account})}
    headers = world.headers(caller) | {"if-none-match": etag}
    world.store.plans.clear()
    if account in READS.get(caller, ()):
        del headers["if-none-match"]
    return await world.client.get("/graphql", params=parameters, headers=headers)


WAYS: tuple[Way, ...] = (
    by_post,
    by_variable,
    by_get,
    beside_own,
    by_fragment,
    by_directive,
    by_operation_name,
    by_registered_document,
    by_trusted_document,
    after_an_operator,
    with_an_operators_validator,
)


def read_accounts(plans: list[QueryPlan[Any]]) -> set[str | None]:
    """Whose figures plans are about; `None` for the network's."""
    found: set[str | None] = set()
    for plan in plans:
        if isinstance(plan, TotalsPlan):
            found |= plan.account_ids if plan.account_ids is not None else {None}
        elif isinstance(plan, EntryCountPlan | RejectedPlan):
            found.add(None)
        elif not isinstance(plan, ProgressPlan):
            found.add(plan.account_id)  # type: ignore[attr-defined]
    return found


def without_masks(text: str) -> str:
    """An answer as far as it does not depend on who may see which ids."""
    data = json.loads(text)["data"]["account"]

    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                name: strip(each)
                for name, each in value.items()
                if name not in ("counterpartyId", "accountId")
            }
        return [strip(each) for each in value] if isinstance(value, list) else value

    return json.dumps(strip(data))


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("caller", READS)
async def test_a_caller_gets_its_accounts_and_no_others(
    world: World, caller: str, way: Way
) -> None:
    refusals = set()
    for account in ACCOUNTS:
        response = await way(world, caller, account)
        asked_for = read_accounts(world.store.plans)
        body = response.json()
        assert response.status_code == 200
        if account in READS[caller]:
            assert "errors" not in body
            assert asked_for <= {account}  # nothing, if it was answered just now
            truth = await by_post(world, "operator", account)
            assert without_masks(response.text) == without_masks(truth.text)
        else:
            assert body["data"]["account"] is None
            assert [each["extensions"]["code"] for each in body["errors"]] == ["FORBIDDEN"]
            assert asked_for == set()
            assert account not in response.text
            refusals.add(without_balance(response))
    # Whether an account exists makes no difference, not even in a byte.
    assert len(refusals) <= 1


async def test_callers_whose_totals_are_gathered_get_their_own_and_no_others(world: World) -> None:
    """All at once, so that one store query is about accounts that no one caller may read."""

    query = """query ($id: ID!, $end: DateTime!) { account(id: $id) {
      totals(window: { between: { start: "2020-01-01T00:00:00Z", end: $end } }) {
        reversals { transactionAmount }
    } } }"""

    async def taken_back(caller: str, account: str, end: str) -> Any:
        body = {"query": query, "variables": {"id": account, "end": end}}
        response = await world.client.post("/graphql", json=body, headers=world.headers(caller))
        told = response.json()
        if told.get("errors"):
            return [each["extensions"]["code"] for each in told["errors"]]
        return told["data"]["account"]["totals"]["reversals"]["transactionAmount"]

    today, tomorrow = (
        datetime.fromtimestamp(NOW_S + 86_400 * days, UTC).isoformat() for days in (0, 1)
    )
    truth = {account: await taken_back("operator", account, today) for account in ACCOUNTS}
    assert len(set(truth.values())) == len(ACCOUNTS)
    pairs = list(itertools.product(READS, ACCOUNTS))
    world.store.may_answer.clear()
    asking = [asyncio.create_task(taken_back(*pair, tomorrow)) for pair in pairs]
    async with asyncio.timeout(10):
        await world.store.asked_about_several.wait()
    world.store.may_answer.set()
    found = await asyncio.gather(*asking)
    for (caller, account), each in zip(pairs, found, strict=True):
        assert each == (truth[account] if account in READS[caller] else ["FORBIDDEN"])


@pytest.mark.parametrize("caller", READS)
async def test_a_reversal_names_a_transfer_that_its_reader_is_shown_too(
    world: World, caller: str
) -> None:
    nodes = "{ edges { node { kind transactionId reverses counterpartyId direction } } }"
    for account in ACCOUNTS:
        query = (
            f'{{ account(id: "{account}") {{ transactions(window: {{last: {{count: 2, unit: DAY}}}},'
            f" first: 100) {nodes} }} }}"
        )
        found = (await world.post(caller, query)).json()["data"]["account"]
        assert (found is None) is (account not in READS[caller])
        listed = [each["node"] for each in found["transactions"]["edges"]] if found else []
        sides = ("counterpartyId", "direction")
        shown = {
            (each["transactionId"], *map(each.get, sides))
            for each in listed
            if each["kind"] == "TRANSFER"
        }
        reversed_ = [
            (each["reverses"], *map(each.get, sides))
            for each in listed
            if each["kind"] == "REVERSAL"
        ]
        assert len(reversed_) == len(shown)
        assert set(reversed_) == shown


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_a_stranger_gets_nothing(world: World, way: Way) -> None:
    said = set()
    for caller, account in itertools.product(STRANGERS, ACCOUNTS):
        response = await way(world, caller, account)
        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith('Bearer realm="')
        (error,) = response.json()["errors"]
        assert error["extensions"] == {"code": "UNAUTHENTICATED", "requestId": "request-1"}
        assert "data" not in response.json()
        assert world.store.plans == []
        said.add((caller == "nobody", response.content))
    # That a credential is missing is told; what is wrong with one is not.
    assert len(said) == 2


@pytest.mark.parametrize("name", object_type("Account").fields)
async def test_no_field_of_a_forbidden_account_is_answered(world: World, name: str) -> None:
    each = object_type("Account").fields[name]
    for caller, reads in READS.items():
        for account in set(ACCOUNTS) - reads:
            query = f'{{ account(id: "{account}") {{ {asked(name, each)} }} }}'
            body = (await world.post(caller, query)).json()
            assert body["data"] == {"account": None}
            assert world.store.plans == []


@pytest.mark.parametrize("caller", READS)
async def test_several_accounts_are_answered_if_all_are_the_callers(
    world: World, caller: str
) -> None:
    for first in ACCOUNTS:
        for second in ACCOUNTS:
            query = f'{{ accounts(ids: ["{first}", "{second}"]){ACCOUNT} }}'
            response = await world.post(caller, query)
            if {first, second} <= READS[caller]:
                assert "errors" not in response.json()
                assert read_accounts(world.store.plans) == {first, second}
            else:
                assert response.json()["data"] is None
                assert response.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
                assert world.store.plans == []


PUBLIC = {"limits", "pipeline"}
"""Root fields that everyone who is known may ask for."""


async def test_every_root_field_is_covered() -> None:
    assert set(object_type("Query").fields) == {"account", "accounts", "network", *PUBLIC}


@pytest.mark.parametrize("name", object_type("Network").fields)
async def test_the_networks_figures_are_for_operators(world: World, name: str) -> None:
    query = f"{{ network {{ {asked(name, object_type('Network').fields[name])} }} }}"
    for caller in READS:
        body = (await world.post(caller, query)).json()
        if caller == "operator":
            assert "errors" not in body
            assert read_accounts(world.store.plans) == {None}
        else:
            assert body["data"] == {"network": None}
            (error,) = body["errors"]
            assert error["extensions"]["missingRight"] == "READ_NETWORK"
            assert world.store.plans == []


FOR_OPERATORS = {"audit", "entries", "rejected", "rejectedByReason", "rejectFlood"}
FOR_ALL = {"asOf", "freshnessSeconds", "state", "dataSource"}


async def test_every_field_of_the_pipeline_is_for_all_or_for_operators() -> None:
    assert set(object_type("Pipeline").fields) == FOR_OPERATORS | FOR_ALL


@pytest.mark.parametrize("name", sorted(FOR_OPERATORS | FOR_ALL))
async def test_the_pipelines_age_is_for_all_and_its_counts_for_operators(
    world: World, name: str
) -> None:
    query = f"{{ pipeline {{ {asked(name, object_type('Pipeline').fields[name])} }} }}"
    for caller in READS:
        body = (await world.post(caller, query)).json()
        if caller == "operator" or name in FOR_ALL:
            assert "errors" not in body
        else:
            # A field that may be null takes nothing else down with it.
            nullable = not is_non_null_type(object_type("Pipeline").fields[name].type)
            assert body["data"] == ({"pipeline": {name: None}} if nullable else None)
            assert body["errors"][0]["extensions"]["missingRight"] == "READ_NETWORK"
            assert read_accounts(world.store.plans) == set()


async def test_limits_are_for_all_who_are_known(world: World) -> None:
    query = f"{{ {asked('limits', object_type('Query').fields['limits'])} }}"
    assert len({without_balance(await world.post(caller, query)) for caller in READS}) == 1
    for caller in STRANGERS:
        assert (await world.post(caller, query)).status_code == 401
        assert (await world.post(caller, "{ __schema { types { name } } }")).status_code == 401


def without_balance(response: httpx.Response) -> tuple[object, ...]:
    """A response to the byte, but for what is left of a budget that each request makes smaller."""
    body = response.json()
    del body["extensions"]["cost"]
    return json.dumps(body), *sorted(
        (name, value) for name, value in response.headers.items() if name != "content-length"
    )


TOP = """{ account(id: "alice") {
  topCounterparties(window: {last: {count: 30, unit: DAY}}) { rows { accountId } }
  transactions(window: {last: {count: 30, unit: DAY}}) { edges { node { counterpartyId } } } } }"""


def counterparties(body: Any) -> set[str]:
    account = body["data"]["account"]
    edges = account["transactions"]["edges"]
    ranked = {row["accountId"] for row in account["topCounterparties"]["rows"]}
    assert ranked == {edge["node"]["counterpartyId"] for edge in edges}
    return ranked


async def test_a_masked_caller_recognises_others_but_cannot_name_them(world: World) -> None:
    clear = counterparties((await world.post("partner", TOP)).json())
    masked = counterparties((await world.post("masked partner", TOP)).json())
    assert clear == {"bobby", "carol", "payer-alice"}
    assert {each for each in masked if not each.startswith("masked:")} == {"bobby"}
    assert len(masked) == 3
    for guess in ("carol", "payer-alice", "nobod", *(masked - {"bobby"})):
        query = f"""{{ account(id: "alice") {{ transactions(
            window: {{last: {{count: 30, unit: DAY}}}}, counterpartyId: "{guess}") {{ exact }} }} }}"""
        (error,) = (await world.post("masked partner", query)).json()["errors"]
        assert error["extensions"]["missingRight"] == "SEE_COUNTERPARTIES"
        assert world.store.plans == []
        assert "errors" not in (await world.post("partner", query)).json()
    own = query.replace(guess, "bobby")
    assert "errors" not in (await world.post("masked partner", own)).json()


async def test_a_cursor_leads_to_no_other_account(world: World) -> None:
    query = """query ($id: ID!, $after: String) { account(id: $id) { transactions(
        window: {last: {count: 30, unit: DAY}}, first: 1, after: $after) {
        pageInfo { endCursor } edges { node { amount } } } } }"""
    page = (await world.post("operator", query, variables={"id": "carol"})).json()
    cursor = page["data"]["account"]["transactions"]["pageInfo"]["endCursor"]
    for caller, account, code in (
        ("owner", "carol", "FORBIDDEN"),
        ("owner", "alice", "BAD_USER_INPUT"),
    ):
        asked_for = {"id": account, "after": cursor}
        body = (await world.post(caller, query, variables=asked_for)).json()
        assert body["errors"][0]["extensions"]["code"] == code
        assert world.store.plans == []


async def test_a_batch_is_refused_whoever_sends_it(world: World) -> None:
    batch = [{"query": '{ account(id: "alice") { id } }'}] * 2
    for caller in READS:
        response = await world.client.post("/graphql", json=batch, headers=world.headers(caller))
        assert response.status_code == 400
        assert "data" not in response.json()


async def test_event_streams_are_not_offered(world: World) -> None:
    for caller in ("operator", "nobody"):
        headers = world.headers(caller) | {"accept": "text/event-stream"}
        response = await world.client.post("/graphql", json={"query": TOP}, headers=headers)
        assert response.status_code == (406 if caller == "operator" else 401)
        assert "data" not in response.json()
        assert world.store.plans == []


@pytest.mark.parametrize("path", ["/graphql", "/"])
async def test_web_sockets_are_refused(world: World, path: str) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "websocket",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"sec-websocket-protocol", b"graphql-transport-ws")],
        "subprotocols": ["graphql-transport-ws"],
    }
    transport = world.client._transport
    assert isinstance(transport, httpx.ASGITransport)
    await transport.app(scope, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]


@pytest.mark.parametrize("name", ["access_token", "token", "authorization", "api_key", "key"])
async def test_a_credential_in_the_address_or_a_cookie_is_none(world: World, name: str) -> None:
    secret = world.credentials["operator"]
    query = {"query": "{ limits { maxFirst } }"}
    in_url = await world.client.get("/graphql", params={**query, name: secret})
    cookie = {"cookie": f"{name}={secret}"}
    in_cookie = await world.client.get("/graphql", params=query, headers=cookie)
    assert (in_url.status_code, in_cookie.status_code) == (401, 401)


async def test_logs_hold_no_credentials_and_no_account_ids(world: World) -> None:
    for caller in (*READS, *STRANGERS):
        for account in ACCOUNTS:
            await by_get(world, caller, account)
            await world.post(caller, f'{{ accounts(ids: ["alice", "{account}"]){ACCOUNT} }}')
    told = world.log.getvalue()
    lines = [json.loads(line) for line in told.splitlines()]
    assert {line.get("caller") for line in lines} >= {"key:full", "key:masked", "key:ops"}
    assert {line.get("refusal") for line in lines} >= {
        "missing",
        "token_signature",
        "token_expired",
        "unknown_key",
    }
    for secret in world.credentials.values():
        assert secret[-16:] not in told
        assert secret[18:40] not in told
    assert not [account for account in ACCOUNTS if account in told]
    assert "user-7" not in told


async def test_the_page_and_the_health_checks_need_no_credential(world: World) -> None:
    page = await world.client.get("/graphql", headers={"accept": "text/html"})
    assert page.status_code == 200
    for path in ("/healthz", "/readyz"):
        assert (await world.client.get(path)).status_code == 200


async def test_metrics_are_for_operators_and_name_nobody(world: World) -> None:
    for caller in READS:
        await by_post(world, caller, "alice")
        response = await world.client.get("/metrics", headers=world.headers(caller))
        if caller == "operator":
            assert response.status_code == 200
            assert "gateway_graphql_operations_total" in response.text
            assert not [account for account in ACCOUNTS if account in response.text]
            assert not re.search("key:|jwt:|pak_|user-7", response.text)
        else:
            assert response.status_code == 403
            (error,) = response.json()["errors"]
            assert error["extensions"]["missingRight"] == "READ_METRICS"
    for caller in STRANGERS:
        response = await world.client.get("/metrics", headers=world.headers(caller))
        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith('Bearer realm="')
        (error,) = response.json()["errors"]
        assert error["extensions"] == {"code": "UNAUTHENTICATED", "requestId": "request-1"}
