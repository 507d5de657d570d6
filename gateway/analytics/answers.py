"""What the rules answer: frozen, no GraphQL and no SQL."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from gateway.analytics.model import Bucket, Direction, Entry, Granularity, Interval, Whose, Window
from gateway.analytics.query_plan import TopPlan


@dataclass(frozen=True, slots=True)
class Measures:
    """How many transactions, reversals among them, and how much money, less what they took back."""

    transaction_count: int
    transaction_amount: Decimal


@dataclass(frozen=True, slots=True)
class Evidence:
    """How old an answer is, and whether it is proven complete (`inexact` says why it is not)."""

    as_of_ms: int
    inexact: str | None = None

    @property
    def exact(self) -> bool:
        """Whether nothing was cut off."""
        return self.inexact is None


@dataclass(frozen=True, slots=True)
class MeasuresChange:
    """The same measures over an earlier window; ratios are null where that is not positive."""

    window: Window
    previous: Measures
    count_change: int
    amount_change: Decimal
    count_change_ratio: Decimal | None
    amount_change_ratio: Decimal | None


@dataclass(frozen=True, slots=True)
class Side:
    """One direction of somebody's transactions.

    `reversals` among them, and what they took back, as a positive amount; `None`: not told apart.
    `counterparties`: how many there are, where that is known without asking.
    """

    whose: Whose
    direction: Direction
    interval: Interval
    reversals: Measures | None
    counterparties: int | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """Somebody's totals in one direction.

    `counterparty_id`: only with this account on the other side.
    """

    whose: Whose
    direction: Direction
    window: Window
    evidence: Evidence
    measures: Measures
    average_amount: Decimal | None
    comparison: MeasuresChange | None
    reversals: Measures | None
    counterparty_id: str | None = None

    @property
    def side(self) -> Side:
        """Which transactions these are the totals of."""
        known = None
        if self.counterparty_id is not None:
            known = min(1, self.measures.transaction_count)
        interval = self.window.interval
        return Side(self.whose, self.direction, interval, self.reversals, known)


@dataclass(frozen=True, slots=True)
class RankChange:
    """Where a ranked account stood in an earlier window; no rank where it is beyond the limit."""

    previous_rank: int | None
    previous: Measures
    rank_change: int | None
    is_new: bool


@dataclass(frozen=True, slots=True)
class Ranked:
    """One row of a ranking; ranks are 1, 2, 3 and so on, without ties."""

    rank: int
    account_id: str
    measures: Measures
    comparison: RankChange | None


@dataclass(frozen=True, slots=True)
class Ranking:
    """Some accounts by a measure, one behind the other; `whole` if there are no others than these rows.

    `asked` is the plan that the rows answer, `first` how many were wanted. `whose` counterparties are
    ranked; of the network, all accounts. `compared` is the window that the rows' comparisons are with.
    `cursors` are the rows' own. `snapshot` tells whether a later answer saw the same data.
    """

    whose: Whose
    asked: TopPlan
    first: int
    window: Window
    compared: Window | None
    evidence: Evidence
    rows: tuple[Ranked, ...]
    whole: bool
    snapshot: int
    cursors: tuple[str, ...] = ()
    has_next: bool = False
    has_previous: bool = False

    @property
    def direction(self) -> Direction:
        """Which side it is about."""
        return self.asked.direction


@dataclass(frozen=True, slots=True)
class SeriesPoint:
    """The measures of one bucket; `reversals` among them, `None` where they are not told apart."""

    bucket: Bucket
    measures: Measures
    reversals: Measures | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """Measures over time, one point a bucket, oldest first; `comparison` is that of an earlier window."""

    window: Window
    evidence: Evidence
    granularity: Granularity
    points: tuple[SeriesPoint, ...]
    comparison: Series | None = None


@dataclass(frozen=True, slots=True)
class FlowPoint:
    """Both sides of one bucket, and what came less what went."""

    received: SeriesPoint
    sent: SeriesPoint
    net_amount: Decimal


@dataclass(frozen=True, slots=True)
class FlowSeries:
    """Both sides over time, one point a bucket, oldest first."""

    window: Window
    evidence: Evidence
    granularity: Granularity
    points: tuple[FlowPoint, ...]


@dataclass(frozen=True, slots=True)
class RankedSeries:
    """The measures over time of one ranked account; `row` has their sum."""

    row: Ranked
    points: tuple[SeriesPoint, ...]


@dataclass(frozen=True, slots=True)
class TopSeries:
    """A series of each of the first accounts, and of all others together; equal buckets in all of them."""

    window: Window
    evidence: Evidence
    granularity: Granularity
    series: tuple[RankedSeries, ...]
    others: Measures
    other_points: tuple[SeriesPoint, ...]


@dataclass(frozen=True, slots=True)
class NetFlow:
    """What came in, what went out, and the difference; `comparison` is that of an earlier window."""

    whose: Whose
    window: Window
    evidence: Evidence
    received: Measures
    sent: Measures
    net_amount: Decimal
    received_reversals: Measures | None
    sent_reversals: Measures | None
    comparison: NetFlow | None = None

    def side(self, direction: Direction) -> Side:
        """Which transactions one of the two is about."""
        received = direction is Direction.RECEIVED
        reversals = self.received_reversals if received else self.sent_reversals
        return Side(self.whose, direction, self.window.interval, reversals)


@dataclass(frozen=True, slots=True)
class EntryPage:
    """One page of an account's entries, with a cursor each; `has_next` if others follow.

    `listed` is the question that all pages of the list answer.
    """

    account_id: str
    listed: object
    window: Window
    evidence: Evidence
    entries: tuple[Entry, ...]
    cursors: tuple[str, ...]
    has_next: bool
    has_previous: bool
