"""All of some accounts' rows on Pinot: believed a partition at a time, and kept only if nothing of them is lost."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gateway.errors import StoreUnavailableError
from gateway.store.pinot.partition import partition_of
from gateway.store.rows.asked import Row, RowsPlan, id_bytes
from tests.scopes import of
from tests.unit.gateway.fakes import AS_OF_MS, FakeBroker, broker_answer
from tests.unit.gateway.store.pinot.opened import opened

ID, OTHER_ID = "0b5ca6cd-6f0f-4bc4-9f79-0d5e5d5f2f6a", "1b5ca6cd-6f0f-4bc4-9f79-0d5e5d5f2f6a"
TYPES = [*["STRING"] * 4, "BIG_DECIMAL", "LONG", "STRING", "STRING", "LONG"]
RECEIVED = ["alice", "bob", "RECEIVED", ID, "1.50", 1_000, "TRANSFER", "", 2_000]
REVERSED = ["alice", "bob", "SENT", OTHER_ID, "-0.00000001", 1_001, "REVERSAL", ID, 0]
ACCOUNTS = ("alice", "bob", "carol", "dave", "erin")


def answering(rows: list[list[Any]], **changed: Any) -> FakeBroker:
    """A broker that has these rows, and gives those of the accounts that a statement names."""

    def answer(statement: str) -> dict[str, Any]:
        named = set(re.findall(r"'([^']*)'", statement.partition(" AND ")[0]))
        return broker_answer([each for each in rows if each[0] in named], TYPES, **changed)

    return FakeBroker(answer)


@pytest.mark.anyio
async def test_rows_are_read_exactly() -> None:
    store = await opened(answering([RECEIVED, REVERSED]))
    result = await store.fetch(RowsPlan(of("alice"), 500, None, 10), 5)
    (told,) = result.rows
    id_, other = id_bytes(ID) or b"", id_bytes(OTHER_ID) or b""
    assert told.rows == (
        Row("bob", False, id_, 150_000_000, 1_000, False, b"", 2_000),
        Row("bob", True, other, -1, 1_001, True, id_, 0),
    )
    assert (told.account_id, told.snapshot, told.cut) == ("alice", 1_000, False)
    assert result.as_of_ms == AS_OF_MS


@pytest.mark.anyio
async def test_each_partition_is_asked_alone_and_believed_alone() -> None:
    broker = answering([RECEIVED])
    store = await opened(broker)
    result = await store.fetch(RowsPlan(of(*ACCOUNTS), 500, 1_700, 10), 5)
    partitions = {partition_of(each, 4) for each in ACCOUNTS}
    assert 1 < len(partitions) == len(broker.statements) < len(ACCOUNTS)
    assert {each.account_id: len(each.rows) for each in result.rows} == {
        **dict.fromkeys(ACCOUNTS, 0),
        "alice": 1,
    }
    assert all("(arrived_ms >= 1700 OR arrived_ms < 1)" in each for each in broker.statements)


@pytest.mark.anyio
@pytest.mark.parametrize("changed", [{"totalDocs": 99}, {"numConsumingSegmentsQueried": 2}])
async def test_a_restarted_server_s_rows_are_not_believed(changed: dict[str, int]) -> None:
    store = await opened(answering([RECEIVED], **changed))
    with pytest.raises(StoreUnavailableError):
        await store.fetch(RowsPlan(of("alice"), 500, None, 10), 5)


@pytest.mark.anyio
async def test_as_many_rows_as_were_asked_for_may_not_be_all() -> None:
    store = await opened(answering([RECEIVED, REVERSED]))
    (told,) = (await store.fetch(RowsPlan(of("alice"), 500, None, 2), 5)).rows
    assert (told.rows, told.cut) == ((), True)


@pytest.mark.anyio
@pytest.mark.parametrize("place", [3, 7])
async def test_an_account_whose_ids_are_no_uuids_is_not_kept(place: int) -> None:
    odd = [*REVERSED[:place], "an-id", *REVERSED[place + 1 :]]
    store = await opened(answering([RECEIVED, odd]))
    (told,) = (await store.fetch(RowsPlan(of("alice"), 500, None, 9), 5)).rows
    assert told.cut


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("cell", "units"),
    [
        ("0.00000001", 1),
        ("-0.5", -50_000_000),
        ("-0.00000001", -1),
        ("999999999999999999.99999999", 10**26 - 1),
        ("7", 7 * 10**8),
        (7, 7 * 10**8),
        ("1E-8", 1),
        ("1.500000000", 150_000_000),
        (".5", 50_000_000),
        ("-.5", -50_000_000),
    ],
)
async def test_an_amount_is_read_to_the_digit(cell: object, units: int) -> None:
    store = await opened(answering([[*RECEIVED[:4], cell, *RECEIVED[5:]]]))
    (told,) = (await store.fetch(RowsPlan(of("alice"), 500, None, 9), 5)).rows
    assert [each.units for each in told.rows] == [units]


@pytest.mark.anyio
@pytest.mark.parametrize("cell", ["", "-", "--5", "5-", "x", "NaN", "1_0x", None, True])
async def test_what_is_no_amount_is_not_believed(cell: object) -> None:
    store = await opened(answering([[*RECEIVED[:4], cell, *RECEIVED[5:]]]))
    with pytest.raises(StoreUnavailableError):
        await store.fetch(RowsPlan(of("alice"), 500, None, 9), 5)
