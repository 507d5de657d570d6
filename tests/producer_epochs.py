"""Brings transactional ids near the end of their producer epochs, by Kafka's own protocol on one connection each.

    python -m tests.producer_epochs 127.0.0.1:19092 account-entries-two-entries-0-0 account-entries-two-entries-0-1

A client of its own for each epoch would take an hour; here it is one short request. For ids that no job uses: one that
does would be fenced off.
"""

from __future__ import annotations

import socket
import struct
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

INIT_PRODUCER_ID, VERSION = 22, 1
DESCRIBE_TRANSACTIONS = 65
# 32,766 is the last epoch that a producer gets; the next one is of another producer id.
NEAR_THE_END = 32_764
AT_ONCE = 500
BUSY = {14, 15, 16, 51}  # the coordinator is loading, elsewhere, or another request is under way


def bump(kafka: str, transactional_id: str, epoch: int) -> int:
    """Begin producers of `transactional_id` until one has `epoch`; returns how many were begun."""
    host, _, port = kafka.rpartition(":")
    begun, reached = 0, -1
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        while reached < epoch:
            # Kafka takes the requests of one connection in turn: none has to wait for an answer here.
            asked = max(1, min(AT_ONCE, epoch - reached)) if reached >= 0 else 1
            connection.sendall(_request(transactional_id) * asked)
            for _ in range(asked):
                error, told = _answer(connection)
                assert not error or error in BUSY, f"Kafka's error {error} for {transactional_id}"
                if error:
                    time.sleep(0.05)
                else:
                    begun, reached = begun + 1, told
    return begun


def epoch_of(kafka: str, transactional_id: str) -> int:
    """The epoch that its producer has now; -1 of an id that Kafka does not know."""
    host, _, port = kafka.rpartition(":")
    name = transactional_id.encode()
    body = struct.pack(">hhih", DESCRIBE_TRANSACTIONS, 0, 1, -1)
    # No tagged fields; an array of one string, both lengths one too many, as Kafka packs them.
    body += b"\x00\x02" + bytes([len(name) + 1]) + name + b"\x00"
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(struct.pack(">i", len(body)) + body)
        answer = _read(connection, struct.unpack(">i", _read(connection, 4))[0])
    rest = answer[4 + 1 + 4 + 1 :]  # correlation, tags, throttle, length
    error = struct.unpack(">h", rest[:2])[0]
    rest = rest[2 + 1 + len(name) :]
    rest = rest[rest[0] :]  # the state, a string as well
    _timeout, _started, _producer, epoch = struct.unpack(">iqqh", rest[:22])
    return -1 if error else int(epoch)


def _request(transactional_id: str) -> bytes:
    name = transactional_id.encode()
    body = struct.pack(">hhihh", INIT_PRODUCER_ID, VERSION, 1, -1, len(name)) + name
    body += struct.pack(">i", 60_000)
    return struct.pack(">i", len(body)) + body


def _answer(connection: socket.socket) -> tuple[int, int]:
    answer = _read(connection, struct.unpack(">i", _read(connection, 4))[0])
    _correlation, _throttle, error, _producer, epoch = struct.unpack(">iihqh", answer)
    return error, epoch


def _read(connection: socket.socket, wanted: int) -> bytes:
    read = b""
    while len(read) < wanted:
        more = connection.recv(wanted - len(read))
        assert more, "Kafka closed the connection"
        read += more
    return read


def bring_near_the_end(kafka: str, ids: Sequence[str]) -> list[int]:
    """All of them side by side; how many producers were begun for each."""
    with ThreadPoolExecutor(len(ids)) as side_by_side:
        return list(side_by_side.map(partial(bump, kafka, epoch=NEAR_THE_END), ids))


def main(arguments: list[str]) -> None:
    """Servers, then ids."""
    servers, *ids = arguments
    began = time.monotonic()
    for name, begun in zip(ids, bring_near_the_end(servers, ids), strict=True):
        print(f"{name}: {begun} producers begun")
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
