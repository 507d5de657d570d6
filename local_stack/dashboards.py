"""The dashboards of charts/, written by `./dev docs` from `dashboards.yaml`: how Grafana wants them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from local_stack.settings import CHECKOUT

PANELS = Path(__file__).with_suffix(".yaml")
FOLDER = CHECKOUT / "charts" / "payment-analytics" / "dashboards"
WIDTH, HEIGHT, PER_ROW = 8, 8, 3
SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def stale() -> Iterator[tuple[Path, str]]:
    """The files that are not what they should be, each with the text that it should have."""
    for name, said in yaml.safe_load(PANELS.read_text()).items():
        path = FOLDER / f"{name}.json"
        current = json.dumps(_dashboard(name, said), indent=1) + "\n"
        if not path.is_file() or path.read_text() != current:
            yield path, current


def write() -> list[str]:
    """Put today's dashboards in place; return a line for each that this changed."""
    changed = []
    for path, text in stale():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        changed.append(f"{path.relative_to(CHECKOUT)} changed")
    return changed


def _dashboard(name: str, said: dict[str, Any]) -> dict[str, Any]:
    chosen = {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Source"}
    return {
        "uid": f"payment-analytics-{name}",
        "title": said["title"],
        "tags": ["payment-analytics"],
        "schemaVersion": 39,
        "timezone": "browser",
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [chosen]},
        "panels": [_panel(number, each) for number, each in enumerate(said["panels"])],
    }


def _panel(number: int, said: dict[str, Any]) -> dict[str, Any]:
    row, column = divmod(number, PER_ROW)
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": said["title"],
        "description": said.get("meaning", ""),
        "datasource": SOURCE,
        "gridPos": {"x": column * WIDTH, "y": row * HEIGHT, "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": said["unit"], "min": 0}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + place), "expr": expr, "legendFormat": legend}
            for place, (legend, expr) in enumerate(said["lines"].items())
        ],
    }
