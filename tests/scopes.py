"""Proven scopes, for tests that are about something else."""

from __future__ import annotations

from hypothesis.vendor.pretty import for_type_by_name

from gateway.access.caller import EVERYONE, Scope

# Hypothesis would show every argument that a dataclass is made with, and a seal is not kept.
for_type_by_name(
    "gateway.access.caller", "Scope", lambda scope, printer, _: printer.text(repr(scope))
)

NETWORK = EVERYONE.may_read_network()


def of(*account_ids: str) -> Scope:
    """The right to read these accounts."""
    return EVERYONE.may_read(account_ids)


def one_or_all(account_id: str | None) -> Scope:
    """The right to read one account, or the network."""
    return NETWORK if account_id is None else of(account_id)
