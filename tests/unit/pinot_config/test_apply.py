"""Applying tables: what is created, updated, left alone and refused."""

from __future__ import annotations

import copy
import json
import re

import pytest

from pinot_config.apply import Action, RefusedChangeError, apply_tables, main
from pinot_config.controller import ControllerError
from pinot_config.difference import differences
from pinot_config.tables import (
    Json,
    TableFiles,
    UnknownPlaceholderError,
    fill,
    load_tables,
    renamed,
)
from stream_jobs.topics.names import beside


class FakeController:
    """A controller in memory; adds defaults to schemas as Pinot does."""

    def __init__(self) -> None:
        self.schemas: dict[str, Json] = {}
        self.tables: dict[str, Json] = {}
        self.reloaded: list[str] = []
        self.finished: list[str] = []
        self.invalid: set[str] = set()

    def validated(self, table: TableFiles) -> tuple[Json, list[str]]:
        if table.name in self.invalid:
            raise ControllerError("invalid")
        return copy.deepcopy(table.table_config), ["/realtime/unknown"]

    def schema(self, name: str) -> Json | None:
        return self.schemas.get(name)

    def table_config(self, name: str) -> Json | None:
        return self.tables.get(name)

    def put_schema(self, name: str, schema: Json, *, create: bool) -> None:
        assert create == (name not in self.schemas)
        kept = copy.deepcopy(schema)
        for specs in kept.values():
            for spec in specs if isinstance(specs, list) else []:
                spec.setdefault("notNull", False)
        self.schemas[name] = kept

    def put_table_config(self, name: str, table_config: Json, *, create: bool) -> None:
        assert create == (name not in self.tables)
        assert name in self.schemas, "the schema comes first"
        self.tables[name] = copy.deepcopy(table_config)

    def reload_segments(self, name: str) -> None:
        self.reloaded.append(name)

    def finish_segments(self, name: str) -> None:
        self.finished.append(name)


def test_on_an_empty_cluster_everything_is_created() -> None:
    controller = FakeController()
    changes = apply_tables(load_tables({}), controller)
    assert {change.action for change in changes} == {Action.CREATED}
    assert (
        controller.tables.keys() == controller.schemas.keys() == {t.name for t in load_tables({})}
    )
    assert changes[1].ignored_keys == ("/realtime/unknown",)


def test_a_second_time_nothing_changes() -> None:
    controller = FakeController()
    apply_tables(load_tables({}), controller)
    again = apply_tables(load_tables({}), controller)
    assert {change.action for change in again} == {Action.UNCHANGED}
    assert controller.reloaded == []
    assert controller.finished == []


def test_a_changed_key_is_said_and_a_changed_index_reloads() -> None:
    controller = FakeController()
    apply_tables(load_tables({}), controller)
    changes = apply_tables(load_tables({"ACCOUNT_ENTRIES_FLUSH_ROWS": "1000"}), controller)
    updated = [change for change in changes if change.action is Action.UPDATED]
    assert [(change.kind, change.name) for change in updated] == [("table", "account_entries")]
    assert updated[0].differences == (
        'tableIndexConfig.streamConfigs.realtime.segment.flush.threshold.rows: "1600000" -> "1000"',
    )
    assert controller.reloaded == ["account_entries"]
    assert controller.finished == []


def test_a_new_column_is_an_update_of_the_schema() -> None:
    controller = FakeController()
    tables = load_tables({})
    apply_tables(tables, controller)
    tables[0].schema["dimensionFieldSpecs"].append({"name": "memo", "dataType": "STRING"})
    changes = apply_tables(tables, controller)
    assert changes[0].action is Action.UPDATED
    assert changes[0].differences[0].startswith("memo: added")


def test_new_columns_and_transformations_begin_with_new_segments() -> None:
    controller = FakeController()
    tables = load_tables({})
    apply_tables(tables, controller)
    tables[0].schema["dimensionFieldSpecs"].append({"name": "memo", "dataType": "STRING"})
    tables[1].table_config["ingestionConfig"]["segmentTimeValueCheck"] = True
    apply_tables(tables, controller)
    assert controller.finished == [tables[0].name, tables[1].name]
    del controller.tables[tables[0].name]
    tables[0].schema["dimensionFieldSpecs"].append({"name": "note", "dataType": "STRING"})
    apply_tables(tables, controller)
    assert controller.finished == [tables[0].name, tables[1].name]


