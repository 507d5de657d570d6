"""Single flight: one making for all, which nobody's leaving and nobody's failing spoils."""

from __future__ import annotations

import asyncio

import pytest

from gateway.response_cache.flight import Flights

pytestmark = pytest.mark.anyio


class Making:
    """Something that is made when the test lets it."""

    def __init__(self) -> None:
        self.made = 0
        self.cancelled = 0
        self.may_land = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self) -> int:
        self.made += 1
        try:
            await self.may_land.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error is not None:
            raise self.error
        return self.made


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_ten_thousand_who_ask_at_once_get_what_is_made_once() -> None:
    flights, making = Flights[int](), Making()
    asking = [asyncio.ensure_future(flights.join("key", making)) for _ in range(10_000)]
    await settle()
    making.may_land.set()
    got = await asyncio.gather(*asking)
    assert making.made == 1
    assert {value for value, _ in got} == {1}
    assert sum(leads for _, leads in got) == 1
    assert len(flights) == 0


async def test_the_one_who_asked_first_may_leave() -> None:
    flights, making = Flights[int](), Making()
    first = asyncio.ensure_future(flights.join("key", making))
    await settle()
    second = asyncio.ensure_future(flights.join("key", making))
    await settle()
    first.cancel()
    await settle()
    making.may_land.set()
    assert await second == (1, False)
    assert (making.made, making.cancelled) == (1, 0)


async def test_when_the_last_has_left_it_is_cancelled_and_a_newcomer_starts_anew() -> None:
    flights, making = Flights[int](), Making()
    asking = [asyncio.ensure_future(flights.join("key", making)) for _ in range(3)]
    await settle()
    for each in asking:
        each.cancel()
    await settle()
    assert (making.made, making.cancelled, len(flights)) == (1, 1, 0)
    newcomer = asyncio.ensure_future(flights.join("key", making))
    await settle()
    making.may_land.set()
    assert await newcomer == (2, True)


async def test_an_error_goes_to_all_who_wait_and_to_nobody_after() -> None:
    flights, making = Flights[int](), Making()
    making.error = ValueError("no")
    asking = [asyncio.ensure_future(flights.join("key", making)) for _ in range(50)]
    await settle()
    making.may_land.set()
    got = await asyncio.gather(*asking, return_exceptions=True)
    assert {type(each) for each in got} == {ValueError}
    assert making.made == 1
    making.error = None
    assert await flights.join("key", making) == (2, True)


async def test_a_refresh_goes_on_though_nobody_waits_and_is_not_doubled() -> None:
    flights, making = Flights[int](), Making()
    assert flights.refresh("key", making)
    assert not flights.refresh("key", making)
    await settle()
    visitor = asyncio.ensure_future(flights.join("key", making))
    await settle()
    visitor.cancel()
    await settle()
    assert (len(flights), making.cancelled) == (1, 0)
    making.may_land.set()
    await settle()
    assert (len(flights), making.made) == (0, 1)


async def test_closing_stops_what_is_being_made() -> None:
    flights, making = Flights[int](), Making()
    flights.refresh("key", making)
    await settle()
    await flights.close()
    assert (making.cancelled, len(flights)) == (1, 0)
