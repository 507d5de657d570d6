"""How long tests wait for what really runs: enough for a machine that is full of other work."""

from __future__ import annotations

PATIENCE_S = 60.0
PATIENCE_MS = 60_000
"""As the deadline of operations, where none is to pass: the gateway's own measures the machine."""
