"""What the application shares with the server that runs it: metrics, and whether it is to end."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.drain import Drain
from gateway.metrics import Metrics
from gateway.worker_metrics import SharedMetrics


@dataclass(frozen=True, slots=True)
class Process:
    """One process of the gateway; `shared` if there are others beside it."""

    metrics: Metrics = field(default_factory=Metrics)
    drain: Drain = field(default_factory=Drain)
    shared: SharedMetrics | None = None

    def metrics_text(self) -> str:
        """The metrics of all processes."""
        own = self.metrics.text()
        return own if self.shared is None else self.shared.all(own)

    def leave_metrics(self) -> None:
        """Put the metrics down for the others, if there are any."""
        if self.shared is not None:
            self.shared.leave(self.metrics.text())
