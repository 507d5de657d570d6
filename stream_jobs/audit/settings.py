"""What the audit is told from outside, by arguments; nothing is read from the environment."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stream_jobs import http_access
from stream_jobs.events import settings as event_settings
from stream_jobs.events.dedup_window import DEFAULT, DedupWindow
from stream_jobs.events.erased_accounts import add_key_argument, read_key
from stream_jobs.events.settings import EventRules
from stream_jobs.secret_files import AccessError
from stream_jobs.topics.access import checked
from stream_jobs.topics.lease import add_lease_argument
from stream_jobs.topics.names import Names, add_arguments, names_of


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """Addresses, names and limits of one audit."""

    kafka_servers: str
    controller_url: str
    broker_url: str
    state: Path
    host: str
    metrics_port: int
    names: Names
    window: DedupWindow
    rules: EventRules
    lease_s: int | None
    erasure_key: Path | None


def parsed(arguments: Sequence[str] | None) -> AuditSettings:
    """The settings of a command line; exits with 2 for a wrong one."""
    parser = argparse.ArgumentParser(
        prog="python -m stream_jobs.audit",
        description="Compares raw events, entries and Pinot's rows for as long as it runs.",
    )
    add = parser.add_argument
    add("--kafka", required=True, metavar="SERVERS", help="host:port,…")
    add("--controller", required=True, metavar="URL", help="Pinot's controller, or several: URL,…")
    add("--broker", required=True, metavar="URL", help="Pinot's broker, or several")
    add(
        "--state",
        required=True,
        type=Path,
        metavar="FILE",
        help="what it keeps between runs; what counted, by id, lies in a folder beside it",
    )
    add("--host", default="127.0.0.1", help="address of /metrics and /healthz (%(default)s)")
    add("--metrics-port", type=int, default=18100, help="their port; 0: any (%(default)s)")
    add_arguments(parser)
    add("--dedup-window-ms", type=int, default=DEFAULT.window_ms, help="as the job's (%(default)s)")
    add(
        "--dedup-slack-ms",
        type=int,
        default=DEFAULT.slack_ms,
        help="where either outcome is right (%(default)s)",
    )
    event_settings.add_arguments(parser)
    add_key_argument(parser)
    add_lease_argument(parser)
    given = parser.parse_args(arguments)
    checked(parser, given.kafka)
    http_access.checked(parser)
    if given.erasure_key is not None:
        try:
            read_key("--erasure-key", given.erasure_key)
        except AccessError as fault:
            parser.error(str(fault))
    return AuditSettings(
        given.kafka,
        given.controller,
        given.broker,
        given.state,
        given.host,
        given.metrics_port,
        names_of(given),
        DedupWindow(given.dedup_window_ms, given.dedup_slack_ms),
        event_settings.of_arguments(given),
        given.lease,
        given.erasure_key,
    )
