"""What the record tells accounts by, however a request names them: keyed digests, each once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.access.caller import Caller
from gateway.access.masking import Masking
from gateway.analytics.cursor import Cursors
from gateway.analytics.ranking import account_at
from gateway.documents.asked_accounts import AskedAccounts


@dataclass(frozen=True, slots=True)
class AccountDigests:
    """Digests by the masking key; a mask and a cursor stand for the account that they name."""

    masking: Masking
    cursors: Cursors

    def __call__(self, caller: Caller, asked: AskedAccounts) -> tuple[str, ...]:
        """The digests of what a caller has named, those of its root fields first."""
        return tuple(dict.fromkeys(self._all(caller, asked)))

    def _all(self, caller: Caller, asked: AskedAccounts) -> Iterator[str]:
        yield from map(self.masking.digest, asked.own)
        for text in asked.others:
            yield self.masking.digest_named(caller, text)
        for cursor in asked.cursors:
            account = account_at(self.cursors.place_in(cursor))
            if account is not None:
                yield self.masking.digest_named(caller, account)
