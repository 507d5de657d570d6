"""What of the chart is written from the code: the gateway's settings in its schema, its README's table, topics and ACLs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from gateway.settings import Settings
from gateway.settings.kinds import file_variable, is_confidential, variable
from local_stack import chart_kafka
from local_stack.settings import CHECKOUT

FOLDER = CHECKOUT / "charts" / "payment-analytics"
SCHEMA = FOLDER / "values.schema.json"
README = FOLDER / "README.md"
_KEPT = ("type", "enum", "minimum", "maximum", "pattern")

Json = dict[str, Any]


def schema() -> str:
    """`values.schema.json` as it should be: `gateway.settings` has each setting, and no other."""
    whole: Json = json.loads(SCHEMA.read_text())
    whole["definitions"]["gatewaySettings"] = _gateway_settings()
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def values() -> Json:
    """The chart's default values."""
    found: Json = yaml.safe_load((FOLDER / "values.yaml").read_text())
    return found


def markdown_table() -> str:
    """Each value with its default and meaning, for the chart's README."""
    whole: Json = json.loads(SCHEMA.read_text())
    lines = ["| value | default | meaning |", "|---|---|---|"]
    lines += [
        f"| `{path}` | {_shown(default)} | {_cell(meaning)} |"
        for path, default, meaning in _rows(whole, whole, values(), "")
    ]
    return "\n".join(lines) + "\n"


def stale() -> Iterator[tuple[Path, str]]:
    """The files that are not what the code says, each with the text that it should be."""
    for file, wanted in ((SCHEMA, schema()), (chart_kafka.FILE, chart_kafka.text())):
        if wanted != file.read_text():
            yield file, wanted


def _gateway_settings() -> Json:
    """A secret is never a value: it has the variable that names its file."""
    described = Settings.model_json_schema()["properties"]
    properties: Json = {}
    for name, setting in Settings.model_fields.items():
        if is_confidential(setting):
            properties[file_variable(name)] = {"type": "string"}
        else:
            said = described[name]
            properties[variable(name)] = {key: said[key] for key in _KEPT if key in said}
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _rows(whole: Json, node: Json, defaults: Any, path: str) -> Iterator[tuple[str, object, str]]:
    for name, below in node["properties"].items():
        default = defaults.get(name) if isinstance(defaults, Mapping) else None
        inner = f"{path}{name}"
        if below.get("properties"):
            yield from _rows(whole, below, default, f"{inner}.")
        else:
            yield inner, default, below.get("description", "")


def _shown(default: object) -> str:
    if default in (None, "", [], {}):
        return ""
    text = default if isinstance(default, str) else json.dumps(default)
    return f"`{text}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
