"""Time of each kind of question, as points of the schema's cost: what its weights should be."""

from __future__ import annotations

import argparse
import random
import statistics
import time
from typing import Any

import httpx

WINDOW = "window: {last: {count: %d, unit: HOUR}}"
QUESTIONS = {
    "Account.totals": "account(id: $id) { totals(%s) { transactionCount } }",
    "Account.totals compareTo": "account(id: $id) { totals(%s, compareTo: PREVIOUS_YEAR) { transactionCount } }",
    "Totals.counterpartyCount": "account(id: $id) { totals(%s) { counterpartyCount } }",
    "Account.netFlow": "account(id: $id) { netFlow(%s) { netAmount } }",
    "Account.topCounterparties": "account(id: $id) { topCounterparties(%s) { exact } }",
    "Account.topCounterparties compareTo": "account(id: $id) { topCounterparties(%s, compareTo: PREVIOUS_YEAR) { exact } }",
    "Account.timeSeries": "account(id: $id) { timeSeries(%s, granularity: YEAR) { exact } }",
    "Account.transactions": "account(id: $id) { transactions(%s) { exact } }",
    "Network.totals": "network { totals(%s) { transactionCount } }",
    "Network.topAccounts": "network { topAccounts(%s) { exact } }",
    "Network.timeSeries": "network { timeSeries(%s, granularity: YEAR) { exact } }",
    "Pipeline.entries": "pipeline { entries x: __typename %s }",
}
NOTHING = "limits { maxFirst x: __typename %s }"
OBJECTS = "account(id: $id) { transactions(%s, first: 100) { edges { node { amount } } } }"


def measure(arguments: list[str]) -> dict[str, Any]:
    """Figures from a running gateway, one question at a time; windows differ, so no cache helps."""
    parser = argparse.ArgumentParser(prog="./dev bench cost", description=measure.__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000/graphql")
    parser.add_argument("--repeat", type=int, default=60)
    parser.add_argument("--accounts", type=int, default=200, help="accounts of the sample to ask")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args(arguments)
    chance = random.Random(options.seed)
    with httpx.Client() as client:

        def median_ms(question: str) -> float:
            took = []
            for _ in range(options.repeat):
                hours = 24 * 30 + chance.randrange(20_000)
                window = WINDOW % hours if "(%s" in question else f"a{hours}: __typename"
                used = "($id: ID!)" if "$id" in question else ""
                name = f"acct-{chance.randrange(1, options.accounts):06d}"
                body = {
                    "query": f"query {used} {{ {question % window} }}",
                    "variables": {"id": name},
                }
                began = time.perf_counter()
                answer = client.post(options.url, json=body)
                took.append((time.perf_counter() - began) * 1000)
                assert "errors" not in answer.json(), answer.text
            return statistics.median(took)

        median_ms(NOTHING)
        base_ms = median_ms(NOTHING)
        times = {name: median_ms(question) - base_ms for name, question in QUESTIONS.items()}
        page = QUESTIONS["Account.transactions"].replace("(%s)", "(%s, first: 100)")
        object_ms = max(0.001, (median_ms(OBJECTS) - median_ms(page)) / 200)
    return {
        "url": options.url,
        "repeat": options.repeat,
        "request_ms": round(base_ms, 2),
        "object_ms": round(object_ms, 4),
        "question_ms": {name: round(each, 2) for name, each in times.items()},
        "to_totals": {
            name: round(each / times["Account.totals"], 1) for name, each in times.items()
        },
        "weights_in_objects": {name: round(each / object_ms) for name, each in times.items()},
    }
