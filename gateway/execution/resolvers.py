"""From GraphQL input to the model, one call to the rules, and back; no rules here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from gateway.access.account_id import check_account_id
from gateway.analytics import answers as a
from gateway.analytics import limits
from gateway.analytics import model as m
from gateway.analytics.totals import (
    FlowQuestion,
    TotalsQuestion,
    counterparty_count,
    net_flow,
    totals,
)
from gateway.errors import BadUserInputError
from gateway.execution import presenting
from gateway.execution.arguments import compared_of, when_of, whose_of
from gateway.execution.list_resolvers import ListResolvers
from gateway.execution.ranking_resolvers import RankingResolvers
from gateway.execution.series_resolvers import SeriesResolvers
from gateway.execution.spread_resolvers import SpreadResolvers
from gateway.execution.system_resolvers import SystemResolvers
from graphql_schema import answers
from graphql_schema.questions import FlowArguments, TotalsArguments, Whose


class GatewayResolvers(
    RankingResolvers, SeriesResolvers, SpreadResolvers, ListResolvers, SystemResolvers
):
    """The resolvers for one field of one operation."""

    __slots__ = ()

    def account_id(self, account_id: str, argument: str) -> str:
        """The id, if it can be one and the caller may read it."""
        checked = check_account_id(account_id, argument)
        self.context.accounts.add(checked)
        self.rules.caller.may_read((checked,))
        return checked

    def account_ids(self, account_ids: Sequence[str]) -> Sequence[str]:
        """The ids without repetitions, if not too many and the caller may read them all."""
        checked = limits.check_account_ids(account_ids, self.rules.limits.max_accounts)
        self.context.accounts.update(checked)
        self.rules.caller.may_read(checked)
        return checked

    def account_set(self, ids: Sequence[str] | None, group: str | None) -> Sequence[str]:
        """The ids of a set, given or of a group of the caller's, if it may read them all."""
        if (ids is None) is (group is None):
            raise BadUserInputError("ids", "give either ids or group, exactly one of them")
        most, caller = self.rules.limits.max_accounts, self.rules.caller
        if group is not None:
            checked = limits.check_set(sorted(caller.group(group)), most, "group")
        else:
            checked = limits.check_set(ids or (), most, "ids")
        self.context.accounts.update(checked)
        caller.may_read(checked)
        return checked

    def network(self) -> None:
        """Refuse whoever may not read the network's figures."""
        self.rules.caller.may_read_network()

    async def totals(self, whose: Whose, asked: TotalsArguments) -> answers.Totals:
        """Totals of one direction."""
        choice, calendar = when_of(asked.when)
        question = TotalsQuestion(
            whose=whose_of(whose),
            choice=choice,
            calendar=calendar,
            direction=m.Direction(asked.direction.value),
            compare_to=compared_of(asked.compared),
            counterparty_id=asked.counterparty_id,
        )
        found = await totals(self.rules, question)
        self.note(found.evidence)
        return presenting.totals_of(found, self.final_after_days)

    async def counterparty_count(self, source: object) -> int:
        """Different accounts behind totals."""
        side = cast("a.Side", source)
        if side.counterparties is not None:
            return side.counterparties
        return await counterparty_count(self.rules, side.whose, side.direction, side.interval)

    def reversals(self, source: object) -> answers.ReversalTotals:
        """The reversals behind totals, out of the same rows."""
        reversals = cast("a.Side", source).reversals
        if reversals is None:
            raise TypeError("these totals were not asked for by kind")
        return presenting.reversals_of(reversals)

    async def net_flow(self, whose: Whose, asked: FlowArguments) -> answers.NetFlow:
        """Received and sent."""
        choice, calendar = when_of(asked.when)
        question = FlowQuestion(
            whose_of(whose), choice, calendar, compared_of(asked.compared), asked.counterparty_id
        )
        found = await net_flow(self.rules, question)
        self.note(found.evidence)
        return presenting.net_flow_of(found, self.final_after_days)
