"""Creates or updates Pinot's schemas and tables from this package's files; safe to run twice."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pinot_config.controller import Controller, ControllerError, HttpController
from pinot_config.difference import differences
from pinot_config.tables import OVERLAYS, Json, TableFiles, load_tables, reaching, renamed
from stream_jobs.http_access import pinot_access
from stream_jobs.secret_files import AccessError
from stream_jobs.topics.access import kafka_access
from stream_jobs.topics.names import add_arguments, names_of


class Action(StrEnum):
    """What was done, or would be done by a dry run."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Change:
    """What applying did to one schema or one table."""

    kind: str
    name: str
    action: Action
    differences: tuple[str, ...] = ()
    ignored_keys: tuple[str, ...] = ()


class RefusedChangeError(Exception):
    """The change would make old segments answer wrongly; the message says what to do instead."""


def apply_tables(
    tables: Iterable[TableFiles], controller: Controller, *, dry_run: bool = False
) -> list[Change]:
    """Brings `controller` to what the files say; all is validated before anything is changed.

    Raises ControllerError if a file is invalid or the controller does not answer, RefusedChangeError for a
    changed partitioning.
    """
    plans = [_plan(table, controller) for table in tables]
    changes: list[Change] = []
    for plan in plans:
        if not dry_run:
            _carry_out(plan, controller)
        changes += [plan.schema_change, plan.table_change]
    return changes


@dataclass(frozen=True, slots=True)
class _Plan:
    table: TableFiles
    schema_change: Change
    table_change: Change


def _plan(table: TableFiles, controller: Controller) -> _Plan:
    table_config, ignored_keys = controller.validated(table)
    live_config = controller.table_config(table.name)
    if live_config is not None:
        _refuse_new_partitioning(table.name, live_config, table_config)
    return _Plan(
        table,
        _change(
            "schema", table.name, *_comparable(controller.schema(table.name), table.schema), []
        ),
        _change("table", table.name, live_config, table_config, ignored_keys),
    )


def _comparable(live: Json | None, wanted: Json) -> tuple[Json | None, Json]:
    """Two schemas by column; what Pinot adds of its own (defaults, derived keys) is left out of `live`."""
    if live is None:
        return None, wanted
    columns = _columns(wanted)
    live_columns: Json = {}
    for name, spec in _columns(live).items():
        said = columns.get(name) or spec
        live_columns[name] = {key: value for key, value in spec.items() if key in said}
    return live_columns, columns


def _columns(schema: Json) -> Json:
    return {
        spec["name"]: {"kind": kind.removesuffix("FieldSpecs"), **spec}
        for kind, specs in schema.items()
        if kind.endswith("FieldSpecs")
        for spec in specs
    }


def _change(
    kind: str, name: str, live: Json | None, wanted: Json, ignored_keys: Sequence[str]
) -> Change:
    if live is None:
        return Change(kind, name, Action.CREATED, (), tuple(ignored_keys))
    lines = tuple(differences(live, wanted))
    action = Action.UPDATED if lines else Action.UNCHANGED
    return Change(kind, name, action, lines, tuple(ignored_keys))


def _carry_out(plan: _Plan, controller: Controller) -> None:
    name = plan.table.name
    for change in (plan.schema_change, plan.table_change):
        if change.action is Action.UNCHANGED:
            continue
        create = change.action is Action.CREATED
        if change.kind == "schema":
            controller.put_schema(name, plan.table.schema, create=create)
        else:
            controller.put_table_config(name, plan.table.table_config, create=create)
    # Segments built before keep their old indexes until they are loaded again.
    if any(line.startswith("tableIndexConfig.") for line in plan.table_change.differences):
        controller.reload_segments(name)
    if _changes_columns(plan):
        # A segment that is being filled reads and computes the columns that it began with.
        controller.finish_segments(name)


def _changes_columns(plan: _Plan) -> bool:
    if plan.table_change.action is Action.CREATED:
        return False
    return plan.schema_change.action is Action.UPDATED or any(
        line.startswith("ingestionConfig.") for line in plan.table_change.differences
    )


def _refuse_new_partitioning(name: str, live: Json, wanted: Json) -> None:
    before, after = (
        config.get("tableIndexConfig", {}).get("segmentPartitionConfig")
        for config in (live, wanted)
    )
    if before != after:
        raise RefusedChangeError(
            f"table {name}: the partitioning may not change from {json.dumps(before)} to "
            f"{json.dumps(after)}: segments built before would be pruned wrongly and answers would be too "
            "small; make a new topic and a new table and replay into them"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: as wanted now; 1: refused; 2: usage."""
    options = _parser().parse_args(arguments)
    try:
        values = dict(pair.split("=", 1) for pair in options.set)
        if options.kafka:
            values["KAFKA_SERVERS"] = options.kafka
        called = names_of(options).called
        kafka = kafka_access(values.get("KAFKA_SERVERS", "")).java_client()
        tables = [
            reaching(renamed(table, called), kafka)
            for table in load_tables(values, options.overlay)
        ]
        controller = HttpController(options.controller, access=pinot_access())
    except (ValueError, AccessError) as mistake:
        print(f"pinot_config.apply: {mistake}", file=sys.stderr)
        return 2
    try:
        changes = apply_tables(tables, controller, dry_run=options.dry_run)
    except (ControllerError, RefusedChangeError) as refusal:
        print(f"pinot_config.apply: {refusal}", file=sys.stderr)
        return 1
    print(_as_json(changes) if options.json else _as_text(changes, dry_run=options.dry_run))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pinot_config.apply", description=__doc__)
    parser.add_argument(
        "--controller", required=True, metavar="URL", help="Pinot's controller, or several: URL,…"
    )
    parser.add_argument(
        "--kafka", metavar="SERVERS", help="host:port,… as Pinot's servers reach Kafka"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="fills a placeholder; repeatable",
    )
    parser.add_argument(
        "--overlay",
        action="append",
        default=[],
        choices=OVERLAYS,
        help="laid over the tables' configurations; repeatable, in this order",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would change, change nothing"
    )
    add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the changes as JSON")
    return parser


def _as_json(changes: Sequence[Change]) -> str:
    return json.dumps([dataclasses.asdict(change) for change in changes])


def _as_text(changes: Sequence[Change], *, dry_run: bool) -> str:
    lines = []
    for change in changes:
        would = "would be " if dry_run and change.action is not Action.UNCHANGED else ""
        lines.append(f"{change.kind} {change.name}: {would}{change.action}")
        lines += [f"  {difference}" for difference in change.differences]
        lines += [f"  ignored by this version of Pinot: {key}" for key in change.ignored_keys]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
