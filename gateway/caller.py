"""Who asks: what one caller may see, as a frozen value that everything after the door trusts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Role(Enum):
    """What a caller is; it decides which fields are theirs."""

    OWNER = "OWNER"
    PARTNER = "PARTNER"
    OPERATOR = "OPERATOR"


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller.

    `subject`: names it in logs and budgets; never a secret, never a full account id.
    `accounts`: the ids whose figures it may read; `None` for all of them.
    `sees_counterparties`: whether ids of other accounts are shown to it in full.
    """

    subject: str
    role: Role
    accounts: frozenset[str] | None
    sees_counterparties: bool

    @property
    def visibility(self) -> tuple[str, frozenset[str] | None, bool]:
        """What decides about its answers: callers of equal visibility get equal answers."""
        return self.role.value, self.accounts, self.sees_counterparties


EVERYONE = Caller("everyone", Role.OPERATOR, None, True)
"""The caller where authentication is off: only on loopback."""

SCOPE_KEY = "gateway.caller"
"""Under this key the door leaves the caller in the ASGI scope."""
