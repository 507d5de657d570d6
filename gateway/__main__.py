"""Runs the gateway: `python -m gateway`, settings from the environment."""

from __future__ import annotations

import argparse
import gc
import os
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from gateway import settings as settings_module
from gateway.app import create_app
from gateway.document_line import YIELD_S
from gateway.process import Process
from gateway.server import DrainingServer
from gateway.setting_values import SettingsError
from gateway.settings import Settings
from gateway.whole_response import WholeResponses
from gateway.worker_metrics import SharedMetrics
from gateway.workers import supervise

KEEP_ALIVE_S = 75
"""Longer than clients keep idle connections, so that it is they who close them."""

BACKLOG = 2048


def main(arguments: Sequence[str] = ()) -> int:
    """Serve until stopped; 2 for settings that cannot work."""
    options = _parser().parse_args(arguments)
    process = Process(shared=_shared_metrics(options))
    try:
        settings = settings_module.read()
        app = create_app(settings, process=process)
        listening = (
            socket.socket(fileno=options.listening_fd)
            if options.listening_fd is not None
            else listen(settings)
        )
    except SettingsError as error:
        print(f"gateway: {error}", file=sys.stderr)
        return 2
    with listening:
        if settings.workers > 1 and options.listening_fd is None:
            listening.listen(BACKLOG)
            return supervise(settings.workers, listening.fileno(), settings.log_level)
        # What stays for the process's life is not searched again and again: a full collection
        # would stop every request for tens of milliseconds.
        gc.collect()
        gc.freeze()
        sys.setswitchinterval(YIELD_S)
        serve(app, settings, process, listening, options.ready_fd)
    return 0


def serve(
    app: ASGIApp,
    settings: Settings,
    process: Process,
    listening: socket.socket,
    ready_fd: int | None,
) -> None:
    """Serve in this process; tell through `ready_fd` that it does."""

    def tell_ready() -> None:
        if ready_fd is not None:
            os.write(ready_fd, b"1")
            os.close(ready_fd)

    config = uvicorn.Config(
        app,
        http=WholeResponses,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # anybody could call himself by another address, and have its budget
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=10,
        backlog=BACKLOG,
    )
    server = DrainingServer(
        config,
        process.drain,
        accept_s=settings.drain_accept_ms / 1000,
        drain_s=settings.drain_ms / 1000,
        monotonic=time.monotonic,
        on_started=tell_ready,
        on_tick=process.leave_metrics,
    )
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listening])


def _shared_metrics(options: argparse.Namespace) -> SharedMetrics | None:
    folder = options.metrics_folder
    return SharedMetrics(Path(folder), str(options.worker)) if folder else None


def _parser() -> argparse.ArgumentParser:
    """The options that a supervisor gives its workers; people use the environment."""
    parser = argparse.ArgumentParser(prog="python -m gateway", description=__doc__)
    parser.add_argument("--listening-fd", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--ready-fd", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--worker", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--metrics-folder", default="", help=argparse.SUPPRESS)
    return parser


def listen(settings: Settings) -> socket.socket:
    """The listening socket; raises `SettingsError` that says which setting to change."""
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise SettingsError(f"GATEWAY_HOST is {settings.host!r}: {error.strerror}") from None
    family, kind, protocol, _, address = found[0]
    listening = socket.socket(family, kind, protocol)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
    except OSError as error:
        listening.close()
        raise SettingsError(
            f"cannot listen on {settings.host}:{settings.port} ({error.strerror}); "
            "set GATEWAY_PORT to a free port"
        ) from None
    return listening


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
