"""The load generator's reading of answers, however the network cuts them."""

from __future__ import annotations

import pytest

from tests.load.gateway.connection import Connection

ANSWERS = (
    b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n{"data":{}}',
    b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 4\r\nContent-Type: text/plain\r\n\r\nbusy",
    b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
)


class Heard:
    """A pool that keeps what it is told."""

    def __init__(self) -> None:
        self.answers: list[tuple[bytes, bytes]] = []
        self.lost_waiting: list[bool] = []

    def answered(self, _: Connection, status: bytes, body: bytes) -> None:
        self.answers.append((status, body))

    def lost(self, _: Connection, *, waiting: bool) -> None:
        self.lost_waiting.append(waiting)


@pytest.mark.parametrize("size", [1, 2, 7, 40, 1_000])
def test_an_answer_in_pieces_is_one_answer(size: int) -> None:
    pool = Heard()
    connection = Connection(pool)
    for answer in ANSWERS:
        for first in range(0, len(answer), size):
            connection.data_received(answer[first : first + size])
    assert pool.answers == [(b"200", b'{"data":{}}'), (b"429", b"busy"), (b"204", b"")]


def test_an_answer_of_unknown_length_is_refused() -> None:
    with pytest.raises(ValueError, match="Content-Length"):
        Connection(Heard()).data_received(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")


def test_a_connection_lost_while_idle_has_lost_no_request() -> None:
    pool = Heard()
    Connection(pool).connection_lost(None)
    assert pool.lost_waiting == [False]
