"""Checks one job's configuration against the Kafka and Pinot that it is to run with."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from stream_jobs.configuration_check import ConfigurationError, refuse
from stream_jobs.configuration_facts import FactsError, configuration
from stream_jobs.job_settings import DEFAULT_TRANSACTION_TIMEOUT, JobSettings
from stream_jobs.job_sql import statements
from stream_jobs.json_http import JsonHttp, JsonHttpError
from stream_jobs.kafka_admin import KafkaTopicAdmin, KafkaUnreachableError

PINOT_TABLES = ("account_entries", "transactions_rejected")
REFUSALS = (ConfigurationError, FactsError, KafkaUnreachableError, JsonHttpError)


def check(settings: JobSettings, pinot_controller: str | None) -> None:
    """Raises one of REFUSALS if it must not start; without a controller Pinot's rules are left out."""
    pinot = _table_configs(pinot_controller) if pinot_controller else {}
    kafka = KafkaTopicAdmin(settings.kafka_servers)
    refuse(configuration(settings, statements(settings), kafka, pinot))


def _table_configs(controller: str) -> dict[str, Any]:
    http = JsonHttp(controller)
    configs = {}
    for name in PINOT_TABLES:
        answer = http.get(f"/tables/{name}?type=realtime")
        if "REALTIME" not in answer:
            raise FactsError(f"Pinot has no table {name}: apply pinot_config first.")
        configs[name] = answer["REALTIME"]
    return configs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the job is told on the command line, here and when it is submitted."""
    parser.add_argument("--kafka", required=True, help="Kafka's bootstrap servers, host:port")
    parser.add_argument("--flink", required=True, help="Flink's REST endpoint, host:port")
    parser.add_argument("--checkpoints", required=True, help="URI of the checkpoint folder")
    parser.add_argument("--savepoints", required=True, help="URI of the savepoint folder")
    parser.add_argument("--parallelism", type=int, default=2)
    parser.add_argument(
        "--transaction-timeout-s",
        type=int,
        default=round(DEFAULT_TRANSACTION_TIMEOUT.total_seconds()),
        help="the longest outage that loses nothing",
    )
    parser.add_argument("--pinot-controller", metavar="URL", help="check Pinot's tables as well")


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
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: it may start; 1: it must not, and why; 2: usage."""
    parser = argparse.ArgumentParser(prog="python -m stream_jobs.job_check", description=__doc__)
    add_arguments(parser)
    given = parser.parse_args(arguments)
    try:
        check(settings_of(given), given.pinot_controller)
    except REFUSALS as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
