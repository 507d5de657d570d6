"""What a deployment says about its events; the job and all who judge after it must be told the same."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final


@dataclass(frozen=True, slots=True)
class EventRules:
    """The one currency of all amounts (None: events must not name any), and how far `occurred_at` may be away."""

    currency: str | None = None
    occurred_back: timedelta = timedelta(days=30)
    occurred_ahead: timedelta = timedelta(minutes=5)


DEFAULT: Final = EventRules()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--currency`, `--occurred-back-s` and `--occurred-ahead-s`."""
    add = parser.add_argument
    add("--currency", type=_currency, metavar="CODE",
        help="the one currency of all amounts, e.g. EUR; without it an event that names one is rejected")  # fmt: skip
    add("--occurred-back-s", type=int, default=round(DEFAULT.occurred_back.total_seconds()),
        help="how long before its record an event may have occurred (%(default)s)")  # fmt: skip
    add("--occurred-ahead-s", type=int, default=round(DEFAULT.occurred_ahead.total_seconds()),
        help="how long after it, for clocks that differ (%(default)s)")  # fmt: skip


def of_arguments(given: argparse.Namespace) -> EventRules:
    """The rules out of parsed arguments."""
    return EventRules(
        given.currency,
        timedelta(seconds=given.occurred_back_s),
        timedelta(seconds=given.occurred_ahead_s),
    )


def is_currency(text: str) -> bool:
    """Whether it may be the currency of a deployment: an ISO 4217 code, or one like it."""
    return re.fullmatch(r"[A-Z][A-Z0-9]{2,11}", text) is not None


def _currency(text: str) -> str:
    if not is_currency(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no currency code, such as EUR")
    return text
