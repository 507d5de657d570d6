"""Where a realtime table of Pinot says what it reads; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def stream_of(table_config: Mapping[str, Any]) -> dict[str, Any]:
    """The table's one stream, in the place where this configuration has it: Pinot knows two, and refuses both at once."""
    ingestion = (table_config.get("ingestionConfig") or {}).get("streamIngestionConfig")
    streams = (ingestion or {}).get("streamConfigMaps")
    stream: dict[str, Any] = (
        streams[0] if streams else table_config["tableIndexConfig"]["streamConfigs"]
    )
    return stream
