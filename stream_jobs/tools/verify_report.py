"""What a verification compared, and what differed, for people and for programs."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Report:
    """What was compared, and every difference that remained; `whole`: all there ever was."""

    events: int = 0
    transfers: int = 0
    reversals: int = 0
    held: int = 0
    duplicates: int = 0
    rejected: int = 0
    amount: str = "0"
    accounts: int = 0
    comparisons: int = 0
    seconds: float = 0.0
    whole: bool = True
    differences: list[str] = field(default_factory=list)

    def as_text(self) -> str:
        """One line if all is exact, else the differences first."""
        figures = (
            f"{self.events:,} events: {self.transfers:,} transfers and {self.reversals:,} reversals over "
            f"{self.amount} net, {self.held:,} reversals held for transfers that have not come, "
            f"{self.duplicates:,} duplicates, {self.rejected:,} rejected; {self.comparisons:,} comparisons of the "
            f"whole and of {self.accounts} accounts; {self.seconds:.1f} s"
        )
        if not self.whole:
            figures += (
                "; Kafka no longer has all from the beginning, so only what came since was compared"
            )
        if not self.differences:
            return f"exact: {figures}"
        return "\n".join([*self.differences, f"{len(self.differences)} differences: {figures}"])
