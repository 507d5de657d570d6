"""Each request says in the record who asked, from where, for which accounts and what came of it."""

# ruff: noqa: UP031 - documents with braces read better with % than with doubled braces

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.access.auth.authenticator import Authenticator
from gateway.access.caller import Caller, Role
from gateway.access.masking import Masking
from gateway.errors import StoreUnavailableError
from gateway.http.answering import Answering
from gateway.http.reading import Reading
from gateway.process import logs
from gateway.settings import Settings
from tests.identity_provider import MASKING_KEY, Trust, bearer, token
from tests.unit.gateway.served import LIVE, TOTALS, Gateway, settle

pytestmark = pytest.mark.anyio

ALICE = Masking(MASKING_KEY.encode()).digest("alice")
OPS = Caller("key:ops", Role.OPERATOR, None, sees_counterparties=True, credential="081c10385baf")
OTHER = Caller("key:ops", Role.OPERATOR, None, sees_counterparties=True, credential="ffffffffffff")


class Recorded(Gateway):
    """A gateway with an audit log."""

    def __init__(self, trust: Trust, **changed: Any) -> None:
        self.audit_file = trust.folder / "audit.log"
        super().__init__(trust.settings(audit_log=str(self.audit_file), **changed), caller=OPS)

    async def lines(self) -> list[dict[str, Any]]:
        """The operations' lines; the audit's say the same."""
        async with asyncio.timeout(10):
            await self.app.app.app.app._view.close()  # type: ignore[attr-defined]
        told = [json.loads(line) for line in self.log.getvalue().splitlines()]
        operations = [each for each in told if each["event"] == "operation"]
        audited = [json.loads(line) for line in self.audit_file.read_text().splitlines()]
        own = ("event", "level", "time")
        assert [{k: v for k, v in each.items() if k not in own} for each in operations] == [
            {k: v for k, v in each.items() if k not in own} for each in audited
        ]
        return operations


