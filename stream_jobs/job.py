"""The Flink job: the SQL of `stream_jobs/sql/` in order, and the two Python functions in it."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from pyflink.common import Configuration, Row
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import DataTypes, EnvironmentSettings, StatementSet, StreamTableEnvironment
from pyflink.table.udf import udf, udtf

from stream_jobs.event_rules import Rejection
from stream_jobs.event_rules import judge as judge_event
from stream_jobs.job_check import REFUSALS, add_arguments, check, settings_of
from stream_jobs.job_settings import HEARTBEAT_TOPIC, JOB_NAME, JobSettings
from stream_jobs.job_sql import statements
from stream_jobs.operator_ids import name_operators
from stream_jobs.reversals import Arrival, content, settle

PACKAGE = Path(__file__).resolve().parent
# What a record is; one that is nothing of the four does not exist.
TRANSFER, REVERSAL, REJECTED, HEARTBEAT = "TRANSFER", "REVERSAL", "REJECTED", "HEARTBEAT"
REJECTED_FIELDS = (
    ("reason", DataTypes.STRING()),
    ("detail", DataTypes.STRING()),
    ("payload", DataTypes.STRING()),
    ("payload_base64", DataTypes.STRING()),
    ("payload_bytes", DataTypes.INT()),
    ("kafka_partition", DataTypes.INT()),
    ("kafka_offset", DataTypes.BIGINT()),
)
EVENT_FIELDS = (
    ("transaction_id", DataTypes.STRING()),
    ("from_account_id", DataTypes.STRING()),
    ("to_account_id", DataTypes.STRING()),
    ("amount", DataTypes.STRING()),
    ("event_time_ms", DataTypes.BIGINT()),
)
# `transaction_key` is a transfer's id, of a reversal the id of the transfer that it undoes; a transfer has its
# `content`, a reversal all it is as `reversal`.
VERDICT = DataTypes.ROW(
    [
        DataTypes.FIELD(*field)
        for field in (
            ("kind", DataTypes.STRING()),
            *REJECTED_FIELDS,
            *EVENT_FIELDS,
            ("transaction_key", DataTypes.BYTES()),
            ("content", DataTypes.BIGINT()),
            ("reversal", DataTypes.STRING()),
        )
    ]
)
FATE = [kind for _, kind in (*REJECTED_FIELDS, *EVENT_FIELDS)] + [DataTypes.STRING()]
NOTHING = (None,) * len(REJECTED_FIELDS)


def verdict(
    payload: bytes | None, event_time_ms: int, topic: str, kafka_partition: int, kafka_offset: int
) -> Row:
    """One record's judgement as a row: a reason and the raw bytes, or a transfer, or a reversal."""
    if topic == HEARTBEAT_TOPIC:
        return Row(HEARTBEAT, *(None,) * 15)
    judged = judge_event(payload, event_time_ms)
    if isinstance(judged, Rejection):
        kept = _kept(judged, kafka_partition, kafka_offset)
        return Row(REJECTED, *kept, *(None,) * 4, event_time_ms, *(None,) * 3)
    name = judged.transaction_id
    accounts = (judged.from_account_id, judged.to_account_id)
    event = (*NOTHING, name, *accounts, judged.amount, event_time_ms)
    if judged.reverses is None:
        return Row(TRANSFER, *event, _key(name), content(judged), None)
    where = (kafka_partition, kafka_offset)
    arrival = Arrival(payload or b"", event_time_ms, *where, content(judged))
    return Row(REVERSAL, *event, _key(judged.reverses), None, arrival.packed())


def fates(arrival: str | None, original: int | None, arrivals: str | None) -> Iterator[Row]:
    """What `settle` decides, as rows: a reason and the raw bytes, or a reversal that takes effect."""
    for settled in settle(arrival, original, arrivals):
        came, judged = settled.arrival, settled.verdict
        if isinstance(judged, Rejection):
            kept = _kept(judged, came.kafka_partition, came.kafka_offset)
            yield Row(*kept, *(None,) * 4, came.event_time_ms, None)
        else:
            accounts = (judged.from_account_id, judged.to_account_id)
            undone = (f"-{judged.amount}", came.event_time_ms, judged.reverses)
            yield Row(*NOTHING, judged.transaction_id, *accounts, *undone)


def _kept(judged: Rejection, kafka_partition: int, kafka_offset: int) -> tuple[object, ...]:
    why = (judged.reason.value, judged.detail)
    what = (judged.payload, judged.payload_base64, judged.payload_bytes)
    return (*why, *what, kafka_partition, kafka_offset)


def _key(transaction_id: str) -> bytes:
    """What is remembered for every transaction: 16 bytes, not the 36 characters that spell them."""
    return bytes.fromhex(transaction_id.replace("-", ""))


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
    environment.create_temporary_function("settle", udtf(fates, result_types=FATE))
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
