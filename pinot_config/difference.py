"""Says in which keys two JSON documents differ, in words an operator reads; pure."""

from __future__ import annotations

import json
from typing import Any

_ABSENT = object()


def differences(live: Any, wanted: Any, path: str = "") -> list[str]:
    """One line a differing key: `a.b: 1 -> 2`, `a.b: added 2`, `a.b: removed 1`; lists as a whole."""
    if isinstance(live, dict) and isinstance(wanted, dict):
        lines: list[str] = []
        for key in sorted(live.keys() | wanted.keys()):
            below = f"{path}.{key}" if path else key
            lines += differences(live.get(key, _ABSENT), wanted.get(key, _ABSENT), below)
        return lines
    if live is _ABSENT:
        return [f"{path}: added {_short(wanted)}"]
    if wanted is _ABSENT:
        return [f"{path}: removed {_short(live)}"]
    return [] if live == wanted else [f"{path}: {_short(live)} -> {_short(wanted)}"]


def _short(value: Any) -> str:
    text = json.dumps(value, sort_keys=True)
    return text if len(text) <= 120 else text[:117] + "..."
