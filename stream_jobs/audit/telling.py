"""Where the audit's state is told, second by second: to Kafka if it is its turn, and to Prometheus, which is told whether."""

from __future__ import annotations

from collections.abc import Callable

from stream_jobs.audit.duty import Duty
from stream_jobs.audit.publish import AuditMetrics, Report, StandbyMetrics, record_value
from stream_jobs.progress.active import Active


class Telling:
    """`said` says what there is to be told now; `collector` is for Prometheus."""

    def __init__(self, duty: Duty, said: Callable[[], Report], clock_ms: Callable[[], int]) -> None:
        self._duty = duty
        self._said = said
        self._metrics = AuditMetrics(said(), clock_ms)
        self.collector = Active(
            "audit_active",
            "1 while this audit tells what it finds; 0: stands by.",
            [StandbyMetrics(lambda: self._metrics.said, clock_ms)],
        )

    def take_over(self) -> None:
        """See whether it is its turn. Raises what the duty raises."""
        try:
            self._duty.look()
        finally:
            self.collector.told = [self._metrics] if self._duty.active else None

    def tell(self) -> None:
        """What there is. Raises PublishError."""
        self._metrics.said = self._said()
        self._duty.publish(record_value(self._metrics.said))
