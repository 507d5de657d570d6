"""What must have become of a reversal, told apart from the job by what was counted; pure.

The audit sees no order between the job's events. So it takes what the entries show and asks whether that may be: a
reversal with entries must undo a transfer that was counted, whole, and be the only one that does. One without must
have a reason to have none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from stream_jobs.audit.rows import Transfer, id_text


class Fate(StrEnum):
    """What became of a reversal, or has to."""

    HELD = "HELD"  # its transfer has not come
    EFFECTIVE = "EFFECTIVE"
    REJECTED = "REJECTED"
    UNCERTAIN = "UNCERTAIN"  # the job may have forgotten its transfer, or have it still


@dataclass(frozen=True, slots=True)
class Originals:
    """What is known of the transfers that some reversals undo.

    `known` has the content of those that the job may remember, `surely` of those that it does. `effective` has the
    reversal of each that took effect; `crowded` are those with more reversals than the job looks at; `waited` are
    reversals held for so long that the job may have forgotten them.
    """

    known: Mapping[bytes, int]
    surely: Mapping[bytes, int]
    effective: dict[bytes, bytes]
    crowded: frozenset[bytes] = frozenset()
    waited: frozenset[bytes] = frozenset()


def fate(id_: bytes, reversal: Transfer, originals: Originals) -> tuple[Fate, str]:
    """What must have become of a reversal, and why."""
    original = reversal.original
    content = originals.known.get(original)
    if content is None:
        return Fate.HELD, "the transfer that it reverses has not come"
    if content != reversal.undone:
        return Fate.REJECTED, "the transfer that it reverses says otherwise"
    other = originals.effective.get(original, id_)
    if other != id_:
        return Fate.REJECTED, f"its transfer is reversed by {id_text(other)}"
    if original not in originals.surely or id_ in originals.waited:
        return Fate.UNCERTAIN, "it came about when the job forgets"
    if original in originals.crowded:
        return Fate.UNCERTAIN, "its transfer has more reversals than are looked at"
    return Fate.EFFECTIVE, ""
