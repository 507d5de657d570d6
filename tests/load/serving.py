"""Serves an application for a benchmark, as the gateway itself is served."""

from __future__ import annotations

import gc
import sys

import uvicorn
from starlette.types import ASGIApp

from gateway.documents.line import YIELD_S
from gateway.process.connection import speaking
from gateway.process.connections import Connections, Limits


def serve(app: ASGIApp, port: int) -> None:
    """On a port of the loopback, until stopped."""
    config = uvicorn.Config(
        app,
        interface="asgi3",
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http=speaking(Connections(Limits())),
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=20_000,
        timeout_graceful_shutdown=5,
    )
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(YIELD_S)
    uvicorn.Server(config).run()
