"""The gateway on the stub store, for `./dev bench live`: `python -m tests.load.live_server [--changes] PORT`."""

from __future__ import annotations

import argparse
import gc
import sys
import time
from dataclasses import replace
from typing import Any

import uvicorn

from gateway import settings as gateway_settings
from gateway.analytics.asking import StoreResult
from gateway.analytics.query_plan import QueryPlan, TotalsRow
from gateway.app import create_app
from gateway.documents.line import YIELD_S
from gateway.process.connection import speaking
from gateway.process.connections import Connections, Limits
from tests.load.gateway.stub_store import StubStore


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
    config = uvicorn.Config(
        create_app(gateway_settings.read(), store),
        interface="asgi3",
        host="127.0.0.1",
        port=options.port,
        loop="uvloop",
        http=speaking(Connections(Limits())),
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=20_000,
        timeout_graceful_shutdown=2,
    )
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(YIELD_S)
    uvicorn.Server(config).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
