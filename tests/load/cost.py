"""Time of each kind of question, as points of the schema's cost: what its weights should be."""

from __future__ import annotations

import argparse
import random
import re
import statistics
import time
from typing import Any

import httpx

WINDOW = "window: {last: {count: %d, unit: HOUR}}"
QUESTIONS = {
    "Account.totals": "account(id: $id) { totals(%s) { transactionCount } }",
    "Account.totals compareTo": "account(id: $id) { totals(%s, compareTo: PREVIOUS_YEAR) { transactionCount } }",
    "Totals.counterpartyCount": "account(id: $id) { totals(%s) { counterpartyCount } }",
    "Totals.reversals": "account(id: $id) { totals(%s) { reversals { transactionCount } } }",
    "Account.netFlow": "account(id: $id) { netFlow(%s) { netAmount } }",
    "Account.topCounterparties": "account(id: $id) { topCounterparties(%s) { exact } }",
    "Account.topCounterparties compareTo": "account(id: $id) { topCounterparties(%s, compareTo: PREVIOUS_YEAR) { exact } }",
    "Account.timeSeries": "account(id: $id) { timeSeries(%s, granularity: YEAR) { exact } }",
    "Account.topSeries": "account(id: $id) { topSeries(%s, granularity: YEAR) { exact } }",
    "Account.flowSeries": "account(id: $id) { flowSeries(%s, granularity: YEAR) { exact } }",
    "Account.timeSeries compareTo": "account(id: $id) { timeSeries(%s, granularity: YEAR, compareTo: PREVIOUS_YEAR) { exact } }",
    "Account.distribution": "account(id: $id) { distribution(%s) { exact } }",
    "Distribution.max": "account(id: $id) { distribution(%s) { max } }",
    "Distribution.percentiles": "account(id: $id) { distribution(%s) { percentiles(of: 50) { amount } } }",
    "Account.topCounterparties ascending": "account(id: $id) { topCounterparties(%s, order: ASCENDING) { exact } }",
    "TopCounterparties.rankOf": 'account(id: $id) { topCounterparties(%s) { rankOf(accountId: "nobody") { rank } } }',
    "AccountSet.totals": "accountSet(ids: $ids) { totals(%s) { transactionCount } }",
    "AccountSet.topCounterparties": "accountSet(ids: $ids) { topCounterparties(%s) { exact } }",
    "AccountSet.timeSeries": "accountSet(ids: $ids) { timeSeries(%s, granularity: YEAR) { exact } }",
    "AccountSet.netFlow": "accountSet(ids: $ids) { netFlow(%s) { netAmount } }",
    "Account.transactions": "account(id: $id) { transactions(%s) { exact } }",
    "Network.totals": "network { totals(%s) { transactionCount } }",
    "Network.topAccounts": "network { topAccounts(%s) { exact } }",
    "Network.topAccounts compareTo": "network { topAccounts(%s, compareTo: PREVIOUS_YEAR) { exact } }",
    "Network.timeSeries": "network { timeSeries(%s, granularity: YEAR) { exact } }",
    "Pipeline.entries": "pipeline { entries x: __typename %s }",
}
NOTHING = "limits { maxFirst x: __typename %s }"
OBJECTS = "account(id: $id) { transactions(%s, first: 100) { edges { node { amount } } } }"


PAGE = QUESTIONS["Account.transactions"].replace("(%s)", "(%s, first: 100)")
SET_OF = 40
"""Accounts in a set."""
SHARE = 0.1
"""Of the times of a question, the tenth that was least disturbed by what else the machine did counts."""


def measure(arguments: list[str]) -> dict[str, Any]:
    """Figures from a running gateway, one question at a time; windows differ, so no cache helps."""
    options = parser().parse_args(arguments)
    chance = random.Random(options.seed)
    asked = {"nothing": NOTHING, "objects": OBJECTS, "page": PAGE, **QUESTIONS}
    took: dict[str, list[float]] = {name: [] for name in asked}
    with httpx.Client(trust_env=False) as client:
        for turn in range(options.repeat + 1):
            # By turns, so that what disturbs one question disturbs all of them.
            for name, question in asked.items():
                took_ms = _ask(client, options.url, question, chance, options.accounts)
                if turn > 0:  # the first of each opens connections
                    took[name].append(took_ms)
    least = {name: _low(times) for name, times in took.items()}
    times = {name: least[name] - least["nothing"] for name in QUESTIONS}
    object_ms = max(0.001, (least["objects"] - least["page"]) / 200)
    return {
        "url": options.url,
        "repeat": options.repeat,
        "request_ms": round(least["nothing"], 2),
        "object_ms": round(object_ms, 4),
        "question_ms": {name: round(each, 2) for name, each in times.items()},
        "median_ms": {name: round(statistics.median(each), 2) for name, each in took.items()},
        "to_totals": {
            name: round(each / times["Account.totals"], 1) for name, each in times.items()
        },
        "weights_in_objects": {name: round(each / object_ms) for name, each in times.items()},
    }


def parser() -> argparse.ArgumentParser:
    """Its options."""
    parser = argparse.ArgumentParser(prog="./dev bench cost", description=measure.__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000/graphql")
    parser.add_argument("--repeat", type=int, default=60)
    parser.add_argument("--accounts", type=int, default=200, help="accounts of the sample to ask")
    parser.add_argument("--seed", type=int, default=7)
    return parser


def _ask(
    client: httpx.Client, url: str, question: str, chance: random.Random, accounts: int
) -> float:
    hours = 24 * 30 + chance.randrange(20_000)
    window = WINDOW % hours if "(%s" in question else f"a{hours}: __typename"
    known = {"$id:": "$id: ID!", "$ids:": "$ids: [ID!]"}
    used = [known[f"{name}:"] for name in ("$ids", "$id") if re.search(rf"\{name}\b", question)]
    declared = f"({', '.join(used)})" if used else ""
    ids = [f"acct-{chance.randrange(1, accounts):06d}" for _ in range(SET_OF)]
    body = {
        "query": f"query {declared} {{ {question % window} }}",
        "variables": {"id": ids[0], "ids": ids},
    }
    began = time.perf_counter()
    answer = client.post(url, json=body)
    took_ms = (time.perf_counter() - began) * 1000
    assert "errors" not in answer.json(), answer.text
    return took_ms


def _low(milliseconds: list[float]) -> float:
    ordered = sorted(milliseconds)
    return ordered[int(SHARE * len(ordered))]
