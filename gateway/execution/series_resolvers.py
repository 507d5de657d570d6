"""Measures over time: from GraphQL input to the model, one call to the rules, and back; no rules here."""

from __future__ import annotations

from gateway.analytics import model as m
from gateway.analytics.series import (
    SeriesQuestion,
    TopSeriesQuestion,
    flow_series,
    series,
    top_series,
)
from gateway.execution import presenting_series as presenting
from gateway.execution.arguments import compared_of, when_of, whose_of
from gateway.execution.field_resolvers import FieldResolvers
from graphql_schema.questions import SeriesArguments, TopSeriesArguments, Whose
from graphql_schema.series import FlowSeries, TimeSeries, TopSeries


class SeriesResolvers(FieldResolvers):
    """The resolvers of series of all kinds."""

    __slots__ = ()

    async def time_series(self, whose: Whose, asked: SeriesArguments) -> TimeSeries:
        """Measures over time."""
        found = await series(self.rules, _question(whose, asked))
        self.note(found.evidence)
        return presenting.series_of(found, self.final_after_days)

    async def flow_series(self, whose: Whose, asked: SeriesArguments) -> FlowSeries:
        """Received and sent over time."""
        found = await flow_series(self.rules, _question(whose, asked))
        self.note(found.evidence)
        return presenting.flow_series_of(found, self.final_after_days)

    async def top_series(self, whose: Whose, asked: TopSeriesArguments) -> TopSeries:
        """A series of each of the first counterparties, and of the others."""
        choice, calendar = when_of(asked.when)
        question = TopSeriesQuestion(
            whose=whose_of(whose),
            choice=choice,
            calendar=calendar,
            direction=m.Direction(asked.direction.value),
            granularity=m.Granularity(asked.granularity.value),
            first=asked.first,
            order_by=m.RankBy(asked.order_by.value),
        )
        found = await top_series(self.rules, question)
        self.note(found.evidence)
        return presenting.top_series_of(found, self.context.shown, self.final_after_days)


def _question(whose: Whose, asked: SeriesArguments) -> SeriesQuestion:
    choice, calendar = when_of(asked.when)
    return SeriesQuestion(
        whose=whose_of(whose),
        choice=choice,
        calendar=calendar,
        direction=None if asked.direction is None else m.Direction(asked.direction.value),
        granularity=m.Granularity(asked.granularity.value),
        fill=m.Fill(asked.fill.value),
        compare_to=compared_of(asked.compared),
        counterparty_id=asked.counterparty_id,
    )
