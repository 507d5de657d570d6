"""An hour of event time as the audit knows it; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stream_jobs.audit.erased import Gained, versions
from stream_jobs.audit.stretches import Stretch
from stream_jobs.audit.sums import CellSums
from stream_jobs.topics.offsets import Offsets


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour at one moment: how far all was closed, what is vouched for, what counted, and from where to where.

    `open`: of what was closed, some was set aside and may count yet. `gained` is by what erasures have changed of its rows.
    """

    frontier: Offsets
    open: bool
    vouched: Sequence[Stretch]
    counted: CellSums
    stretches: Sequence[Stretch]
    gained: Sequence[Gained] = ()

    @property
    def cells(self) -> CellSums:
        """What Pinot's sums should be."""
        return versions(self.counted, self.gained)[0]

    def agrees(self, sums: CellSums) -> bool:
        """Whether Pinot's sums are right."""
        return sums in versions(self.counted, self.gained)
