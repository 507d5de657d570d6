"""Python's gql over a WebSocket: a subscription's first snapshot."""

from __future__ import annotations

import asyncio
import json
import sys

from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport

SUBSCRIPTION = gql("""subscription { account(id: "acct-000001") {
  topCounterparties(window: {last: {count: 30, unit: DAY}}, first: 3) { rows { accountId } } } }""")


async def main(url: str) -> None:
    """Print how many rows the first snapshot has, and its number."""
    transport = WebsocketsTransport(
        url=url.replace("http", "ws", 1), subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL]
    )
    async with Client(transport=transport) as session:
        async for told in session.subscribe(SUBSCRIPTION, get_execution_result=True):
            rows = told.data["account"]["topCounterparties"]["rows"]
            print(json.dumps({"rows": len(rows), "sequence": told.extensions["sequence"]}))
            break


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
