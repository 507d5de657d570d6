"""What other servers are attacked by and this one does not have."""

# ruff: noqa: UP031 - documents with braces read better with % than with doubled braces

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest

from tests.unit.gateway.served import Gateway

pytestmark = pytest.mark.anyio


async def test_nothing_can_be_changed_or_uploaded_and_no_socket_opened(gateway: Gateway) -> None:
    """DVGA's arbitrary file write, stored cross-site scripting, and import from a URL need these."""
    sdl = (await gateway.client.get("/schema.graphql")).text
    assert not any(word in sdl for word in ("type Mutation", "Upload"))
    for kind in ("mutation", "subscription"):
        await gateway.refused("%s { x }" % kind, "GRAPHQL_VALIDATION_FAILED")
    sent: list[str] = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message["type"])

    socket = {"type": "websocket", "path": "/graphql", "query_string": b"", "headers": []}
    await gateway.app(socket, receive, send)
    assert sent == ["websocket.http.response.start", "websocket.http.response.body"]


async def test_no_argument_takes_an_address(gateway: Gateway) -> None:
    """Server-side request forgery needs a URL that the server fetches."""
    sdl = (await gateway.client.get("/schema.graphql")).text.lower()
    assert not any(word in sdl for word in (" url:", " host:", " path:", " port:", " file:"))


async def test_no_cookie_is_read(gateway: Gateway) -> None:
    plain = await gateway.post("{ limits { maxFirst } }")
    gateway.client.cookies.set("session", "admin")
    assert (await gateway.post("{ limits { maxFirst } }")).json() == plain.json()


def test_dependencies_are_past_their_known_holes() -> None:
    from importlib.metadata import version

    floors = {
        "strawberry-graphql": (0, 312, 3),
        "starlette": (0, 49, 1),
        "pyjwt": (2, 13, 0),
        "graphql-core": (3, 3, 2),
    }
    for package, floor in floors.items():
        assert tuple(int(part) for part in version(package).split(".")[:3]) >= floor, package
    declared = Path(__file__).parents[3].joinpath("pyproject.toml").read_text()
    assert all(
        word in declared
        for word in ('"graphql-core>=3.3.2"', '"pyjwt[crypto]>=2.13"', '"starlette>=0.49.1"')
    )
