"""The second level: what it gives is what was put, for as long; its troubles are its own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.exceptions import ConnectionError as RedisConnectionError

from gateway.process.signing import SIGNATURE_BYTES, Signer
from gateway.response_cache import entry, second_level
from gateway.response_cache.entry import Entry
from gateway.response_cache.second_level import Found, SecondLevel

pytestmark = pytest.mark.anyio

ENTRY = entry.make(b'{"data":{"a":"\\n"}}', 100.0, 1.0, 2.0, 30.0, 1)


SIGNER = Signer([b"ours"], b"answer")
SENT = second_level.encode(SIGNER, "name", ENTRY, 1e9, 3.0)


def test_an_entry_survives_the_way_to_another_machine() -> None:
    # Born at 100 on a clock that is 1e9 behind the store's; here it is 7.75 when that says 100.75.
    here = second_level.decode(SIGNER, "name", SENT, 1e9 + 93, 3.0)
    assert here is not None
    assert replace(here, born_s=0, fresh_until_s=0, stale_until_s=0, rescue_until_s=0) == replace(
        ENTRY, born_s=0, fresh_until_s=0, stale_until_s=0, rescue_until_s=0
    )
    times = here.born_s, here.fresh_until_s, here.stale_until_s, here.rescue_until_s
    assert times == pytest.approx((7.0, 8.0, 10.0, 37.0))


def signed(content: bytes, signer: Signer = SIGNER) -> bytes:
    return signer.sign(content) + content


CONTENT = SENT[SIGNATURE_BYTES:]


@pytest.mark.parametrize(
    "content",
    [
        b"x",
        b"null\n{}",
        CONTENT,
        bytes(SIGNATURE_BYTES) + CONTENT,
        SENT[:-1],
        SENT + b" ",
        SENT.replace(b'"a"', b'"b"'),
        SENT.replace(b'"max_age":"1"', b'"max_age":"9"'),
        signed(CONTENT, Signer([b"theirs"], b"answer")),
        signed(CONTENT, Signer([b"ours"], b"cursor")),
        signed(CONTENT.replace(b'"version":3', b'"version":2')),
        second_level.encode(SIGNER, "another", ENTRY, 1e9, 3.0),
        signed(CONTENT + b" " * second_level.LARGEST_BYTES),
        *(second_level.encode(SIGNER, "name", ENTRY, 1e9, each) for each in (-3_597.0, 1.9, 4.1)),
    ],
)
def test_what_is_not_this_entry_is_not_taken_for_it(content: bytes) -> None:
    assert second_level.decode(SIGNER, "name", content, 1e9, 3.0) is None


@given(place=st.integers(0, len(SENT) - 1), bit=st.integers(0, 7))
def test_an_entry_of_which_a_bit_is_changed_is_not_taken(place: int, bit: int) -> None:
    changed = bytearray(SENT)
    changed[place] ^= 1 << bit
    assert second_level.decode(SIGNER, "name", bytes(changed), 1e9, 3.0) is None


@dataclass
class Shared:
    """A shared store with a fault, if told."""

    error: Exception | None = None
    calls: int = 0
    kept: dict[str, tuple[bytes, float]] = field(default_factory=dict)
    may_go_on: asyncio.Event | None = None
    clock_s: float = 5e8

    async def get(self, key: str, most_bytes: int) -> Found:
        self.calls += 1
        if self.error is not None:
            raise self.error
        return Found(self.kept.get(key, (b"", 0.0))[0][:most_bytes], self.clock_s)

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
    """A second level whose clocks the test moves."""

    shared: Shared
    now_s: float = 100.0
    off_s: float = 0.0
    """By how much the time of day here is another than the store's clock says."""
    counted: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.level = SecondLevel(
            self.shared,
            SIGNER,
            lambda: self.now_s,
            lambda: self.shared.clock_s + self.off_s,
            self.counted.append,
        )

    async def put(self, made: Entry) -> None:
        assert await self.level.get("name") is None
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
    "error",
    [
        *(RedisConnectionError("down"), TimeoutError(), ConnectionRefusedError()),
        *(TypeError("no pair"), ValueError("$zz"), OverflowError(), RecursionError()),
    ],
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


@pytest.mark.parametrize("ahead_s", [0.0, -3_600.0, 25.0, 1e9])
@pytest.mark.parametrize("later_s", [0.0, 0.5, 24.9])
async def test_clocks_that_differ_change_no_age(ahead_s: float, later_s: float) -> None:
    """`ahead_s`: of the reader's machine before the writer's, whose clock the store's is not either."""
    shared = Shared()
    writer, reader = Level(shared), Level(shared, now_s=100.0 + ahead_s)
    await writer.put(ENTRY)
    shared.clock_s += later_s
    reader.now_s += later_s
    found = await reader.level.get("name")
    assert found is not None
    assert reader.now_s - found.born_s == pytest.approx(later_s)
    assert (reader.now_s < found.fresh_until_s) == (later_s < 1.0)


