"""The gateway on the stub store, for `./dev bench live`: `python -m tests.load.live_server [--changes] PORT`."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from typing import Any

from gateway import settings as gateway_settings
from gateway.analytics.asking import StoreResult
from gateway.analytics.query_plan import QueryPlan, TotalsRow
from gateway.app import create_app
from tests.load.gateway.stub_store import StubStore
from tests.load.serving import serve


class ChangingStore(StubStore):
    """Has one transaction more each second."""

    async def fetch(self, plan: QueryPlan[Any], timeout_s: float) -> StoreResult[Any]:
        """The stub's rows, counted on."""
        result = await super().fetch(plan, timeout_s)
        rows = [
            replace(row, transaction_count=int(time.time())) if isinstance(row, TotalsRow) else row
            for row in result.rows
        ]
        return replace(result, rows=tuple(rows))


def main() -> int:
    """Serve until stopped, as the gateway itself does."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--changes", action="store_true")
    parser.add_argument("port", type=int)
    options = parser.parse_args()
    store = ChangingStore() if options.changes else StubStore()
    serve(create_app(gateway_settings.read(), store), options.port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