def test_a_dry_run_changes_nothing() -> None:
    controller = FakeController()
    changes = apply_tables(load_tables({}), controller, dry_run=True)
    assert {change.action for change in changes} == {Action.CREATED}
    assert not controller.schemas
    assert not controller.tables


def test_another_partitioning_is_refused_and_nothing_is_changed() -> None:
    controller = FakeController()
    apply_tables(load_tables({}), controller)
    before = copy.deepcopy(controller.tables)
    with pytest.raises(RefusedChangeError, match="partitioning"):
        apply_tables(
            load_tables({"ACCOUNT_ENTRIES_PARTITIONS": "8", "REPLICATION": "2"}), controller
        )
    assert controller.tables == before


def test_one_invalid_file_and_nothing_is_changed() -> None:
    controller = FakeController()
    controller.invalid = {"pipeline_progress"}
    with pytest.raises(ControllerError):
        apply_tables(load_tables({}), controller)
    assert not controller.schemas


def test_placeholders_are_filled_and_numbers_stay_numbers() -> None:
    node = {"a": ["${X:1}/${Y:2}"], "n": "${N:4|int}", "t": True}
    assert fill(node, {"Y": "b", "N": "16"}) == {"a": ["1/b"], "n": 16, "t": True}


def test_an_unknown_placeholder_is_refused_by_name() -> None:
    with pytest.raises(UnknownPlaceholderError, match="KAFKA_SERVER;"):
        load_tables({"KAFKA_SERVER": "x"})


def test_differences_name_keys_and_both_values() -> None:
    assert differences({"a": 1, "b": {"c": [1]}, "d": 0}, {"a": 2, "b": {"c": [1]}, "e": "x"}) == [
        "a: 1 -> 2",
        "d: removed 0",
        'e: added "x"',
    ]


def test_a_second_pipelines_tables_stand_beside_the_first_and_read_its_topics() -> None:
    controller, called = FakeController(), beside("two").called
    apply_tables(load_tables({}), controller)
    before = copy.deepcopy(controller.tables)
    apply_tables([renamed(table, called) for table in load_tables({})], controller)
    assert controller.tables.keys() == before.keys() | {f"{name}_two" for name in before}
    for name, config in before.items():
        assert controller.tables[name] == config
        second = controller.tables[f"{name}_two"]
        assert second["tableName"] == second["segmentsConfig"]["schemaName"] == f"{name}_two"
        assert controller.schemas[f"{name}_two"]["schemaName"] == f"{name}_two"
        assert _topic(second) == f"{_topic(config)}-two"
        assert json.loads(json.dumps(second).replace("_two", "").replace("-two", "")) == config


def _topic(config: Json) -> str:
    return str(re.findall(r'"stream\.kafka\.topic\.name": "([^"]+)"', json.dumps(config))[0])


def test_a_suffix_that_is_none_is_a_mistake_of_the_caller(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--controller", "http://127.0.0.1:9", "--pipeline", "Two!"]) == 2
    assert "lower-case letters" in capsys.readouterr().err


def test_what_is_laid_over_the_tables_is_filled_and_applied() -> None:
    entries = load_tables({"REPLICATION": "2"}, ["production", "tiers"])[0].table_config
    assert entries["segmentsConfig"]["replication"] == "2"
    assert entries["segmentsConfig"]["timeColumnName"] == "event_time_ms"
    assert entries["tierConfigs"][0]["serverTag"] == "cold_REALTIME"
    with pytest.raises(UnknownPlaceholderError, match="COLD_TENANT"):
        load_tables({"COLD_TENANT": "x"}, ["production"])


def test_an_overlay_that_there_is_not_is_a_mistake_of_the_caller(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--controller", "http://127.0.0.1:1", "--overlay", "none"])
    assert ended.value.code == 2
    assert "production" in capsys.readouterr().err
