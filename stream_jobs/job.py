"""The Flink job: the SQL of `stream_jobs/sql/` in order, and the one Python function in it."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import zipfile
from pathlib import Path

from pyflink.common import Configuration, Row
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import DataTypes, EnvironmentSettings, StatementSet, StreamTableEnvironment
from pyflink.table.udf import udf

from stream_jobs.event_rules import Rejection
from stream_jobs.event_rules import judge as judge_event
from stream_jobs.job_check import REFUSALS, add_arguments, check, settings_of
from stream_jobs.job_settings import HEARTBEAT_TOPIC, JOB_NAME, JobSettings
from stream_jobs.job_sql import statements
from stream_jobs.operator_ids import name_operators

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
        DataTypes.FIELD("transaction_key", DataTypes.BYTES()),
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
        return Row(HEARTBEAT, *(None,) * 12)
    judged = judge_event(payload, event_time_ms)
    if isinstance(judged, Rejection):
        why = (judged.reason.value, judged.detail)
        what = (judged.payload, judged.payload_base64, judged.payload_bytes)
        where = (kafka_partition, kafka_offset)
        return Row(*why, *what, *where, None, None, None, None, None, event_time_ms)
    name = judged.transaction_id
    # What is remembered for every transaction: 16 bytes, not the 36 characters that spell them.
    key = bytes.fromhex(name.replace("-", ""))
    accounts = (judged.from_account_id, judged.to_account_id)
    return Row(*(None,) * 7, key, name, *accounts, judged.amount, event_time_ms)


def environments(
    settings: JobSettings, restore_from: str | None
) -> tuple[StreamExecutionEnvironment, StreamTableEnvironment]:
    """Environments that plan here and run on the cluster."""
    # Left to guess, PyFlink takes any environment made in Python for one that runs inside this process,
    # and the workers on the cluster would call back here (TableEnvironment._open).
    os.environ["_python_worker_execution_mode"] = "process"  # noqa: SIM112 - PyFlink's own name
    configuration = Configuration()
    for key, value in settings.flink_configuration().items():
        configuration.set_string(key, value)
    if restore_from:
        configuration.set_string("execution.state-recovery.path", restore_from)
    streams = StreamExecutionEnvironment.get_execution_environment(configuration)
    planning = EnvironmentSettings.new_instance().in_streaming_mode()
    tables = StreamTableEnvironment.create(
        streams, planning.with_configuration(configuration).build()
    )
    return streams, tables


def plan(environment: StreamTableEnvironment, settings: JobSettings) -> StatementSet:
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
        streams, tables = environments(settings, restore_from)
        tables.add_python_file(str(_rules_archive(Path(folder))))
        plan(tables, settings).attach_as_datastream()
        name_operators(streams)
        return str(streams.execute_async(JOB_NAME).get_job_id())


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
    add_arguments(parser)
    parser.add_argument("--restore-from", help="savepoint or checkpoint to go on from")
    given = parser.parse_args(arguments)
    settings = settings_of(given)
    try:
        check(settings, given.pinot_controller)
    except REFUSALS as refusal:
        sys.exit(str(refusal))
    print(submit(settings, given.restore_from))


if __name__ == "__main__":
    main(sys.argv[1:])
