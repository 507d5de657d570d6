"""A record batch made by hand and sent as it is, since no client packs what would unpack to a gigabyte."""

from __future__ import annotations

import socket
import struct
import zlib
from collections.abc import Iterable, Iterator

GZIP = 1
PRODUCE, VERSION = 0, 8
NONE, INVALID_RECORD = 0, 87  # Kafka's error codes


def blanks(values: int, value_bytes: int, time_ms: int) -> bytes:
    """A batch in gzip of so many records, each of so many blanks; made in pieces, held packed alone."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = [packer.compress(piece) for piece in _records(values, value_bytes)]
    body = b"".join([*packed, packer.flush()])
    rest = struct.pack(">hiqqqhii", GZIP, values - 1, time_ms, time_ms, -1, -1, -1, values) + body
    return struct.pack(">qiibI", 0, len(rest) + 9, -1, 2, _crc32c(rest)) + rest


def produce(kafka: str, topic: str, partition: int, batch: bytes) -> int:
    """Kafka's error code for the batch; 0: it was taken."""
    name = topic.encode()
    body = struct.pack(">hhi", PRODUCE, VERSION, 1)
    body += struct.pack(">hhhi", -1, -1, -1, 30_000)  # no client id, no transaction, acks of all
    body += struct.pack(f">ih{len(name)}sii", 1, len(name), name, 1, partition)
    body += struct.pack(">i", len(batch)) + batch
    host, port = kafka.split(":")
    with socket.create_connection((host, int(port)), timeout=120) as connection:
        connection.sendall(struct.pack(">i", len(body)) + body)
        size = struct.unpack(">i", _exactly(connection, 4))[0]
        answer = _exactly(connection, size)
    # Correlation, one topic with its name, one partition: its number, and the code.
    code: int = struct.unpack_from(">h", answer, 4 + 4 + 2 + len(name) + 4 + 4)[0]
    return code


def _records(values: int, value_bytes: int) -> Iterator[bytes]:
    million = b" " * 1_000_000
    for number in range(values):
        head = b"\0" + _varint(0) + _varint(number) + _varint(-1) + _varint(value_bytes)
        tail = _varint(0)  # no headers
        yield _varint(len(head) + value_bytes + len(tail)) + head
        left = value_bytes
        while left:
            piece = million[:left]
            yield piece
            left -= len(piece)
        yield tail


def _varint(number: int) -> bytes:
    left = (number << 1) ^ (number >> 63)
    made = bytearray()
    while left > 0x7F:
        made.append(left & 0x7F | 0x80)
        left >>= 7
    made.append(left)
    return bytes(made)


def _table() -> list[int]:
    def entry(number: int) -> int:
        for _ in range(8):
            number = number >> 1 ^ (0x82F63B78 if number & 1 else 0)
        return number

    return [entry(number) for number in range(256)]


def _crc32c(data: Iterable[int]) -> int:
    table, crc = _table(), 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def _exactly(connection: socket.socket, size: int) -> bytes:
    got = bytearray()
    while len(got) < size:
        piece = connection.recv(size - len(got))
        if not piece:
            raise ConnectionError("Kafka closed the connection")
        got += piece
    return bytes(got)
