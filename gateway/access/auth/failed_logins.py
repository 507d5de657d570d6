"""How many credentials that are refused an address may send: a bucket each, in this process."""

from __future__ import annotations

from gateway.access.budget.local import LocalBudget
from gateway.errors import FailedLoginsError
from gateway.process.addresses import owner


class FailedLogins:
    """Counts them by whose address it is; bounded as budgets are.

    Who tries pays before the credential is looked at, and gets it back if it is a good one: so many
    that are tried at once are no way around it.
    """

    def __init__(self, allowed: LocalBudget) -> None:
        self._allowed = allowed

    def tries(self, address: str) -> None:
        """One credential is about to be looked at; raises `FailedLoginsError` if too many were refused."""
        balance = self._allowed.charge(owner(address), 1)
        if not balance.granted:
            raise FailedLoginsError(balance.retry_after_s)

    def succeeded(self, address: str) -> None:
        """It was good."""
        self._allowed.charge(owner(address), -1)
