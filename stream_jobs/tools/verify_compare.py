"""Compares what GraphQL answers with the recount, and says each difference in one line; pure."""

from __future__ import annotations

from collections.abc import Sequence

from stream_jobs.events.money import unscaled
from stream_jobs.tools.counted import Transfer
from stream_jobs.tools.reference_answers import (
    DIRECTIONS,
    RANKINGS,
    Row,
    Totals,
    Window,
    counterparties,
    ranked,
    totals,
)
from stream_jobs.tools.verify_answers import FIRST, AccountAnswer, Ranking


def expected_answer(
    transfers: Sequence[Transfer], account_id: str, window: Window
) -> AccountAnswer:
    """What must be answered for the account, given at least all its transfers."""
    rows = {
        direction: counterparties(transfers, account_id, direction, window)
        for direction in DIRECTIONS
    }
    return AccountAnswer(
        {direction: totals(rows[direction]) for direction in DIRECTIONS},
        {
            (direction, ranking): _expected_ranking(ranked(rows[direction], ranking))
            for direction in DIRECTIONS
            for ranking in RANKINGS
        },
    )


def account_differences(expected: AccountAnswer, answer: AccountAnswer) -> list[str]:
    """One line for each part that differs, without the account's name."""
    lines = [
        f"{direction} totals: expected {_said(expected.totals[direction])}, "
        f"GraphQL says {_said(answer.totals[direction])}"
        for direction in DIRECTIONS
        if expected.totals[direction] != answer.totals[direction]
    ]
    for (direction, ranking), wanted in expected.rankings.items():
        got = answer.rankings[direction, ranking]
        if wanted != got:
            lines.append(
                f"{direction} top {FIRST} by {ranking}: {_ranking_difference(wanted, got)}"
            )
    return lines


def _expected_ranking(rows: list[Row]) -> Ranking:
    return Ranking(tuple(rows[:FIRST]), totals(rows[FIRST:]), totals(rows))


def _ranking_difference(wanted: Ranking, got: Ranking) -> str:
    for rank, (row, other) in enumerate(zip(wanted.rows, got.rows, strict=False), start=1):
        if row != other:
            return f"rank {rank}: expected {_row(row)}, GraphQL says {_row(other)}"
    if len(wanted.rows) != len(got.rows):
        return f"expected {len(wanted.rows)} rows, GraphQL has {len(got.rows)}"
    if wanted.others != got.others:
        return f"others: expected {_said(wanted.others)}, GraphQL says {_said(got.others)}"
    return f"total: expected {_said(wanted.total)}, GraphQL says {_said(got.total)}"


def _row(row: Row) -> str:
    return f"{row.account_id!r} {row.count} x, {unscaled(row.amount)}"


def _said(totals_: Totals) -> str:
    return f"{totals_.count} x, {unscaled(totals_.amount)}, {totals_.counterparties} counterparties"
