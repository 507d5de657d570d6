"""The load generator's process for sessions: reads an order and a crowd as JSON on stdin, writes its report."""

from __future__ import annotations

import json
import sys
from functools import cache
from typing import Any

from tests.load.gateway import mix, orders, sender
from tests.load.gateway.schedule import Script
from tests.load.sessions.people import Asked, Crowd, questions


def main() -> int:
    """Run one order."""
    given = json.load(sys.stdin)
    order = orders.read(given["order"])
    seconds = sum(phase.seconds for phase in order.phases)
    return sender.run(order, script(Crowd(**given["crowd"]), given["from_s"], seconds))


def script(crowd: Crowd, from_s: float, seconds: float) -> Script:
    """What a crowd sends in so many seconds from then on, as whole HTTP requests."""
    asked = [each for each in questions(crowd) if from_s <= each.due_s < from_s + seconds]
    return Script([each.due_s - from_s for each in asked], [request(each) for each in asked])


def request(asked: Asked) -> bytes:
    """One question as an HTTP request."""
    return mix.post(body(asked))


def body(asked: Asked) -> dict[str, Any]:
    """One question as GraphQL over HTTP has it."""
    return {"query": _text(asked.document), "variables": asked.variables}


@cache
def _text(document: str) -> str:
    return (mix.OPERATIONS / f"{document}.graphql").read_text()


if __name__ == "__main__":
    sys.exit(main())
