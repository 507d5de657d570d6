"""What Pinot says is believed only if it is whole, and read to the last digit."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from stream_jobs.audit.pinot_tier import ROW_MIX, HttpPinotTier
from stream_jobs.audit.stretches import Stretch
from stream_jobs.audit.sums import HOUR_MS, Cell, Row, Sums
from stream_jobs.progress.segments import NotServedError
from stream_jobs.topics.offsets import Reached

SEGMENT = "account_entries__2__0__20261123T0305Z"


class FakePinot:
    """Controller and broker in one; `rows` is the answer, `changed` what is odd about it."""

    def __init__(self) -> None:
        self.rows: str = "[]"
        self.changed: dict[str, Any] = {}
        self.offsets: Iterator[int] = iter([])
        self.statements: list[str] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer(fake.controller(self.path))

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                fake.statements.append(body["sql"])
                self.answer(fake.broker())

            def answer(self, text: str) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def controller(self, path: str) -> str:
        if "consumingSegmentsInfo" in path:
            offset = str(next(self.offsets, 100))
            server = {"serverName": "S", "partitionToOffsetMap": {"2": offset}}
            return json.dumps({"_segmentToConsumingInfoMap": {SEGMENT: [server]}})
        return json.dumps({"REALTIME": {SEGMENT: {"S": "CONSUMING"}}})

    def broker(self) -> str:
        stats = {
            "exceptions": [],
            "numServersQueried": 1,
            "numServersResponded": 1,
            "numSegmentsQueried": 1,
            "numGroupsLimitReached": False,
        } | self.changed
        return json.dumps(stats)[:-1] + f', "resultTable": {{"rows": {self.rows}}}}}'


@pytest.fixture
def pinot() -> Iterator[FakePinot]:
    fake = FakePinot()
    yield fake
    fake.server.shutdown()
    fake.server.server_close()


def tier(pinot: FakePinot, first_record: int | None = 0) -> HttpPinotTier:
    probe: Callable[..., dict[int, int | None]] = lambda _topic, gaps: dict.fromkeys(  # noqa: E731
        gaps, first_record
    )
    return HttpPinotTier(pinot.url, pinot.url, Reached("account-entries", probe), "account_entries")


def test_sums_are_exact_whatever_their_size(pinot: FakePinot) -> None:
    pinot.rows = (
        f'[[{HOUR_MS}, 2, "SENT", 3, "999999999999999999999.99999999", "-1E+3"], '
        f'[{HOUR_MS}, 0, "SENT", 1, 0.1, 5]]'
    )
    assert tier(pinot).sums([HOUR_MS], [Stretch(2, 5, 90), Stretch(0, 0, 1)]) == {
        Cell(HOUR_MS, 2, "SENT"): Sums(3, 99999999999999999999999999999, -(10**11)),
        Cell(HOUR_MS, 0, "SENT"): Sums(1, 10_000_000, 500_000_000),
    }
    (statement,) = pinot.statements
    assert f"event_time_ms >= {HOUR_MS} AND event_time_ms < {2 * HOUR_MS}" in statement
    assert "(kafka_partition = 2 AND kafka_offset >= 5 AND kafka_offset < 90)" in statement
    assert f"SUMPRECISION({ROW_MIX})" in statement


def test_many_hours_are_one_statement_that_names_each(pinot: FakePinot) -> None:
    pinot.rows = "[]"
    tier(pinot).sums([0, 5 * HOUR_MS], [Stretch(2, 5, 9)])
    (statement,) = pinot.statements
    assert f"event_time_ms >= 0 AND event_time_ms < {6 * HOUR_MS}" in statement
    assert f"event_hour_ms IN (0, {5 * HOUR_MS})" in statement


def test_rows_keep_all_digits_and_too_many_are_refused(pinot: FakePinot) -> None:
    row = '["a", "b", "SENT", "id", 5, "TRANSFER", "", 2, 7, 999999999999999999.99999999]'
    pinot.rows = f"[{row}, {row}]"
    amount = 99999999999999999999999999
    found = tier(pinot).rows(0, [Stretch(2, 0, 9)], 2)
    assert found == {Row("a", "b", "SENT", "id", 5, "TRANSFER", "", 2, 7, amount): 2}
    assert tier(pinot).rows(0, [Stretch(2, 0, 9)], 1) is None


def test_nothing_but_uuids_gets_into_a_statement(pinot: FakePinot) -> None:
    with pytest.raises(ValueError, match="no UUID"):
        tier(pinot).rows_of_ids(["x' OR '1'='1"])
    assert pinot.statements == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"exceptions": [{"errorCode": 305}]}, "305"),
        ({"numServersResponded": 0}, "not every server"),
        ({"partialResult": True}, "not every server"),
        ({"numGroupsLimitReached": True}, "cut the groups"),
    ],
)
def test_an_answer_that_may_not_be_whole_is_refused(
    pinot: FakePinot, changed: dict[str, Any], said: str
) -> None:
    pinot.changed = changed
    with pytest.raises(NotServedError, match=said):
        tier(pinot).coarse([0])


def test_a_server_that_started_anew_during_the_query_is_refused(pinot: FakePinot) -> None:
    pinot.offsets = iter([100, 7])
    with pytest.raises(NotServedError, match="went back"):
        tier(pinot).coarse([0])


def test_pinot_has_reached_an_offset_or_the_gap_before_it_is_empty(pinot: FakePinot) -> None:
    assert tier(pinot).has_reached({2: 100})
    assert tier(pinot, first_record=None).has_reached({2: 101})
    assert not tier(pinot, first_record=100).has_reached({2: 101})
    with pytest.raises(NotServedError, match="not being consumed"):
        tier(pinot).has_reached({3: 1})


def test_a_server_that_reads_again_what_it_had_read_is_not_believed(pinot: FakePinot) -> None:
    pinot.offsets = iter([100, 40, 100, 100])
    asked = tier(pinot)
    assert asked.has_reached({2: 90})
    with pytest.raises(NotServedError, match="gone back"):
        asked.coarse([0])
    assert pinot.statements == []
    assert asked.coarse([0]) == {}
