"""The Flink job: the SQL of `stream_jobs/sql/` in order, and the one Python function in it."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import zipfile
from pathlib import Path
from string import Template

from pyflink.common import Configuration, Row
from pyflink.table import DataTypes, EnvironmentSettings, StatementSet, TableEnvironment
from pyflink.table.udf import udf

from stream_jobs.event_rules import Rejection
from stream_jobs.event_rules import judge as judge_event
from stream_jobs.job_settings import HEARTBEAT_TOPIC, JobSettings

PACKAGE = Path(__file__).resolve().parent
# The reason of a record that is no event; sql/31 leaves it out.
HEARTBEAT = "HEARTBEAT"
VERDICT = DataTypes.ROW(
    [
        DataTypes.FIELD("reason", DataTypes.STRING()),
        DataTypes.FIELD("detail", DataTypes.STRING()),
        DataTypes.FIELD("payload", DataTypes.STRING()),
        DataTypes.FIELD("payload_base64", DataTypes.STRING()),
        DataTypes.FIELD("payload_bytes", DataTypes.INT()),
        DataTypes.FIELD("kafka_partition", DataTypes.INT()),
        DataTypes.FIELD("kafka_offset", DataTypes.BIGINT()),
        DataTypes.FIELD("transaction_id", DataTypes.STRING()),
        DataTypes.FIELD("from_account_id", DataTypes.STRING()),
        DataTypes.FIELD("to_account_id", DataTypes.STRING()),
        DataTypes.FIELD("amount", DataTypes.STRING()),
        DataTypes.FIELD("event_time_ms", DataTypes.BIGINT()),
    ]
)


def verdict(
    payload: bytes | None, event_time_ms: int, topic: str, kafka_partition: int, kafka_offset: int
) -> Row:
    """One record's judgement as a row: a reason and the raw bytes, or a transfer."""
    if topic == HEARTBEAT_TOPIC:
        return Row(HEARTBEAT, *(None,) * 11)
    judged = judge_event(payload, event_time_ms)
    if isinstance(judged, Rejection):
        why = (judged.reason.value, judged.detail)
        what = (judged.payload, judged.payload_base64, judged.payload_bytes)
        where = (kafka_partition, kafka_offset)
        return Row(*why, *what, *where, None, None, None, None, event_time_ms)
    accounts = (judged.from_account_id, judged.to_account_id)
    return Row(*(None,) * 7, judged.transaction_id, *accounts, judged.amount, event_time_ms)


def statements(settings: JobSettings) -> list[str]:
    """The job's SQL statements in the order of their file names, placeholders filled in."""
    literals = settings.sql_literals()
    return [
        Template(file.read_text()).substitute(literals)
        for file in sorted((PACKAGE / "sql").glob("*.sql"))
    ]


def table_environment(settings: JobSettings, restore_from: str | None) -> TableEnvironment:
    """An environment that plans here and runs on the cluster."""
    # Left to guess, PyFlink takes any environment made in Python for one that runs inside this process,
    # and the workers on the cluster would call back here (TableEnvironment._open).
    os.environ["_python_worker_execution_mode"] = "process"  # noqa: SIM112 - PyFlink's own name
    configuration = Configuration()
    for key, value in settings.flink_configuration().items():
        configuration.set_string(key, value)
    if restore_from:
        configuration.set_string("execution.state-recovery.path", restore_from)
    return TableEnvironment.create(
        EnvironmentSettings.new_instance()
        .in_streaming_mode()
        .with_configuration(configuration)
        .build()
    )


def plan(environment: TableEnvironment, settings: JobSettings) -> StatementSet:
    """Tables and views made, and both insertions in one job."""
    environment.create_temporary_function("judge", udf(verdict, result_type=VERDICT))
    inserts = environment.create_statement_set()
    for statement in statements(settings):
        if "INSERT INTO" in statement:
            inserts.add_insert_sql(statement)
        else:
            environment.execute_sql(statement)
    return inserts


def submit(settings: JobSettings, restore_from: str | None) -> str:
    """Submit the job and return its id, started from a savepoint or checkpoint if one is named."""
    with tempfile.TemporaryDirectory() as folder:
        environment = table_environment(settings, restore_from)
        environment.add_python_file(str(_rules_archive(Path(folder))))
        client = plan(environment, settings).execute().get_job_client()
        if client is None:
            raise RuntimeError("Flink took the job but gave no handle to it.")
        return str(client.get_job_id())


def _rules_archive(folder: Path) -> Path:
    """The Python code that the job's workers import, as one archive for Flink to ship."""
    archive = folder / "stream_jobs.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for source in sorted(PACKAGE.glob("*.py")):
            packed.write(source, f"stream_jobs/{source.name}")
    return archive


def main(arguments: list[str]) -> None:
    """Submit from the command line; prints the job's id."""
    parser = argparse.ArgumentParser(prog="python -m stream_jobs.job", description=submit.__doc__)
    parser.add_argument("--kafka", required=True, help="Kafka's bootstrap servers, host:port")
    parser.add_argument("--flink", required=True, help="Flink's REST endpoint, host:port")
    parser.add_argument("--checkpoints", required=True, help="URI of the checkpoint folder")
    parser.add_argument("--savepoints", required=True, help="URI of the savepoint folder")
    parser.add_argument("--parallelism", type=int, default=2)
    parser.add_argument("--restore-from", help="savepoint or checkpoint to go on from")
    given = parser.parse_args(arguments)
    settings = JobSettings(
        kafka_servers=given.kafka,
        flink_rest=given.flink,
        python=Path(sys.executable),
        checkpoints=given.checkpoints,
        savepoints=given.savepoints,
        parallelism=given.parallelism,
    )
    print(submit(settings, given.restore_from))


if __name__ == "__main__":
    main(sys.argv[1:])
