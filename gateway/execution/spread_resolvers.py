"""Distributions and hours of the week: from GraphQL input to the model, the rules, and back; no rules here."""

from __future__ import annotations

from decimal import Decimal
from typing import cast

from gateway.analytics import distribution as rules
from gateway.analytics import model as m
from gateway.analytics.weekly import WeeklyQuestion, weekly_pattern
from gateway.execution import presenting
from gateway.execution.arguments import when_of, whose_of
from gateway.execution.field_resolvers import FieldResolvers
from graphql_schema.distribution import (
    Distribution,
    HistogramBucket,
    HourOfWeek,
    Percentile,
    WeeklyPattern,
)
from graphql_schema.enums import Direction, HistogramScale, Weekday
from graphql_schema.questions import PatternArguments, When, Whose
from graphql_schema.scalars import Long

WEEKDAYS = tuple(Weekday)


class SpreadResolvers(FieldResolvers):
    """The resolvers of distributions and of hours of the week."""

    __slots__ = ()

    async def distribution(self, whose: Whose, when: When, direction: Direction) -> Distribution:
        """How large transfers are."""
        choice, calendar = when_of(when)
        question = rules.DistributionQuestion(
            whose_of(whose), choice, calendar, m.Direction(direction.value)
        )
        found = await rules.distribution(self.rules, question)
        self.note(found.evidence)
        return Distribution(
            **presenting.answer_fields(found.window, found.evidence, self.final_after_days),
            source=found,
            transfer_count=Long(found.transfers),
            relative_error=Decimal(0) if found.is_exact else rules.RELATIVE_ERROR,
        )

    async def smallest(self, source: object) -> Decimal | None:
        """The smallest amount."""
        return await self._extreme(source, m.TransactionSort.AMOUNT_ASCENDING)

    async def largest(self, source: object) -> Decimal | None:
        """The largest amount."""
        return await self._extreme(source, m.TransactionSort.AMOUNT_DESCENDING)

    async def percentiles(self, source: object, of: list[float]) -> list[Percentile]:
        """Amounts by nearest rank."""
        found = await rules.percentiles(self.rules, cast("rules.Distribution", source), of)
        return [
            Percentile(percentile=each, amount=amount)
            for each, amount in zip(of, found, strict=True)
        ]

    async def histogram(
        self, source: object, buckets: int, scale: HistogramScale
    ) -> list[HistogramBucket]:
        """Transfers by amount."""
        distribution = cast("rules.Distribution", source)
        found = await rules.histogram(self.rules, distribution, buckets, rules.Scale(scale.value))
        return [
            HistogramBucket(start=each.start, end=each.end, transfer_count=Long(each.transfers))
            for each in found
        ]

    async def weekly_pattern(self, whose: Whose, asked: PatternArguments) -> WeeklyPattern:
        """When in the week transactions happen."""
        choice, calendar = when_of(asked.when)
        direction = m.Direction(asked.direction.value)
        question = WeeklyQuestion(
            whose_of(whose), choice, calendar, direction, asked.counterparty_id
        )
        found = await weekly_pattern(self.rules, question)
        self.note(found.evidence)
        return WeeklyPattern(
            **presenting.answer_fields(found.window, found.evidence, self.final_after_days),
            hours=[
                HourOfWeek(
                    weekday=WEEKDAYS[each.weekday],
                    hour=each.hour,
                    transaction_count=Long(each.measures.transaction_count),
                    transaction_amount=each.measures.transaction_amount,
                )
                for each in found.hours
            ],
        )

    async def _extreme(self, source: object, order: m.TransactionSort) -> Decimal | None:
        return await rules.extreme(self.rules, cast("rules.Distribution", source), order)