def who(line: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(line.get(name) for name in ("caller", "credential", "address", "accounts"))


KNOWN = ("key:ops", "081c10385baf", "127.0.0.1", [ALICE])


async def test_made_ready_stale_and_stood_in(trust: Trust) -> None:
    gateway = Recorded(trust, cache_stale_ms=1_000)
    await gateway.post()
    await gateway.post()
    gateway.now_s += 0.6
    await gateway.post()
    await settle()
    gateway.now_s += 10
    gateway.store.error = StoreUnavailableError("down")
    await gateway.post()
    lines = [each for each in await gateway.lines() if each["event"] == "operation"]
    assert [each["cache"] for each in lines] == ["miss", "hit", "stale", "rescued"]
    assert {str(who(each)) for each in lines} == {str(KNOWN)}


async def test_who_waits_for_anothers_answer_is_told_by_their_own_name(trust: Trust) -> None:
    gateway = Recorded(trust)
    gateway.store.may_answer = asyncio.Event()
    asking = [asyncio.ensure_future(gateway.post())]
    await settle()
    gateway.caller = OTHER
    asking.append(asyncio.ensure_future(gateway.post()))
    await settle()
    gateway.store.may_answer.set()
    await asyncio.gather(*asking)
    lines = {each["cache"]: who(each)[:2] for each in await gateway.lines()}
    assert lines == {"miss": KNOWN[:2], "coalesced": ("key:ops", "ffffffffffff")}


MANY = 'query($i: [ID!]!, $on: Boolean!) { ...f x: account(id: "alice") @skip(if: $on) { id } } fragment f on Query { accounts(ids: $i) { id } }'


@pytest.mark.parametrize(
    ("changed", "query", "variables", "status", "code"),
    [
        ({"max_cost": 1}, TOTALS, {}, 400, "COST_LIMIT_EXCEEDED"),
        ({"budget_burst": 21}, TOTALS, {}, 429, "RATE_LIMITED"),
        ({}, '{ account(id: "alice") { totals(window: {}) { exact } } }', {}, 400, None),
    ],
)
async def test_refused(
    trust: Trust,
    changed: dict[str, Any],
    query: str,
    variables: dict[str, Any],
    status: int,
    code: str | None,
) -> None:
    gateway = Recorded(trust, **changed)
    graphql = {"accept": "application/graphql-response+json"}
    answer = await gateway.post(query, variables=variables, headers=graphql)
    assert answer.status_code == status
    (line,) = await gateway.lines()
    assert who(line)[:3] == KNOWN[:3]
    if code is not None:
        assert (line["codes"], line["accounts"]) == ([code], [ALICE])


async def test_refused_for_what_others_ask(trust: Trust) -> None:
    one = {"store_queries_least": 1, "store_queries_start": 1, "store_queries_most": 1}
    gateway = Recorded(trust, **one)
    gateway.store.may_answer = asyncio.Event()
    held = [
        asyncio.ensure_future(gateway.post(TOTALS.replace("alice", f"held-{number}")))
        for number in range(2)
    ]
    await settle()
    assert (await gateway.post()).status_code == 503
    gateway.store.may_answer.set()
    await asyncio.gather(*held)
    (line,) = [each for each in await gateway.lines() if each["status"] == 503]
    assert (who(line), line["codes"]) == (KNOWN, ["RATE_LIMITED"])


async def test_who_is_nobody_is_told_by_the_address(trust: Trust) -> None:
    gateway = Recorded(trust, failed_logins_burst=1)
    gateway.caller = None
    for sent in ([], bearer("guess"), bearer("guess"), bearer(token(jti="t-1")), []):
        headers = {name.decode(): value.decode() for name, value in sent}
        await gateway.post(headers=headers)
    lines = await gateway.lines()
    assert [each.get("refusal") for each in lines] == [
        *("missing", "token_malformed", "too_many_failed_logins"),
        *("too_many_failed_logins", "missing"),
    ]
    assert {who(each) for each in lines} == {(None, None, "127.0.0.1", None)}


@pytest.mark.parametrize(
    "path", ["/graphql", "/graphql/", "/graphql?query={__typename}", "/export/transactions"]
)
async def test_who_is_not_let_in_leaves_a_line_too(trust: Trust, path: str) -> None:
    gateway = Recorded(trust)
    page = {"origin": "https://elsewhere.example", "x-request-id": "of-a-page"}
    named = {"host": "rebound.example", "x-request-id": "by-a-name"}
    for headers, status in ((page, 403), (named, 421)):
        assert (await gateway.client.post(path, headers=headers)).status_code == status
        assert (await gateway.client.get("/healthz", headers=headers)).status_code == status
    socket = {"type": "websocket", "path": "/graphql", "client": ("::7", 1), "query_string": b""}
    for headers, status in ((page, 403), (named, 421)):
        names = {"host": "localhost", **headers, "x-request-id": "of-a-socket"}
        raw = [(name.encode(), value.encode()) for name, value in names.items()]
        sent: list[Any] = []

        async def receive() -> Any:
            raise AssertionError

        async def send(message: Any, sent: list[Any] = sent) -> None:
            sent.append(message)

        await gateway.app({**socket, "headers": raw}, receive, send)
        assert sent[0]["type"] == "websocket.http.response.start"
        assert sent[0]["status"] == status
    told = [
        (each["request_id"], each["status"], each["codes"], each["address"], each.get("caller"))
        for each in await gateway.lines()
    ]
    forbidden = ["FORBIDDEN"]
    assert told == [
        ("of-a-page", 403, forbidden, "127.0.0.1", None),
        ("by-a-name", 421, forbidden, "127.0.0.1", None),
        ("of-a-socket", 403, forbidden, "::7", None),
        ("of-a-socket", 421, forbidden, "::7", None),
    ]


@pytest.mark.parametrize(("part", "step"), [(Reading, "known"), (Answering, "charge")])
async def test_a_fault_of_ours_is_told_and_recorded_as_any_outcome(
    trust: Trust, monkeypatch: pytest.MonkeyPatch, part: type, step: str
) -> None:
    def breaks(*_: object) -> None:
        raise RuntimeError("acct-000001 owes 12.50")

    gateway = Recorded(trust)
    monkeypatch.setattr(part, step, breaks)
    answer = await gateway.post()
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["extensions"]) == (
        500,
        {"code": "INTERNAL_SERVER_ERROR", "requestId": answer.headers["x-request-id"]},
    )
    (line,) = await gateway.lines()
    assert (line["status"], line["codes"]) == (500, ["INTERNAL_SERVER_ERROR"])
    assert who(line)[:3] == KNOWN[:3]
    assert "RuntimeError" in gateway.log.getvalue()
    assert "12.50" not in answer.text + gateway.log.getvalue()


