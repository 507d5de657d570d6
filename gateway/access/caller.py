"""Who asks, and the proof that they may read what they ask about; everything after the door trusts it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import InitVar, dataclass, field
from enum import Enum

from gateway.errors import ForbiddenError, Right

SCOPE_KEY = "gateway.caller"
"""Under this key the door leaves the caller in the ASGI scope."""

_SEAL = object()


class Role(Enum):
    """What a caller is; it decides which fields are theirs."""

    OWNER = "OWNER"
    PARTNER = "PARTNER"
    OPERATOR = "OPERATOR"


@dataclass(frozen=True, slots=True)
class Scope:
    """Proof that a caller may read the figures of these accounts (`None`: of the network).

    Only a `Caller` makes one, and every plan over accounts takes its accounts out of one: so no
    SQL can name an account that nobody checked.
    """

    account_ids: frozenset[str] | None
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        """Refuse what no caller made."""
        if seal is not _SEAL:
            raise TypeError("a Scope is made by Caller.may_read or Caller.may_read_network only")

    @property
    def account_id(self) -> str | None:
        """The one account; `None` for the network."""
        if self.account_ids is None:
            return None
        (account_id,) = self.account_ids
        return account_id

    def __or__(self, other: Scope) -> Scope:
        """Both proofs together."""
        if self.account_ids is None or other.account_ids is None:
            return Scope(None, _SEAL)
        return Scope(self.account_ids | other.account_ids, _SEAL)


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller.

    `subject`: names it in logs and budgets; never a secret, never a full account id.
    `accounts`: the ids whose figures it may read; `None` for all of them, which operators have.
    `sees_counterparties`: whether ids of other accounts are shown to it in full.
    `groups`: the accounts of each group that it was given by name; all of them are its `accounts`, too.
    `credential`: which of its credentials it was known by, for the record only: a key's id, a token's `jti`.
    """

    subject: str
    role: Role
    accounts: frozenset[str] | None
    sees_counterparties: bool
    credential: str = field(default="", compare=False)
    groups: tuple[tuple[str, frozenset[str]], ...] = ()

    def __post_init__(self) -> None:
        """Refuse an owner or partner of everything."""
        if (self.accounts is None) is not (self.role is Role.OPERATOR):
            raise ValueError("operators, and only they, have all accounts")

    @property
    def visibility(self) -> tuple[Hashable, ...]:
        """What decides about its answers: callers of equal visibility get equal answers.

        Masked ids are each subject's own, so a caller that gets them shares its answers with nobody.
        """
        masks = None if self.sees_counterparties else self.subject
        return self.role.value, self.accounts, masks, self.groups

    def may_read(self, account_ids: Iterable[str]) -> Scope:
        """The proof for these accounts; raises `ForbiddenError`, equal for all that are not its own."""
        wanted = frozenset(account_ids)
        if self.accounts is not None and not wanted <= self.accounts:
            raise ForbiddenError(Right.READ_ACCOUNT)
        return Scope(wanted, _SEAL)

    def group(self, name: str) -> frozenset[str]:
        """The accounts of one of its groups; raises `ForbiddenError`, whether there is such a group or not."""
        for own, accounts in self.groups:
            if own == name:
                return accounts
        raise ForbiddenError(Right.USE_GROUP)

    def may_read_network(self) -> Scope:
        """The proof for everyone's figures together; raises `ForbiddenError`."""
        if self.role is not Role.OPERATOR:
            raise ForbiddenError(Right.READ_NETWORK)
        return Scope(None, _SEAL)

    def may_read_metrics(self) -> None:
        """Refuse to tell how much is asked and how it goes; raises `ForbiddenError`."""
        if self.role is not Role.OPERATOR:
            raise ForbiddenError(Right.READ_METRICS)

    @property
    def sees_all(self) -> bool:
        """Whether every account's id is shown to it in clear."""
        return self.sees_counterparties or self.accounts is None

    def sees(self, account_id: str) -> bool:
        """Whether this id is shown to it in clear."""
        return self.sees_all or (self.accounts is not None and account_id in self.accounts)

    def may_name(self, account_id: str) -> None:
        """Refuse to search by an id it could only have guessed; raises `ForbiddenError`."""
        if not self.sees(account_id):
            raise ForbiddenError(Right.SEE_COUNTERPARTIES)


EVERYONE = Caller("everyone", Role.OPERATOR, None, True)
"""The caller where authentication is off: only on loopback."""
