"""What a running stack shows: the first top-10 as a table, then one line that keeps itself current."""

from __future__ import annotations

import json
import time
from typing import Any

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]
from rich.console import Console
from rich.table import Table
from rich.text import Text

from local_stack import credentials
from local_stack.graphql import GraphQLError, ask
from local_stack.settings import StackSettings
from stream_jobs.topics.clients import admin

PIPELINE = "{ pipeline { state freshnessSeconds entries rejected rejectFlood } }"
BUSIEST = """
{ network { topAccounts(window: {last: {count: 1, unit: YEAR}}, first: 1, orderBy: TRANSACTION_COUNT) {
  rows { accountId } } } }
"""
TOP_SENDERS = """
query TopSenders($accountId: ID!) {
  account(id: $accountId) {
    topCounterparties(window: {last: {count: 30, unit: DAY}}, direction: RECEIVED, first: 10) {
      asOf exact
      rows { rank accountId transactionCount transactionAmount }
      others { transactionCount transactionAmount counterpartyCount }
      total { transactionCount transactionAmount counterpartyCount }
    }
  }
}
"""
FIRST_ANSWER_LIMIT_S = 90


class EventMeter:
    """Events a second on the raw topic, from its end offsets."""

    def __init__(self, settings: StackSettings) -> None:
        self._admin = admin(settings.kafka_servers)
        self._last: tuple[float, int] | None = None

    def rate(self) -> float | None:
        """Events a second since the last call; None the first time or while Kafka does not answer."""
        try:
            count = self._count()
        except KafkaException:
            return None
        now = time.monotonic()
        last, self._last = self._last, (now, count)
        return (count - last[1]) / (now - last[0]) if last else None

    def _count(self) -> int:
        described = self._admin.list_topics("transactions", timeout=2).topics["transactions"]
        newest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        ends = self._admin.list_offsets(
            {TopicPartition("transactions", p): newest for p in described.partitions},
            request_timeout=2,
        )
        return sum(future.result().offset for future in ends.values())


def first_answer(settings: StackSettings, *, traffic: bool) -> dict[str, Any] | None:
    """The first top-10 of the busiest account, once there is one; None if nothing is to be expected.

    Raises:
        GraphQLError: the gateway gave no answer in time; with its last words.

    """
    deadline = time.monotonic() + FIRST_ANSWER_LIMIT_S
    problem = "no account has received anything yet"
    while time.monotonic() < deadline:
        try:
            busiest = _ask(settings, BUSIEST)["network"]["topAccounts"]["rows"]
            if busiest:
                account = busiest[0]["accountId"]
                data = _ask(settings, TOP_SENDERS, {"accountId": account})
                return {"account": account, **data["account"]["topCounterparties"]}
            if not traffic:
                return None
        except GraphQLError as said:
            problem = str(said)
        time.sleep(0.25)
    raise GraphQLError(f"no answer within {FIRST_ANSWER_LIMIT_S} s: {problem}")


def show_top(console: Console, top: dict[str, Any]) -> None:
    """Print a top-10 as a table."""
    table = Table(
        title=Text(f"Top senders to {top['account']}, last 30 days"), title_justify="left"
    )
    table.add_column("#", justify="right")
    table.add_column("account")
    table.add_column("transactions", justify="right")
    table.add_column("amount", justify="right")
    for row in top["rows"]:
        table.add_row(
            str(row["rank"]),
            Text(row["accountId"]),
            str(row["transactionCount"]),
            row["transactionAmount"],
        )
    others, total = top["others"], top["total"]
    table.add_section()
    table.add_row(
        "",
        f"{others['counterpartyCount']} others",
        str(others["transactionCount"]),
        others["transactionAmount"],
    )
    table.add_row(
        "", "total", str(total["transactionCount"]), total["transactionAmount"], style="bold"
    )
    console.print(table)
    exact = "exact" if top["exact"] else "not exact"
    console.print(f"as of {top['asOf']}, {exact}", highlight=False)


def show_addresses(
    console: Console, settings: StackSettings, *, embedded: bool, observed: bool = False
) -> None:
    """Print where everything is."""
    lines = [
        ("live page", f"{settings.gateway_url}/"),
        ("GraphiQL and GraphQL", f"{settings.gateway_url}/graphql"),
        ("documentation", f"{settings.gateway_url}/docs"),
    ]
    if not embedded:
        lines += [
            ("Kafka", settings.kafka_servers),
            ("Flink", settings.flink_url),
            (
                "Pinot",
                f"{settings.pinot_controller_url} (console), {settings.pinot_broker_url} (SQL)",
            ),
        ]
    if observed:
        # Where its pages are differs by who has built it; its front page leads there.
        lines.append(("Prometheus", f"{settings.prometheus_url}/"))
    for name, address in lines:
        console.print(f"  {name:<22} {address}", highlight=False)


def show_credentials(console: Console, settings: StackSettings, *, required: bool) -> None:
    """Print what to send, to see authorisation work."""
    console.print(
        "Each request needs a credential:"
        if required
        else "Without a credential you see everything. To be someone who does not:"
    )
    for whose, header in credentials.demo(settings).items():
        console.print(f"  {whose}", highlight=False, markup=False)
        console.print(f"    {json.dumps(header)}", highlight=False, markup=False)
    console.print(
        "  (the token into the live page, all of it into GraphiQL's Headers tab; ./dev keys makes more keys)"
    )


def _ask(
    settings: StackSettings,
    document: str,
    variables: dict[str, Any] | None = None,
    timeout_s: float = 10,
) -> Any:
    headers = credentials.tool_headers(settings)
    return ask(settings.gateway_url, document, variables, timeout_s, headers)


def pipeline_line(settings: StackSettings, meter: EventMeter) -> str:
    """One line: `1,983 events/s · 48,210 entries · 93 rejected · fresh to 1.4 s · LIVE`."""
    rate = meter.rate()
    flow = f"{rate:,.0f} events/s" if rate is not None else "– events/s"
    try:
        seen = _ask(settings, PIPELINE, timeout_s=3)["pipeline"]
    except GraphQLError as problem:
        return f"{flow} · {problem}"
    flood = " · REJECT FLOOD: most of the input is garbage" if seen["rejectFlood"] else ""
    return (
        f"{flow} · {int(seen['entries']):,} entries · {int(seen['rejected']):,} rejected · "
        f"fresh to {seen['freshnessSeconds']:.1f} s · {seen['state']}{flood}"
    )