async def test_a_token_is_told_by_its_id(trust: Trust) -> None:
    gateway = Recorded(trust)
    gateway.caller = None
    for jti in ("t-1", "x" * 100):
        headers = {n.decode(): v.decode() for n, v in bearer(token(jti=jti))}
        await gateway.post(headers=headers)
    lines = await gateway.lines()
    assert [each["credential"] for each in lines] == ["t-1", "x" * 64]
    assert lines[0]["caller"].startswith("jwt:")


async def test_accounts_are_those_of_what_is_executed_and_none_is_left_out_of_the_audit(
    trust: Trust,
) -> None:
    gateway = Recorded(trust)
    ids = [f"acct-{number}" for number in range(15)]
    await gateway.post(MANY, variables={"i": ids, "on": True})
    await gateway.post(MANY, variables={"i": ids, "on": True})
    await gateway.app.app.app.app._view.close()  # type: ignore[attr-defined]
    digests = [Masking(MASKING_KEY.encode()).digest(each) for each in ids]
    for line in gateway.log.getvalue().splitlines():
        told = json.loads(line)
        assert (told["accounts"], told["account_count"]) == (digests[: logs.MAX_ACCOUNTS], 15)
    for line in gateway.audit_file.read_text().splitlines():
        told = json.loads(line)
        assert told["accounts"] + told["more_accounts"] == digests


PARTNER = Caller("key:p", Role.PARTNER, frozenset({"alice"}), sees_counterparties=False)
RANKING = "topCounterparties(window: {last: {count: 1, unit: DAY}}, first: 1%s) { %s }"


async def accounts_of(gateway: Recorded, fields: str, **variables: Any) -> list[str]:
    """The digests that a request leaves which asks alice for these fields."""
    declared = {"$x": "$x: ID!", "$on": "$on: Boolean! = false"}
    names = ", ".join(each for name, each in declared.items() if name in fields)
    query = f'query {f"({names})" if names else ""} {{ account(id: "alice") {{ ...f }} }} fragment f on Account {{ {fields} }}'
    await gateway.post(query, variables=variables)
    told: list[str] = json.loads(gateway.log.getvalue().splitlines()[-1])["accounts"]
    return told


async def test_accounts_on_the_other_side_are_recorded_however_they_are_named(trust: Trust) -> None:
    gateway = Recorded(trust)
    masking = Masking(MASKING_KEY.encode())
    bob, carol = masking.digest("bob"), masking.digest("carol")
    totals = "totals(window: {last: {count: 1, unit: DAY}}, counterpartyId: %s) { exact }"
    assert await accounts_of(gateway, totals % '"bob"') == [ALICE, bob]
    assert await accounts_of(gateway, totals % "$x", x="bob") == [ALICE, bob]
    left_out = (totals % "$x").replace(") {", ") @include(if: $on) {")
    assert await accounts_of(gateway, f"id {left_out}", x="bob") == [ALICE]
    ranked = RANKING % (
        "",
        'a: rankOf(accountId: "bob") { rank } b: rankOf(accountId: "carol") { rank }',
    )
    again = f"{ranked} x: " + totals % '"bob"'
    assert await accounts_of(gateway, again) == [ALICE, bob, carol]
    unknown = 'transaction(id: "00000000-0000-0000-0000-000000000003") { amount }'
    assert await accounts_of(gateway, unknown) == [ALICE], "a transaction is no account"


