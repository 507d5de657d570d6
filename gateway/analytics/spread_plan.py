"""What is asked of a store about how large single transfers are, as frozen values without any SQL."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

from gateway.access.caller import Scope
from gateway.analytics.model import Direction, Interval
from gateway.analytics.query_plan import AccountPlan

STEP = math.log(1.02)
"""The width of a step in natural logarithms: each begins where the one before ends, 2 % higher."""


@dataclass(frozen=True, slots=True)
class AmountRow:
    """The amount of one transfer."""

    amount: Decimal


@dataclass(frozen=True, slots=True)
class AmountsPlan(AccountPlan[AmountRow]):
    """The amounts of transfers, each as often as it occurs, in any order; none at all if over `limit`."""

    scope: Scope
    direction: Direction
    interval: Interval
    limit: int
    outside: bool = False


@dataclass(frozen=True, slots=True)
class StepRow:
    """How many transfers have an amount in one step: above e^((step - 1) STEP), up to e^(step STEP).

    Logarithms are doubles: an amount at a step's very edge may be in the next one.
    """

    step: int
    transfer_count: int


@dataclass(frozen=True, slots=True)
class StepsPlan(AccountPlan[StepRow]):
    """Transfers by step, ascending; steps without any are absent."""

    scope: Scope
    direction: Direction
    interval: Interval
    outside: bool = False
