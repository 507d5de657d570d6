"""Every key of the table configs is explained in their README."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from pinot_config.tables import FOLDER, OVERLAYS, TABLE_NAMES, load_tables, placeholders

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
    "instanceAssignmentConfigMap",
    "tierConfigs",
    "task",
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


@pytest.mark.parametrize("table", load_tables({}, OVERLAYS), ids=lambda table: table.name)
def test_every_key_is_explained(table: Any) -> None:
    keys = set(_keys(table.table_config)) - PLAIN - SECTIONS
    assert keys
    assert [key for key in sorted(keys) if f"`{key}`" not in README] == []


def test_every_section_and_table_is_named() -> None:
    for section in SECTIONS:
        assert f"### {section}" in README
    for name in TABLE_NAMES:
        assert f"| `{name}` |" in README


def test_every_overlay_is_named_with_its_values() -> None:
    for overlay in OVERLAYS:
        line = next(line for line in README.splitlines() if line.startswith(f"| `{overlay}` |"))
        own = json.loads((FOLDER / "overlays" / f"{overlay}.json").read_text())
        used = set(re.findall(r"\$\{([A-Z_]+):", json.dumps(own)))
        assert set(re.findall(r"`([A-Z_]+)`", line)) == used
        assert used <= set(placeholders([overlay]))
        assert set(own) <= set(TABLE_NAMES)


def test_in_production_all_tables_have_as_many_copies_and_the_entries_as_many_partitions() -> None:
    for table in load_tables({}, ["production"]):
        segments = table.table_config["segmentsConfig"]
        assert segments["replication"] == segments["replicasPerPartition"] == "3"
    entries = load_tables({}, ["production"])[0].table_config["tableIndexConfig"]
    columns = entries["segmentPartitionConfig"]["columnPartitionMap"]
    assert columns == {"account_id": {"functionName": "Murmur", "numPartitions": 64}}


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


@pytest.mark.parametrize("overlays", [(), OVERLAYS])
def test_the_broker_prunes_entries_by_partition_only(overlays: tuple[str, ...]) -> None:
    routing = load_tables({}, overlays)[0].table_config["routing"]
    assert routing["segmentPrunerTypes"] == ["partition"]


def test_every_table_reads_committed_records_only() -> None:
    for table in load_tables({}):
        stream = table.table_config["tableIndexConfig"]["streamConfigs"]
        assert stream["stream.kafka.isolation.level"] == "read_committed"
