"""Runs the gateway: `python -m gateway`, settings from the environment."""

from __future__ import annotations

import argparse
import gc
import math
import os
import resource
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

import uvicorn
from starlette.types import ASGIApp

from gateway.app import create_app
from gateway.documents.line import YIELD_S
from gateway.process import worker_metrics
from gateway.process.connection import speaking
from gateway.process.connections import Connections
from gateway.process.metrics import Metrics
from gateway.process.server import DrainingServer
from gateway.process.shared import Process, read_secret
from gateway.process.web_socket import leaving_within
from gateway.process.workers import supervise
from gateway.settings import Settings, SettingsError
from gateway.settings.reading import reading_of
from gateway.settings.telling import configuration
from gateway.wiring.records import without_audit_log

BACKLOG = 2048

MAX_ENVELOPE_BYTES = 1_024
"""What a WebSocket's message has around a request."""

OTHER_FILES = 256
"""Open files that are no client's connection: the store's, Redis's, logs, libraries."""


def main(arguments: Sequence[str] = (), create: Callable[..., ASGIApp] = create_app) -> int:
    """Serve what `create` makes until stopped; 2 for settings that cannot work."""
    options = _parser().parse_args(arguments)
    folder = options.shared_folder
    if folder:
        page = worker_metrics.join(folder, options.worker)
        process = Process(Metrics(page), secret=read_secret(folder))
    else:
        process = Process()
    try:
        reading = reading_of()
        settings = reading.settings
        supervises = settings.workers > 1 and options.listening_fd is None
        answers = not (options.print_config or supervises)
        app = create(settings if answers else without_audit_log(settings), process=process)
        if options.print_config:
            print(configuration(reading))
            return 0
        listening = (
            socket.socket(fileno=options.listening_fd)
            if options.listening_fd is not None
            else listen(settings)
        )
    except SettingsError as error:
        print(*(f"gateway: {fault}" for fault in error.faults), sep="\n", file=sys.stderr)
        return 2
    with listening:
        if supervises:
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
            with suppress(BrokenPipeError):  # whoever started it is leaving, and has it leave, too
                os.write(ready_fd, b"1")
            os.close(ready_fd)

    limits = settings.connection_limits
    limits = replace(limits, most=files_for(limits.most))
    connections = Connections(limits, process.metrics.connections_ended.add)
    process.metrics.watch(process.metrics.connections, lambda: connections.open)
    server = DrainingServer(
        http_of(app, connections, settings.max_body_bytes, settings.live_reconnect_ms / 1000),
        process.drain,
        connections,
        accept_s=settings.drain_accept_ms / 1000,
        drain_s=settings.drain_ms / 1000,
        monotonic=time.monotonic,
        on_started=tell_ready,
        on_tick=process.metrics.tell,
    )
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listening])
    process.metrics.tell()


def http_of(
    app: ASGIApp, connections: Connections, max_body_bytes: int = 65_536, leave_s: float = 0
) -> uvicorn.Config:
    """How the application is served; a message of a WebSocket may be as long as a body, and its envelope.

    `leave_s`: over how long WebSockets are closed when the server ends.
    """
    return uvicorn.Config(
        app,
        interface="asgi3",  # what a callable speaks that is no coroutine function cannot be guessed
        http=speaking(connections),
        ws=leaving_within(leave_s),
        ws_max_size=max_body_bytes + MAX_ENVELOPE_BYTES,
        ws_per_message_deflate=False,  # a small message could become a large one
        ws_ping_timeout=connections.limits.send_s,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the application reads them, of those that are trusted
        timeout_graceful_shutdown=10 + math.ceil(leave_s),
        backlog=BACKLOG,
    )


def files_for(connections: int) -> int:
    """Let this process open a file for each connection; how many of them the system then allows.

    `connections` of 0 is as many as it allows.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + OTHER_FILES if connections else hard
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and (wanted == resource.RLIM_INFINITY or wanted > soft):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    if soft == resource.RLIM_INFINITY:
        return connections
    most = max(1, soft - OTHER_FILES)
    return min(connections, most) if connections else most


def _parser() -> argparse.ArgumentParser:
    """One option for people, who use the environment; the others a supervisor gives its workers."""
    parser = argparse.ArgumentParser(prog="python -m gateway", description=__doc__)
    parser.add_argument(
        "--print-config",
        action="store_true",
        help="say what each setting is and where it is from, secrets masked, instead of serving",
    )
    parser.add_argument("--listening-fd", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--ready-fd", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--worker", default="", help=argparse.SUPPRESS)
    parser.add_argument("--shared-folder", default="", help=argparse.SUPPRESS)
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
