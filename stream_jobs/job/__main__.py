"""Submits the Flink job: the SQL of `stream_jobs/job/sql/` in order, with its two Python functions."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import zipfile
from functools import partial
from pathlib import Path
from typing import Any, Final

from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import EnvironmentSettings, StatementSet, StreamTableEnvironment

from stream_jobs.events.erased_accounts import ErasedAccounts
from stream_jobs.job.check import REFUSALS, add_arguments, check, refuse_running, settings_of
from stream_jobs.job.erasures import followed
from stream_jobs.job.first_start import CountedAlreadyError, refuse_to_count_again
from stream_jobs.job.flink_files import FlinkFiles
from stream_jobs.job.functions import judge_function, settle_function
from stream_jobs.job.newest_snapshot import forget_others, newest
from stream_jobs.job.operator_ids import name_operators
from stream_jobs.job.resuming import RESUMING, resume
from stream_jobs.job.settings import JobSettings
from stream_jobs.job.statements import statements
from stream_jobs.topics.kafka_offsets import KafkaOffsets, KafkaOffsetsError

PACKAGE = Path(__file__).resolve().parents[1]


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
    environment.create_temporary_function("judge", _judge(settings))
    environment.create_temporary_function("settle", settle_function(settings.rules))
    inserts = environment.create_statement_set()
    for statement in statements(settings):
        if "INSERT INTO" in statement:
            inserts.add_insert_sql(statement)
        else:
            environment.execute_sql(statement)
    return inserts


def _judge(settings: JobSettings) -> Any:
    if settings.erased_accounts is ErasedAccounts.KEPT or settings.erasure_key is None:
        return judge_function(settings.rules)
    names = settings.names
    follow = partial(
        followed,
        *(settings.kafka_servers, names.erasures_topic, names.group, settings.erasure_key),
    )
    refuse = settings.erased_accounts is ErasedAccounts.REFUSED
    return judge_function(settings.rules, follow, refuse=refuse)


IN_THE_CLUSTER: Final = "127.0.0.1:8081"
"""Flink's REST endpoint, seen from a job manager that starts its job itself."""


def submit(settings: JobSettings, restore_from: str | None) -> str:
    """Submit the job and return its id, started from a savepoint or checkpoint if one is named."""
    with tempfile.TemporaryDirectory() as folder:
        streams, tables = environments(settings, restore_from)
        tables.add_python_file(str(_rules_archive(Path(folder))))
        plan(tables, settings).attach_as_datastream()
        name_operators(streams)
        return str(streams.execute_async(settings.names.job).get_job_id())


def _rules_archive(folder: Path) -> Path:
    """The Python code that the job's workers import, as one archive for Flink to ship."""
    archive = folder / "stream_jobs.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for source in sorted(PACKAGE.rglob("*.py")):
            packed.write(source, source.relative_to(PACKAGE.parent))
    return archive


def main(arguments: list[str]) -> None:
    """Submit from the command line; prints the job's id."""
    parser = argparse.ArgumentParser(prog="python -m stream_jobs.job", description=submit.__doc__)
    add_arguments(parser)
    given = parser.parse_args(arguments)
    try:
        settings = settings_of(given)
        flink = settings.flink_rest or IN_THE_CLUSTER
        check(settings, given.pinot_controller, flink)
        kafka = KafkaOffsets(settings.kafka_servers, settings.names.group)
        restore_from = given.restore_from or (_newest(settings) if given.application else None)
        if restore_from:
            settings = resume(settings, kafka, restore_from, after_outage=given.after_outage)
        else:
            refuse_to_count_again(kafka, settings.names)
        job = submit(settings, restore_from)
        refuse_running(settings, flink, job)
    except (*REFUSALS, CountedAlreadyError, *RESUMING, KafkaOffsetsError) as refusal:
        sys.exit(str(refusal))
    print(job)


def _newest(settings: JobSettings) -> str | None:
    """What a job that is started again goes on from; what is older than that is removed."""
    files = FlinkFiles()
    found = newest(files, settings.checkpoints, settings.savepoints)
    if found is None:
        print("no snapshot is there yet", flush=True)
        return None
    for folder in forget_others(files, settings.checkpoints, found):
        print(f"removed {folder}, which is older", flush=True)
    print(f"going on from {found.uri}, number {found.number}", flush=True)
    return found.uri


if __name__ == "__main__":
    main(sys.argv[1:])
