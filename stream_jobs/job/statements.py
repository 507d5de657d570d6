"""The job's SQL statements, out of the files of `stream_jobs/job/sql/`."""

from __future__ import annotations

from pathlib import Path
from string import Template

from stream_jobs.job.settings import JobSettings

FOLDER = Path(__file__).resolve().parent / "sql"


def statements(settings: JobSettings) -> list[str]:
    """The statements in the order of their file names, placeholders filled in."""
    literals = settings.sql_literals()
    return [
        Template(file.read_text()).substitute(literals) for file in sorted(FOLDER.glob("*.sql"))
    ]
