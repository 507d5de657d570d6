"""The rival on Node: Mercurius with graphql-jit, on the SDL of ours and on answers of ours as its data."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local_stack.settings import CHECKOUT
from tests.load.gateway import mix
from tests.load.gateway.running import Server, serving

FOLDER = CHECKOUT / "tests" / "load" / "mercurius"
SDL = CHECKOUT / "graphql_schema" / "schema.graphql"
_REMAINDER = "counterpartyCount transactionCount transactionAmount"
_TOTALS = """asOf exact transactionCount transactionAmount averageAmount counterpartyCount comparison {
  transactionCount transactionAmount transactionCountChange transactionAmountChange
  transactionAmountChangeRatio }"""
_TOP = f"""asOf exact window {{ start end timeZone }}
  rows {{ rank accountId transactionCount transactionAmount shareOfAmount }}
  others {{ {_REMAINDER} }} total {{ {_REMAINDER} }}"""
_PAGE = """edges { cursor node { transactionId time direction counterpartyId amount } }
  pageInfo { hasNextPage endCursor }"""
_EVERYTHING = f"""
query Everything($id: ID!, $window: WindowInput!, $zone: TimeZone!) {{
  account(id: $id) {{
    totalsRECEIVED: totals(window: $window, compareTo: PREVIOUS_PERIOD) {{ {_TOTALS} }}
    totalsSENT: totals(window: $window, direction: SENT, compareTo: PREVIOUS_PERIOD) {{ {_TOTALS} }}
    topCounterparties10: topCounterparties(window: $window, timeZone: $zone) {{ {_TOP} }}
    topCounterparties5: topCounterparties(window: {{calendar: THIS_MONTH}}, timeZone: $zone, first: 5) {{ {_TOP} }}
    timeSeries(window: {{calendar: THIS_MONTH}}, timeZone: $zone, granularity: DAY) {{
      points {{ start end partial transactionCount transactionAmount }} }}
    netFlow(window: {{calendar: THIS_MONTH}}, timeZone: $zone) {{ netAmount }}
    transactions10: transactions(window: $window, first: 10) {{ {_PAGE} }}
    transactions5: transactions(window: {{calendar: THIS_MONTH}}, timeZone: $zone, first: 5) {{ {_PAGE} }}
  }}
  network {{ totals(window: $window) {{ asOf exact transactionCount transactionAmount }} }}
  pipeline {{ asOf freshnessSeconds state dataSource entries rejected rejectedByReason {{ reason count }} }}
}}
"""


def available() -> bool:
    """Whether this machine has Node and npm."""
    return shutil.which("node") is not None and shutil.which("npm") is not None


@contextmanager
def mercurius(
    ours: Server, account_id: str, window: dict[str, Any], data: Path
) -> Iterator[Server]:
    """Serve with our answers as data; installs its locked packages first, once."""
    if not (FOLDER / "node_modules" / ".package-lock.json").exists():
        subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=FOLDER, check=True)
    variables = {"id": account_id, "window": window, "zone": mix.OTHERS["timeZone"]}
    body = {"query": _EVERYTHING, "variables": variables}
    answer = ours.ask(body)["data"]
    found = {**answer["account"], "pipeline": answer["pipeline"]}
    found["networkTotals"] = answer["network"]["totals"]
    data.parent.mkdir(parents=True, exist_ok=True)
    data.write_text(json.dumps(found))
    program = ["node", str(FOLDER / "server.mjs"), str(SDL), str(data), "{port}"]
    with serving("mercurius", program, {"NODE_ENV": "production"}) as server:
        yield server