@pytest.mark.parametrize("caller", [OPS, PARTNER])
async def test_a_mask_and_a_cursor_are_recorded_as_the_account_that_they_stand_for(
    trust: Trust, caller: Caller
) -> None:
    gateway = Recorded(trust)
    gateway.caller = caller
    asked = RANKING % ("", "rows { accountId } pageInfo { endCursor }")
    answer = (await gateway.post(f'{{ account(id: "alice") {{ {asked} }} }}')).json()
    found = answer["data"]["account"]["topCounterparties"]
    first = Masking(MASKING_KEY.encode()).digest("bob")
    shown = found["rows"][0]["accountId"]
    assert (shown == "bob") is (caller is OPS)
    ranked = RANKING % ("", "rankOf(accountId: $x) { rank }")
    assert await accounts_of(gateway, ranked, x=shown) == [ALICE, first]
    after = RANKING % (f', after: "{found["pageInfo"]["endCursor"]}"', "exact")
    assert await accounts_of(gateway, after) == [ALICE, first]
    assert shown not in gateway.log.getvalue()


async def test_what_names_nobody_is_recorded_by_itself(trust: Trust) -> None:
    gateway = Recorded(trust)
    gateway.caller = PARTNER
    ranked = RANKING % ("", "rankOf(accountId: $x) { rank }")
    masking = Masking(MASKING_KEY.encode())
    for text in ("masked:" + "a" * 83, "bob", "b\u0007"):
        assert await accounts_of(gateway, ranked, x=text) == [ALICE, masking.digest(text)]
    listed = 'transactions(window: {last: {count: 1, unit: DAY}}, after: "x") { exact }'
    assert await accounts_of(gateway, listed) == [ALICE]


async def test_a_group_is_recorded_by_its_accounts_and_one_that_is_not_the_callers_by_none(
    trust: Trust,
) -> None:
    gateway = Recorded(trust)
    groups = (("shops", frozenset({"bob", "alice"})),)
    accounts = frozenset({"alice", "bob", "carol"})
    gateway.caller = Caller("key:shops", Role.PARTNER, accounts, True, groups=groups)
    for name in ("shops", "others"):
        await gateway.post(
            "query ($g: String) { accountSet(group: $g) { ids } }", variables={"g": name}
        )
    own, other = map(json.loads, gateway.log.getvalue().splitlines()[-2:])
    digests = [Masking(MASKING_KEY.encode()).digest(each) for each in ("alice", "bob")]
    assert own["accounts"] == digests
    assert "accounts" not in other


async def test_the_last_lines_are_written_though_something_else_does_not_close(
    trust: Trust, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = Recorded(trust)
    for _ in range(50):
        await gateway.post()

    async def close(_: Authenticator) -> None:
        raise RuntimeError("cannot close")

    monkeypatch.setattr(Authenticator, "close", close)
    with pytest.raises(RuntimeError, match="cannot close"):
        await gateway.app.app.app.app._view.close()  # type: ignore[attr-defined]
    assert len(gateway.audit_file.read_text().splitlines()) == 50


async def test_digests_are_keyed(tmp_path: Path) -> None:
    other = Masking(b"another key, which has thirty-two")
    assert ALICE not in (other.digest("alice"), logs.digest("alice")[:16])
    assert Masking().digest("alice") != Masking().digest("alice")
    gateway = Gateway(Settings(audit_log=str(tmp_path / "audit.log")))
    for account in ("alice", "bob", "alice"):
        await gateway.post('{ account(id: "%s") { totals(%s) { exact } } }' % (account, LIVE))
    lines = [json.loads(line)["accounts"] for line in gateway.log.getvalue().splitlines()]
    assert lines[0] == lines[2] != lines[1]
    assert "alice" not in gateway.log.getvalue()
