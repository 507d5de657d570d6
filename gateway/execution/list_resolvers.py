"""Single transactions: from GraphQL input to the model, one call to the rules, and back; no rules here."""

from __future__ import annotations

from typing import cast

from gateway.analytics import answers as a
from gateway.analytics import entries, limits
from gateway.analytics import model as m
from gateway.execution import presenting
from gateway.execution.arguments import calendar_of, when_of
from gateway.execution.field_resolvers import FieldResolvers
from graphql_schema.questions import ListArguments
from graphql_schema.scalars import TimeZone
from graphql_schema.transactions import Transaction, TransactionConnection


class ListResolvers(FieldResolvers):
    """The resolvers of transactions and of their lists."""

    __slots__ = ()

    async def transactions(self, account_id: str, asked: ListArguments) -> TransactionConnection:
        """One page of single entries."""
        choice, calendar = when_of(asked.when)
        question = entries.EntriesQuestion(
            account_id=account_id,
            choice=choice,
            calendar=calendar,
            direction=None if asked.direction is None else m.Direction(asked.direction.value),
            counterparty_id=asked.counterparty_id,
            kind=None if asked.kind is None else m.TransactionKind(asked.kind.value),
            first=entries.forward(asked.first, asked.last),
            after=asked.after,
            last=asked.last,
            before=asked.before,
            order=m.TransactionSort(asked.sort_by.value),
            min_amount=limits.check_amount(asked.min_amount, "minAmount"),
            max_amount=limits.check_amount(asked.max_amount, "maxAmount"),
        )
        page = await entries.page(self.rules, question)
        self.note(page.evidence)
        return presenting.page_of(page, self.context.shown, self.final_after_days)

    async def transaction(
        self, account_id: str, transaction_id: str, time_zone: TimeZone
    ) -> Transaction | None:
        """The entry of one id."""
        calendar = calendar_of(time_zone, None)
        checked = limits.check_transaction_id(transaction_id)
        page = await entries.single(self.rules, account_id, checked, calendar)
        self.note(page.evidence)
        found = presenting.transactions_of(page, page.entries, self.context.shown)
        return found[0] if found else None

    async def reversed_by(self, source: object) -> list[Transaction]:
        """The reversals of one transaction."""
        page, entry = cast("presenting.EntrySource", source)
        found = await entries.reversed_by(self.rules, page, entry)
        return presenting.transactions_of(page, found, self.context.shown)

    async def total_count(self, source: object) -> int:
        """How many transactions all pages of a list hold."""
        return await entries.total_count(self.rules, cast("a.EntryPage", source))
