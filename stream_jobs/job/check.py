"""Checks one job's configuration against the Kafka and Pinot that it is to run with."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from stream_jobs.events import settings as event_settings
from stream_jobs.events.dedup_window import DEFAULT_WINDOW
from stream_jobs.events.erased_accounts import ErasedAccounts, add_key_argument, read_key
from stream_jobs.job.configuration_check import ConfigurationError, refuse
from stream_jobs.job.configuration_facts import FactsError, configuration
from stream_jobs.job.effective import cluster_configuration, running_problems
from stream_jobs.job.settings import (
    DEFAULT_CHECKPOINT_INTERVAL,
    DEFAULT_OUTAGE_RESERVE,
    DEFAULT_TRANSACTION_TIMEOUT,
    JobSettings,
)
from stream_jobs.job.statements import statements
from stream_jobs.json_http import JsonHttp, JsonHttpError, pinot_http
from stream_jobs.one_of import one_of
from stream_jobs.secret_files import AccessError
from stream_jobs.topics import names as pipeline_names
from stream_jobs.topics.access import kafka_access
from stream_jobs.topics.admin import KafkaTopicAdmin, KafkaUnreachableError
from stream_jobs.topics.names import NAMES, Names
from stream_jobs.topics.topic import Environment

REFUSALS = (
    AccessError,
    ConfigurationError,
    FactsError,
    KafkaUnreachableError,
    JsonHttpError,
)


def check(settings: JobSettings, pinot_controller: str | None, flink: str | None) -> None:
    """Raises one of REFUSALS if it must not start; without a controller Pinot's rules are left out.

    `flink` is its REST endpoint, host:port; None where it does not run yet: then its own file is not looked at.
    """
    _check_erasures(settings)
    pinot = _table_configs(pinot_controller, settings.names) if pinot_controller else {}
    kafka = KafkaTopicAdmin(settings.kafka_servers)
    cluster = cluster_configuration(JsonHttp(f"http://{flink}")) if flink else None
    refuse(configuration(settings, statements(settings), kafka, pinot, cluster))


def _check_erasures(settings: JobSettings) -> None:
    """Raises AccessError without a key where one is needed, or for a wrong one; it may lie where the workers run, and not here."""
    if settings.erased_accounts is ErasedAccounts.KEPT:
        return
    if settings.erasure_key is None:
        raise AccessError(f"--erased-accounts {settings.erased_accounts} needs --erasure-key")
    if settings.erasure_key.exists():
        read_key("--erasure-key", settings.erasure_key)


def refuse_running(settings: JobSettings, flink: str, job: str) -> None:
    """Raises ConfigurationError if Flink runs the job otherwise than it was checked; it is cancelled then."""
    rest = JsonHttp(f"http://{flink}")
    found = running_problems(settings, rest, job)
    if found:
        rest.patch(f"/jobs/{job}")
        raise ConfigurationError(found)


def _table_configs(controller: str, names: Names) -> dict[str, Any]:
    http = one_of(controller, pinot_http)
    configs = {}
    # By what they are called where there is one pipeline, which is what the rules know them by.
    for known, name in zip(NAMES.tables.values(), names.tables.values(), strict=True):
        answer = http.get(f"/tables/{name}?type=realtime")
        if "REALTIME" not in answer:
            raise FactsError(f"Pinot has no table {name}: apply pinot_config first.")
        configs[known] = answer["REALTIME"]
    return configs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the job is told on the command line, here and when it is submitted."""
    parser.add_argument("--kafka", required=True, help="Kafka's bootstrap servers, host:port")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--flink", help="Flink's REST endpoint, host:port, to submit to")
    where.add_argument(
        "--application",
        action="store_true",
        help="run in the cluster that starts this (application mode), from the newest snapshot in its folders",
    )
    parser.add_argument("--checkpoints", required=True, help="URI of the checkpoint folder")
    parser.add_argument("--savepoints", required=True, help="URI of the savepoint folder")
    pipeline_names.add_arguments(parser)
    parser.add_argument("--parallelism", type=int, default=2)
    parser.add_argument(
        "--dedup-window-s",
        type=int,
        default=round(DEFAULT_WINDOW.total_seconds()),
        help="for how long an id is remembered",
    )
    parser.add_argument(
        "--checkpoint-interval-ms",
        type=int,
        default=round(DEFAULT_CHECKPOINT_INTERVAL.total_seconds() * 1000),
        help="entries become visible so often",
    )
    parser.add_argument(
        "--transaction-timeout-s",
        type=int,
        default=round(DEFAULT_TRANSACTION_TIMEOUT.total_seconds()),
        help="the longest outage that loses nothing",
    )
    parser.add_argument(
        "--outage-reserve-s",
        type=int,
        default=round(DEFAULT_OUTAGE_RESERVE.total_seconds()),
        help="for how much longer ids are remembered than the window, so that being away takes nothing of it",
    )
    parser.add_argument(
        "--environment",
        type=Environment,
        choices=list(Environment),
        default=Environment.PRODUCTION,
        help="how many copies Kafka must keep: as the topics' files say for it",
    )
    event_settings.add_arguments(parser)
    parser.add_argument(
        "--erased-accounts",
        type=ErasedAccounts,
        choices=list(ErasedAccounts),
        default=ErasedAccounts.KEPT,
        help="what becomes of events that name an account after it was erased (%(default)s)",
    )
    add_key_argument(parser)
    parser.add_argument("--pinot-controller", metavar="URL", help="check Pinot's tables as well")
    parser.add_argument(
        "--restore-from",
        metavar="URI",
        help="savepoint or checkpoint to go on from; without it, only where nothing was counted yet",
    )
    parser.add_argument(
        "--after-outage",
        action="store_true",
        help="however old the snapshot is, and without what its sinks still had to commit: repair writes that",
    )


def settings_of(given: argparse.Namespace) -> JobSettings:
    """The job's settings out of parsed arguments."""
    return JobSettings(
        kafka_servers=given.kafka,
        flink_rest=given.flink,
        python=Path(sys.executable),
        checkpoints=given.checkpoints,
        savepoints=given.savepoints,
        parallelism=given.parallelism,
        transaction_timeout=timedelta(seconds=given.transaction_timeout_s),
        rules=event_settings.of_arguments(given),
        dedup_window=timedelta(seconds=given.dedup_window_s),
        outage_reserve=timedelta(seconds=given.outage_reserve_s),
        environment=given.environment,
        checkpoint_interval=timedelta(milliseconds=given.checkpoint_interval_ms),
        names=pipeline_names.names_of(given),
        access=kafka_access(given.kafka),
        erased_accounts=given.erased_accounts,
        erasure_key=given.erasure_key,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: it may start; 1: it must not, and why; 2: usage."""
    parser = argparse.ArgumentParser(prog="python -m stream_jobs.job.check", description=__doc__)
    add_arguments(parser)
    given = parser.parse_args(arguments)
    try:
        check(settings_of(given), given.pinot_controller, given.flink)
    except REFUSALS as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
