"""Who pays with places for what is asked of the store, and how many are anybody's share: values and one rule."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass


@dataclass(eq=False, slots=True, weakref_slot=True)
class Party:
    """Those who wait for one operation together: each of its queries takes a place of any one of them.

    So who joins an operation of somebody who has too much under way does not wait as long as he.
    There is always one: what goes on though nobody waits stays the last one's.
    """

    payers: list[Hashable]


def holds_its_share(held: int, holders: int, room: int) -> bool:
    """Whether `held` of a room are as much as each of so many holders may have of it."""
    return held >= room // holders
