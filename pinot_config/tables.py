"""Reads this package's schema and table files, lays others over them and fills placeholders; no I/O but the files."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pinot_config.merge_patch import merged
from stream_jobs.pinot_stream import stream_of

FOLDER = Path(__file__).parent
TABLE_NAMES = ("account_entries", "transactions_rejected", "pipeline_progress", "pipeline_audit")
OVERLAYS = tuple(sorted(file.stem for file in (FOLDER / "overlays").glob("*.json")))
"""What can be laid over the tables' configurations, by name; README.md says what each is for."""

Json = dict[str, Any]

_NAMES = frozenset({"schemaName", "tableName", "stream.kafka.topic.name"})

# ${NAME:default} anywhere in a string; "${NAME:default|int}" as a whole string becomes a number.
_PLACEHOLDER = re.compile(r"\$\{([A-Z][A-Z0-9_]*):([^}|]*)(\|int)?\}")


class UnknownPlaceholderError(ValueError):
    """A value was given for a placeholder that no file has."""


@dataclass(frozen=True, slots=True)
class TableFiles:
    """One table as its two files say it, placeholders filled."""

    name: str
    schema: Json
    table_config: Json


def load_tables(values: Mapping[str, str], overlays: Sequence[str] = ()) -> tuple[TableFiles, ...]:
    """All tables with `overlays` laid over them in this order, and `values` in place of the placeholders' defaults.

    Raises UnknownPlaceholderError for a name that no file mentions, ValueError for a number that is none.
    """
    known = placeholders(overlays)
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise UnknownPlaceholderError(
            f"no placeholder is named {unknown[0]}; there are {', '.join(sorted(known))}"
        )
    return tuple(
        TableFiles(
            name,
            fill(json.loads(_schema_text(name)), values),
            fill(_laid_over(name, overlays), values),
        )
        for name in TABLE_NAMES
    )


def _laid_over(name: str, overlays: Sequence[str]) -> Any:
    config = json.loads(_table_config_text(name))
    for overlay in overlays:
        config = merged(config, json.loads(_overlay_text(overlay)).get(name, {}))
    return _stream_in_its_place(config)


def _stream_in_its_place(config: Json) -> Json:
    """Pinot reads a table's stream in one of two places, and refuses it in the other; `config` is changed."""
    stream = config.get("ingestionConfig", {}).get("streamIngestionConfig")
    if stream is not None:
        stream["streamConfigMaps"] = [config["tableIndexConfig"].pop("streamConfigs")]
    return config


def renamed(table: TableFiles, called: Mapping[str, str]) -> TableFiles:
    """The table under another name, reading another topic: `called` has the new ones by the old ones."""
    name = called.get(table.name, table.name)

    def of(node: Any) -> Any:
        if isinstance(node, dict):
            return {
                key: called.get(value, value) if key in _NAMES else of(value)
                for key, value in node.items()
            }
        return [of(each) for each in node] if isinstance(node, list) else node

    return TableFiles(name, of(table.schema), of(table.table_config))


def reaching(table: TableFiles, kafka: Mapping[str, str]) -> TableFiles:
    """The table whose servers reach Kafka by these properties of its client.

    Raises ValueError for one that Pinot would take for a variable of its own environment.
    """
    for name, value in kafka.items():
        if value.startswith("${"):
            raise ValueError(
                f"Pinot would replace {name}: for mTLS of Pinot let KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE name "
                "one PEM file that holds the key and the certificate"
            )
    config = copy.deepcopy(table.table_config)
    stream_of(config).update(kafka)
    return TableFiles(table.name, table.schema, config)


def placeholders(overlays: Sequence[str] = ()) -> dict[str, str]:
    """Every placeholder of the files, with its default in the last of them that has it."""
    texts = [text(name) for name in TABLE_NAMES for text in (_schema_text, _table_config_text)]
    texts += [_overlay_text(overlay) for overlay in overlays]
    return {match[1]: match[2] for text in texts for match in _PLACEHOLDER.finditer(text)}


def fill(node: Any, values: Mapping[str, str]) -> Any:
    """`node` with every placeholder in its strings replaced."""
    if isinstance(node, dict):
        return {key: fill(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [fill(value, values) for value in node]
    if not isinstance(node, str):
        return node
    whole = _PLACEHOLDER.fullmatch(node)
    text = _PLACEHOLDER.sub(lambda match: values.get(match[1], match[2]), node)
    return int(text) if whole is not None and whole[3] else text


def _overlay_text(overlay: str) -> str:
    return (FOLDER / "overlays" / f"{overlay}.json").read_text(encoding="utf-8")


def _schema_text(name: str) -> str:
    return (FOLDER / f"{name}_schema.json").read_text(encoding="utf-8")


def _table_config_text(name: str) -> str:
    return (FOLDER / f"{name}_realtime_table_config.json").read_text(encoding="utf-8")
