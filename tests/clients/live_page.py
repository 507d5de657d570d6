"""The live page's views, and how it must write what the API says."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import quote

import pytest

from local_stack.settings import CHECKOUT

MARKS = [
    pytest.mark.anyio,
    pytest.mark.timeout(300),
    pytest.mark.usefixtures("packages", "page_assets"),
    # Of an operation that is stopped graphql-core drops what it had not begun to await.
    pytest.mark.filterwarnings(
        "ignore:coroutine '(GraphQLCoreConverter|Executor)[.]:RuntimeWarning"
    ),
]

DOCUMENTS = CHECKOUT / "graphql_schema" / "subscriptions"
ACCOUNT = "acct-000001"
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
WINDOW = {
    "start": (TODAY - timedelta(days=300)).isoformat(),
    "end": (TODAY + timedelta(days=30)).isoformat(),
}
BOTH_ENDS = quote(f"{WINDOW['start']}..{WINDOW['end']}")
VIEW = f"account={ACCOUNT}&window={BOTH_ENDS}&zone=Asia/Ho_Chi_Minh"
HUGE = "9007199254740993.00000001"
"""A float would make 9007199254740992 of it."""
READY = "document.querySelector('main .figure') && !document.querySelector('main [aria-busy]')"


def lately_ms() -> int:
    """A minute ago, so that `asOf` is behind it."""
    return int(time.time() * 1000) - 60_000


def milliseconds(moment: str) -> int:
    """Epoch milliseconds of RFC 3339 text."""
    return round(datetime.fromisoformat(moment).timestamp() * 1000)


def written(amount: str) -> str:
    """As the page has to write an amount in English."""
    value = Decimal(amount)
    digits = max(2, -int(value.as_tuple().exponent))
    return f"{value:,.{digits}f}"
