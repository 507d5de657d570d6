"""What the job and the tracker write has the names that Pinot's tables read."""

from __future__ import annotations

import json
import re
from pathlib import Path

from pinot_config.tables import TableFiles, load_tables
from stream_jobs.audit.publish import MAX_MISMATCHES_BYTES, Counts, report
from stream_jobs.audit.publish import record_value as audit_value
from stream_jobs.audit.state import State
from stream_jobs.progress.publishing import MORE_THAN_ANY, record_value
from stream_jobs.progress.row_counts import Docs
from stream_jobs.progress.segments import MAX_CLASSES
from stream_jobs.progress.tracker import Progress

SQL = Path(__file__).parents[2] / "stream_jobs" / "job" / "sql"
# Kept in Kafka to send an event again, too large for a table.
NOT_IN_PINOT = {"payload_base64", "key_base64", "headers"}


def _table(name: str) -> TableFiles:
    return next(table for table in load_tables({}) if table.name == name)


def _columns(table: TableFiles) -> dict[str, str]:
    return {
        column["name"]: column["dataType"]
        for kind in ("dimensionFieldSpecs", "metricFieldSpecs", "dateTimeFieldSpecs")
        for column in table.schema.get(kind, [])
    }


def _derived(table: TableFiles) -> set[str]:
    transforms = table.table_config["ingestionConfig"].get("transformConfigs", [])
    return {transform["columnName"] for transform in transforms}


def _written_by_job(table: str) -> set[str]:
    """The columns of the job's table of that name."""
    for file in SQL.glob("*.sql"):
        found = re.search(rf"CREATE TABLE {table} \((.*?)\n\)", file.read_text(), re.DOTALL)
        if found:
            return set(re.findall(r"^\s+(\w+) (?:STRING|BIGINT|INT)", found[1], re.MULTILINE))
    raise AssertionError(f"no SQL file creates {table}")


def test_the_job_writes_what_account_entries_reads() -> None:
    table = _table("account_entries")
    assert _columns(table).keys() - _derived(table) == _written_by_job("account_entries")


def test_the_job_writes_what_transactions_rejected_reads() -> None:
    table = _table("transactions_rejected")
    assert _columns(table).keys() == _written_by_job("transactions_rejected") - NOT_IN_PINOT


def test_the_tracker_writes_what_pipeline_progress_reads() -> None:
    value = json.loads(
        record_value(Progress(1_700_000_000_000, Docs((1, 2), 3, 1), erasures=4), 1_700_000_000_500)
    )
    # These are for the next tracker, not for Pinot.
    assert (value.pop("empty"), value.pop("begins")) == ({}, {})
    assert value.pop("served") == [[1, 2], 3]
    assert value == {
        "as_of_ms": 1_700_000_000_000,
        "entry_docs": "[1,2]",
        "shared_docs": 1,
        "rejected_docs": 3,
        "erasures": 4,
        "entry_in_memory": "",
        "recorded_at_ms": 1_700_000_000_500,
    }
    types = {str: "STRING", int: "LONG"}
    written = {name: types[type(field)] for name, field in value.items()}
    assert _columns(_table("pipeline_progress")) == written


def test_the_audit_writes_what_pipeline_audit_reads(tmp_path: Path) -> None:
    state = State(tmp_path / "audit.sqlite3")
    value = json.loads(audit_value(report(state, Counts(), (0, 0), 0, 1_700_000_000_000)))
    state.close()
    types = {str: "STRING", int: "LONG"}
    written = {name: types[type(field)] for name, field in value.items()}
    assert _columns(_table("pipeline_audit")) == written


def test_the_most_that_an_audit_tells_fits_its_column() -> None:
    columns = _table("pipeline_audit").schema["dimensionFieldSpecs"]
    most = next(c["maxLength"] for c in columns if c["name"] == "mismatches")
    assert most > MAX_MISMATCHES_BYTES


def test_money_is_an_exact_decimal_in_pinot() -> None:
    assert _columns(_table("account_entries"))["amount"] == "BIG_DECIMAL"


def test_the_progress_of_the_most_partitions_fits_its_column() -> None:
    docs = Docs((MORE_THAN_ANY,) * MAX_CLASSES, 0, in_memory=(1_000,) * MAX_CLASSES)
    value = json.loads(record_value(Progress(0, docs), 0))
    most = {
        c["name"]: c.get("maxLength")
        for c in _table("pipeline_progress").schema["dimensionFieldSpecs"]
    }
    for name in ("entry_docs", "entry_in_memory"):
        assert len(value[name]) < most[name]
