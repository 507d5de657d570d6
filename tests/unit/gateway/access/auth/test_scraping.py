"""Who may read the metrics: operators, the holder of the scrape token, and all where nobody is asked."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.access.auth.opening import open_door, scraping_of
from gateway.access.auth.scraping import Scraping
from gateway.errors import FailedLoginsError, ForbiddenError, Right, UnauthenticatedError
from gateway.settings import Settings, SettingsError
from tests.identity_provider import Trust, bearer, token

pytestmark = pytest.mark.anyio
TOKEN = "scrape-0123456789-0123456789-012"
OPERATOR = {"role": "operator", "accounts": None}


def opened(trust: Trust, settings: Settings) -> Scraping:
    door = open_door(settings, trust.clock.epoch_ms, trust.clock.monotonic)
    return scraping_of(settings, door, trust.clock.monotonic)


def with_token(trust: Trust, **changed: Any) -> Settings:
    trust.write("metrics.token", TOKEN + "\n")
    return trust.settings(metrics_token_file=str(trust.folder / "metrics.token"), **changed)


async def test_without_authentication_all_may_read_until_there_is_a_token(trust: Trust) -> None:
    await opened(trust, Settings()).check([])
    path = str(trust.folder / "metrics.token")
    trust.write("metrics.token", TOKEN)
    guarded = opened(trust, Settings(metrics_token_file=path))
    await guarded.check(bearer(TOKEN))
    for sent in ([], [(b"host", b"localhost")]):
        with pytest.raises(UnauthenticatedError) as refused:
            await guarded.check(sent)
        assert refused.value.reason == "missing"


async def test_operators_may_read_and_others_are_told_what_they_lack(trust: Trust) -> None:
    scraping = opened(trust, trust.settings())
    await scraping.check(bearer(token(**OPERATOR)))
    with pytest.raises(ForbiddenError) as refused:
        await scraping.check(bearer(token()))
    assert refused.value.right is Right.READ_METRICS
    for sent in ([], bearer("x"), bearer(TOKEN)):
        with pytest.raises(UnauthenticatedError):
            await scraping.check(sent)


async def test_the_scrape_token_opens_the_metrics_and_nothing_else(trust: Trust) -> None:
    settings = with_token(trust)
    door = open_door(settings, trust.clock.epoch_ms, trust.clock.monotonic)
    scraping = scraping_of(settings, door, trust.clock.monotonic)
    await scraping.check(bearer(TOKEN))
    await scraping.check([(b"authorization", b"bearer  " + TOKEN.encode() + b" ")])
    await scraping.check(bearer(token(**OPERATOR)))
    with pytest.raises(UnauthenticatedError):
        await door.authenticate(bearer(TOKEN))


@pytest.mark.parametrize(
    "sent",
    [
        bearer(TOKEN[:-1]),
        bearer(TOKEN.upper()),
        bearer(TOKEN + "x"),
        [(b"authorization", b"Basic " + TOKEN.encode())],
        [(b"authorization", TOKEN.encode())],
        [(b"x-api-key", TOKEN.encode())],
        [(b"x-api-key", b"Bearer " + TOKEN.encode())],
        [*bearer(TOKEN), *bearer(TOKEN)],
    ],
)
async def test_what_is_not_the_token_as_a_bearer_is_refused(
    trust: Trust, sent: list[tuple[bytes, bytes]]
) -> None:
    with pytest.raises(UnauthenticatedError):
        await opened(trust, with_token(trust)).check(sent)


async def test_a_new_token_counts_from_the_next_scrape_on(trust: Trust) -> None:
    scraping = opened(trust, with_token(trust))
    newer = TOKEN.replace("scrape", "second")
    trust.write("metrics.token", newer)
    await scraping.check(bearer(newer))
    with pytest.raises(UnauthenticatedError):
        await scraping.check(bearer(TOKEN))


async def test_who_tries_tokens_out_waits_as_at_every_door(trust: Trust) -> None:
    settings = with_token(trust, failed_logins_per_s=1, failed_logins_burst=3)
    scraping = opened(trust, settings)
    for number in range(3):
        with pytest.raises(UnauthenticatedError):
            await scraping.check(bearer(f"guess-{number}"), "192.0.2.7")
    with pytest.raises(FailedLoginsError):
        await scraping.check(bearer("guess"), "192.0.2.7")
    await scraping.check(bearer(TOKEN), "192.0.2.7")
    with pytest.raises(UnauthenticatedError):
        await scraping.check(bearer("guess"), "192.0.2.8")


@pytest.mark.parametrize("content", ["", "x" * 31, "x" * 20 + " " + "x" * 20, "é" * 32])
def test_a_token_that_can_be_guessed_is_refused_at_the_start(trust: Trust, content: str) -> None:
    trust.write("metrics.token", content)
    settings = trust.settings(metrics_token_file=str(trust.folder / "metrics.token"))
    with pytest.raises(SettingsError, match="GATEWAY_METRICS_TOKEN_FILE"):
        opened(trust, settings)
