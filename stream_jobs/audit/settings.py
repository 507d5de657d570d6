"""What the audit is told from outside, by arguments; nothing is read from the environment."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stream_jobs.audit.frontier import Topics
from stream_jobs.dedup_window import DEFAULT, DedupWindow
from stream_jobs.job_settings import CONSUMER_GROUP

AUDIT_TOPIC = "pipeline-audit"


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """Addresses, names and limits of one audit."""

    kafka_servers: str
    controller_url: str
    broker_url: str
    state: Path
    host: str
    metrics_port: int
    consumer_group: str
    topics: Topics
    table: str
    audit_topic: str
    window: DedupWindow


def parsed(arguments: Sequence[str] | None) -> AuditSettings:
    """The settings of a command line; exits with 2 for a wrong one."""
    parser = argparse.ArgumentParser(
        prog="python -m stream_jobs.audit",
        description="Compares raw events, entries and Pinot's rows for as long as it runs.",
    )
    add = parser.add_argument
    add("--kafka", required=True, metavar="SERVERS", help="host:port,…")
    add("--controller", required=True, metavar="URL", help="Pinot's controller")
    add("--broker", required=True, metavar="URL", help="Pinot's broker")
    add("--state", required=True, type=Path, metavar="FILE", help="what it remembers; SQLite")
    add("--host", default="127.0.0.1", help="address of /metrics and /healthz (%(default)s)")
    add("--metrics-port", type=int, default=18100, help="their port; 0: any (%(default)s)")
    add("--group", default=CONSUMER_GROUP, help="the job's consumer group (%(default)s)")
    add("--raw-topic", default=Topics().raw, help="the events (%(default)s)")
    add("--entries-topic", default=Topics().entries, help="the entries (%(default)s)")
    add("--table", default="account_entries", help="Pinot's table of the entries (%(default)s)")
    add("--audit-topic", default=AUDIT_TOPIC, help="where the state is published (%(default)s)")
    add("--dedup-window-ms", type=int, default=DEFAULT.window_ms, help="as the job's (%(default)s)")
    add(
        "--dedup-slack-ms",
        type=int,
        default=DEFAULT.slack_ms,
        help="where either outcome is right (%(default)s)",
    )
    given = parser.parse_args(arguments)
    return AuditSettings(
        given.kafka,
        given.controller,
        given.broker,
        given.state,
        given.host,
        given.metrics_port,
        given.group,
        Topics(given.raw_topic, given.entries_topic),
        given.table,
        given.audit_topic,
        DedupWindow(given.dedup_window_ms, given.dedup_slack_ms),
    )
