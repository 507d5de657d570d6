"""Every key of the table configs is explained in their README."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pinot_config.tables import FOLDER, TABLE_NAMES, load_tables

README = (FOLDER / "README.md").read_text()
# What every table has and nobody needs explained.
PLAIN = {"tableName", "tableType", "metadata"}
SECTIONS = {
    "segmentsConfig",
    "tenants",
    "tableIndexConfig",
    "streamConfigs",
    "ingestionConfig",
    "routing",
    "query",
}


def _keys(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield key
            # A column's name is data, not a key.
            yield from _keys(list(value.values()) if key == "columnPartitionMap" else value)
    elif isinstance(node, list):
        for value in node:
            yield from _keys(value)


@pytest.mark.parametrize("table", load_tables({}), ids=lambda table: table.name)
def test_every_key_is_explained(table: Any) -> None:
    keys = set(_keys(table.table_config)) - PLAIN - SECTIONS
    assert keys
    assert [key for key in sorted(keys) if f"`{key}`" not in README] == []


def test_every_section_and_table_is_named() -> None:
    for section in SECTIONS:
        assert f"### {section}" in README
    for name in TABLE_NAMES:
        assert f"| `{name}` |" in README


def test_the_network_star_tree_stands_before_the_one_by_account() -> None:
    entries = load_tables({})[0].table_config
    trees = [
        tree["dimensionsSplitOrder"] for tree in entries["tableIndexConfig"]["starTreeIndexConfigs"]
    ]
    assert trees == [
        ["direction", "kind", "event_hour_ms"],
        ["account_id", "direction", "kind", "event_hour_ms"],
    ]


def test_reversals_do_not_lower_the_estimate_that_rankings_are_proven_by() -> None:
    transforms = load_tables({})[0].table_config["ingestionConfig"]["transformConfigs"]
    computed = {each["columnName"]: each["transformFunction"] for each in transforms}
    assert computed["amount_estimate"] == "greatest(amount, 0)"


def test_the_broker_prunes_entries_by_partition_only() -> None:
    assert load_tables({})[0].table_config["routing"] == {"segmentPrunerTypes": ["partition"]}


def test_every_table_reads_committed_records_only() -> None:
    for table in load_tables({}):
        stream = table.table_config["tableIndexConfig"]["streamConfigs"]
        assert stream["stream.kafka.isolation.level"] == "read_committed"