@pytest.mark.parametrize("ahead_s", [0.0, -3_600.0, 25.0])
@pytest.mark.parametrize("lifetimes", [(60.0, 60.0, 600.0), (0.5, 60.0, 600.0), (0.5, 0.5, 600.0)])
async def test_an_entry_ends_elsewhere_too_where_its_period_turns(
    ahead_s: float, lifetimes: tuple[float, float, float]
) -> None:
    """Fresh, stale, or of use in an outage only: nowhere longer than at its writer."""
    shared, turn_s = Shared(), 20.0
    writer, reader = Level(shared), Level(shared, now_s=100.0 + ahead_s)
    made = entry.make(b"{}", 100.0, *lifetimes, 60, true_for_s=turn_s)
    await writer.put(made)
    shared.clock_s += 15
    reader.now_s += 15
    found = await reader.level.get("name")
    assert found is not None
    limits = found.fresh_until_s, found.stale_until_s, found.rescue_until_s
    fresh_s, stale_s, _ = lifetimes
    left = [min(each, turn_s) - 15 for each in (fresh_s, fresh_s + stale_s, turn_s)]
    assert [each - reader.now_s for each in limits] == pytest.approx(left)
    assert found.max_age == b"19"
    assert shared.kept["name"][1] == turn_s, "Redis keeps it no longer either"


@pytest.mark.parametrize("off_s", [0.0, -3_600.0, 40.0])
@pytest.mark.parametrize("apart_s", [0.0, 0.9, -0.9, 1.1, -1.1, 3_600.0, -3_600.0, 86_400.0])
async def test_what_was_asked_at_another_time_of_day_is_not_taken(
    off_s: float, apart_s: float
) -> None:
    """Its windows end when its maker's clock says; `off_s`: of both before the store's."""
    shared = Shared()
    writer, reader = Level(shared, off_s=off_s), Level(shared, off_s=off_s + apart_s)
    await writer.put(ENTRY)
    assert (await reader.level.get("name") is not None) is (abs(apart_s) < 1)


async def test_the_way_to_the_store_and_back_makes_an_entry_older_and_never_younger() -> None:
    shared = Shared()

    class Slow(Shared):
        """Looks at its clock a second after it is asked, and answers a second later."""

        async def get(self, key: str, most_bytes: int) -> Found:
            level.now_s += 1
            found = await shared.get(key, most_bytes)
            level.now_s += 1
            return found

    level = Level(Slow(kept=shared.kept))
    await level.put(ENTRY)
    found = await level.level.get("name")
    assert found is not None
    # Born at 100. The writer took what the store's clock had said at 101 for what it said at 102.
    assert (level.now_s, level.now_s - found.born_s) == pytest.approx((104, 2 + 1 + 1))


async def test_what_the_stores_clock_calls_future_is_not_taken() -> None:
    level = Level(Shared())
    await level.put(ENTRY)
    level.shared.clock_s -= 0.5
    assert await level.level.get("name") is None
    assert level.counted == ["malformed"]


async def test_nothing_is_written_while_the_stores_clock_is_not_known() -> None:
    level = Level(Shared(TimeoutError()))
    level.level.put("name", ENTRY)
    assert await level.level.get("name") is None
    level.now_s += second_level.LEFT_ALONE_S
    level.shared.error = None
    level.level.put("name", ENTRY)
    assert level.counted == ["not_written", "failed", "not_written"]
    assert level.shared.calls == 1


async def test_of_what_is_too_long_no_more_is_read_than_tells_so() -> None:
    level = Level(Shared())
    level.shared.kept["name"] = (b"x" * (3 * second_level.LARGEST_BYTES), 1.0)
    assert await level.level.get("name") is None
    assert level.counted == ["malformed"]


async def test_writes_are_bounded_in_size_and_number() -> None:
    level = Level(Shared(may_go_on=asyncio.Event()))
    await level.put(replace(ENTRY, body=b"x" * second_level.LARGEST_BYTES))
    level.shared.calls = 0
    for _ in range(second_level.MOST_WRITES + 3):
        level.level.put("name", ENTRY)
    await asyncio.sleep(0)
    assert level.shared.calls == second_level.MOST_WRITES
    assert level.counted == ["not_written"] * 4
    assert level.shared.may_go_on is not None
    level.shared.may_go_on.set()
    await level.level.close()
