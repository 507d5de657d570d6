"""What bodies may be sent as: JSON in UTF-8, however its sender writes that, packed by gzip or not."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib

import httpx
import pytest

from gateway.http import content_encoding, media_types
from gateway.http.refused import RequestRefusedError
from gateway.settings import Settings
from tests.unit.gateway.served import GRAPHQL, Gateway

pytestmark = pytest.mark.anyio

BODY = json.dumps({"query": "{ limits { maxFirst } }"}).encode()

PACKED = gzip.compress(BODY, mtime=0)
EMPTY = gzip.compress(b"", mtime=0)


async def sent(gateway: Gateway, content: bytes = BODY, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named.setdefault("content-type", "application/json")
    return await gateway.client.post("/graphql", content=content, headers=named)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "APPLICATION/Json",
        "application/json;",
        " application/json ; ",
        "application/json;charset=utf-8",
        "application/json; charset=utf-8;",
        "application/json; charset=UTF8",
        'application/json; charset="utf-8"',
        'application/json; Charset = "UTF-8" ;;',
        "application/json; charset=us-ascii",
        "application/json; charset=ASCII",
        "application/json; odata=verbose; charset=utf-8",
        'application/json; profile="a;charset=utf-16,b"; charset=utf8',
        r'application/json; profile="a\";charset=utf-16"; charset=utf8',
        "application/json; charset",
        "application/json; charset=;",
        "application/json; =; ;",
    ],
)
async def test_json_in_utf_8_is_taken_however_it_is_written(
    gateway: Gateway, content_type: str
) -> None:
    assert (await sent(gateway, content_type=content_type)).json()["data"]


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        ";",
        "text/plain",
        "text/plain; application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "application/json, text/plain",
        "application/json; charset=utf-16",
        "application/json; charset=latin1",
        "application/json; charset=utf-8; charset=utf-16",
        'application/json; charset="utf-8, utf-16',
        '"application/json"',
    ],
)
async def test_everything_else_is_415(gateway: Gateway, content_type: str) -> None:
    answer = await sent(gateway, content_type=content_type)
    assert answer.status_code == 415
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (f"{GRAPHQL};charset=utf8;", GRAPHQL),
        (f'{GRAPHQL.upper()}; CHARSET="UTF-8" ; Q="0.9", application/json;q=0.5', GRAPHQL),
        (f'{GRAPHQL}; profile="a, application/json;q=1"; q=0.1, application/json; q=0.2', None),
        (f",, {GRAPHQL} ,", GRAPHQL),
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", None),
        ("application/*+json", GRAPHQL),
        ("application/json, application/*+json", None),
        (f"{GRAPHQL}; q=nonsense", GRAPHQL),
    ],
)
async def test_accept_is_read_as_tolerantly(
    gateway: Gateway, accept: str, media_type: str | None
) -> None:
    answer = await sent(gateway, accept=accept)
    assert answer.headers["content-type"].startswith(media_type or "application/json")


@pytest.mark.parametrize(
    "text", ['a"', '"', '""', '"\\', 'a;"b', "a;" * 500, '";' * 500, '"\\' * 500, "="]
)
def test_any_text_is_read(text: str) -> None:
    read = media_types.read(text)
    assert read.name == read.name.lower()
    assert "".join(media_types.split(text, ";")).replace(" ", "") == "".join(
        media_types.split(text, ";")
    )


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip", " gzip ", "identity, gzip"])
async def test_a_body_may_be_packed_by_gzip(gateway: Gateway, encoding: str) -> None:
    answer = await sent(gateway, gzip.compress(BODY), content_encoding=encoding)
    assert answer.json()["data"] == {"limits": {"maxFirst": 100}}


@pytest.mark.parametrize("encoding", ["identity", "", " , "])
async def test_a_body_may_be_said_to_be_as_it_is(gateway: Gateway, encoding: str) -> None:
    assert (await sent(gateway, content_encoding=encoding)).json()["data"]


async def test_members_of_a_packed_body_are_one_body(gateway: Gateway) -> None:
    packed = b"".join(gzip.compress(BODY[at : at + 5]) for at in range(0, len(BODY), 5))
    assert (await sent(gateway, packed, content_encoding="gzip")).json()["data"]


@pytest.mark.parametrize(
    "encoding", ["br", "zstd", "deflate", "compress", "gzip, gzip", "gzip, br", "x"]
)
async def test_what_is_packed_otherwise_is_415_that_names_what_may_be(
    gateway: Gateway, encoding: str
) -> None:
    answer = await sent(gateway, content_encoding=encoding)
    assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "gzip, identity")
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "gzip" in error["message"]


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        BODY,
        PACKED[:-1],
        PACKED[:-9],
        PACKED[:5],
        PACKED + b"more",
        PACKED + EMPTY[:-1],
        PACKED[:-5] + b"\0" * 5,
        zlib.compress(BODY),
        b"\x1f\x8b\x07" + b"\0" * 20,
    ],
)
async def test_what_cannot_be_unpacked_whole_is_400(gateway: Gateway, packed: bytes) -> None:
    answer = await sent(gateway, packed, content_encoding="gzip")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize("members", [1, 3])
async def test_what_comes_out_has_the_size_that_a_body_may_have(members: int) -> None:
    for more, status in ((0, 200), (1, 413)):
        gateway = Gateway(Settings(max_body_bytes=1_000))
        whole = BODY + b" " * (1_000 - len(BODY) + more)
        third = len(whole) // members
        packed = b"".join(
            gzip.compress(whole[at : at + third + 1]) for at in range(0, len(whole), third + 1)
        )
        assert (await sent(gateway, packed, content_encoding="gzip")).status_code == status


async def test_a_packed_body_may_have_so_many_members(gateway: Gateway) -> None:
    for more, status in ((0, 200), (1, 400)):
        empty = gzip.compress(b"") * (content_encoding.MAX_MEMBERS - 1 + more)
        answer = await sent(gateway, gzip.compress(BODY) + empty, content_encoding="gzip")
        assert answer.status_code == status


def test_of_a_bomb_no_more_is_unpacked_than_a_body_may_have() -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(RequestRefusedError) as refused:
            content_encoding.unpacked(bomb, 16_384)
        assert tracemalloc.get_traced_memory()[1] < 200_000
    finally:
        tracemalloc.stop()
    assert refused.value.status == 413
