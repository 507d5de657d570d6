"""The second level: what it gives is what was put, for as long; its troubles are its own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from gateway.response_cache import entry, second_level
from gateway.response_cache.entry import Entry
from gateway.response_cache.second_level import SecondLevel

pytestmark = pytest.mark.anyio

ENTRY = entry.make(b'{"data":{"a":"\\n"}}', 100.0, 1.0, 2.0, 30.0, 1)


def test_an_entry_survives_the_way_to_another_machine() -> None:
    sent = second_level.encode("name", ENTRY, 100.5, 1e9)
    here = second_level.decode("name", sent, 7.0, 1e9 + 0.25)
    assert here is not None
    assert (here.body, here.etag, here.length, here.max_age) == (
        ENTRY.body,
        ENTRY.etag,
        ENTRY.length,
        ENTRY.max_age,
    )
    # Half a second old when it was sent, a quarter of a second under way.
    assert here.born_s == pytest.approx(7.0 - 0.75)
    assert here.fresh_until_s == pytest.approx(7.0 + 0.25)
    assert here.rescue_until_s == pytest.approx(7.0 + 29.25)


def test_a_clock_that_is_behind_does_not_make_an_entry_younger_than_new() -> None:
    sent = second_level.encode("name", ENTRY, 100.0, 1e9)
    here = second_level.decode("name", sent, 7.0, 1e9 - 50)
    assert here is not None
    assert [here.born_s, here.fresh_until_s] == pytest.approx([7.0, 8.0])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"null\n{}",
        b"[]\n{}",
        b'{"version":1}\n{}',
        second_level.encode("another", ENTRY, 0, 0),
        second_level.encode("name", ENTRY, 0, 0)[:-1],
        second_level.encode("name", ENTRY, 0, 0) + b" ",
        second_level.encode("name", ENTRY, 0, 0).replace(b'"version":1', b'"version":2'),
        second_level.encode("name", ENTRY, 0, 0).replace(b'"born_s":100.0', b'"born_s":"x"'),
    ],
)
def test_what_is_not_this_entry_is_not_taken_for_it(content: bytes) -> None:
    assert second_level.decode("name", content, 0.0, 0.0) is None


@dataclass
class Shared:
    """A shared store with a fault, if told."""

    error: Exception | None = None
    calls: int = 0
    kept: dict[str, tuple[bytes, float]] = field(default_factory=dict)
    may_go_on: asyncio.Event | None = None

    async def get(self, key: str) -> bytes | None:
        self.calls += 1
        if self.error is not None:
            raise self.error
        return self.kept.get(key, (None, 0.0))[0]

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        self.calls += 1
        if self.may_go_on is not None:
            await self.may_go_on.wait()
        if self.error is not None:
            raise self.error
        self.kept[key] = (value, ttl)

    async def close(self) -> None:
        pass


@dataclass
class Level:
    """A second level whose clock the test moves."""

    shared: Shared
    now_s: float = 100.0
    counted: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.level = SecondLevel(
            self.shared, lambda: self.now_s, lambda: self.now_s, self.counted.append
        )

    async def put(self, made: Entry) -> None:
        self.level.put("name", made)
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_what_is_put_is_found_and_expires_with_its_last_use() -> None:
    level = Level(Shared())
    await level.put(ENTRY)
    found = await level.level.get("name")
    assert found is not None
    assert found.body == ENTRY.body
    assert level.shared.kept["name"][1] == 30.0
    assert await level.level.get("other") is None
    assert level.counted == ["hit"]


@pytest.mark.parametrize(
    "error", [RedisConnectionError("down"), TimeoutError(), ConnectionRefusedError()]
)
async def test_after_a_failure_it_is_left_alone_for_a_while(error: Exception) -> None:
    level = Level(Shared(error))
    for _ in range(5):
        assert await level.level.get("name") is None
    assert level.shared.calls == 1
    assert level.counted == ["failed"] + ["left_alone"] * 4
    level.now_s += second_level.LEFT_ALONE_S
    level.shared.error = None
    await level.put(ENTRY)
    assert await level.level.get("name") is not None


async def test_writes_are_bounded_in_size_and_number() -> None:
    level = Level(Shared(may_go_on=asyncio.Event()))
    await level.put(replace(ENTRY, body=b"x" * second_level.LARGEST_BYTES))
    for _ in range(second_level.MOST_WRITES + 3):
        level.level.put("name", ENTRY)
    await asyncio.sleep(0)
    assert level.shared.calls == second_level.MOST_WRITES
    assert level.counted == ["not_written"] * 4
    assert level.shared.may_go_on is not None
    level.shared.may_go_on.set()
    await level.level.close()
