"""The job of a checkout's code on the local stack: how it is submitted, and where that code is kept."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import httpx

from local_stack import secure, snapshots, versions
from local_stack.flink_job import FlinkJob, JobError, job_arguments
from local_stack.flink_parts import flink_environment
from local_stack.settings import CHECKOUT, StackSettings
from local_stack.zookeeper import remembered_jobs
from stream_jobs.job.first_start import counted_in
from stream_jobs.topics.kafka_offsets import KafkaOffsets
from stream_jobs.topics.names import NAMES

SUBMIT_LIMIT_S = 480


def local_job(
    settings: StackSettings,
    python: Path,
    environment: Mapping[str, str],
    stopping: Callable[[], bool],
    source: Path = CHECKOUT,
    *,
    after_outage: bool = False,
) -> FlinkJob:
    """The job of the code in `source` on the local stack; `after_outage`: however long it was away."""
    folder = settings.data / "flink"
    version = versions.digest(settings, python, source)
    return FlinkJob(
        rest=httpx.Client(base_url=settings.flink_url, timeout=10, trust_env=False),
        folder=folder,
        digest=version,
        submit=partial(
            _submit,
            settings,
            python,
            environment,
            partial(versions.keep, folder, version, source),
            after_outage,
        ),
        remembered=partial(remembered_jobs, settings.zookeeper),
        entries_exist=partial(_entries_exist, settings.kafka_servers),
        stopping=stopping,
        after_outage=after_outage,
    )


def last_source(settings: StackSettings) -> Path:
    """Where the code of the job that was submitted last lies; the checkout if none was."""
    folder = settings.data / "flink"
    last = snapshots.submitted(folder)
    kept = versions.folder_of(folder, last.digest) if last else CHECKOUT
    return kept if kept.is_dir() else CHECKOUT


def _submit(
    settings: StackSettings,
    python: Path,
    environment: Mapping[str, str],
    keep_code: Callable[[], Path],
    after_outage: bool,
    restore: Path | None,
    parallelism: int,
) -> str:
    """Submit with PyFlink in a process of its own.

    Raises:
        JobError: with the end of what it said.

    """
    code = keep_code()
    command = [str(python), "-P", "-m", "stream_jobs.job", *job_arguments(settings, parallelism)]
    if restore is not None:
        command += ["--restore-from", f"file://{restore}"]
        command += ["--after-outage"] if after_outage else []
    try:
        said = subprocess.run(
            command,
            env={
                **environment,
                **flink_environment(settings),
                **secure.environment(settings, "job"),
                "PYTHONPATH": str(code),
            },
            cwd=code,
            capture_output=True,
            text=True,
            timeout=SUBMIT_LIMIT_S,
        )
    except subprocess.TimeoutExpired as late:
        raise JobError(f"The job was not submitted within {SUBMIT_LIMIT_S} s.") from late
    if said.returncode != 0:
        raise JobError(f"The job could not be submitted:\n{said.stderr.strip()[-3000:]}")
    return said.stdout.strip().splitlines()[-1]


def _entries_exist(kafka_servers: str) -> bool:
    return counted_in(KafkaOffsets(kafka_servers, NAMES.group), NAMES) is not None
