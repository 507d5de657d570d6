"""Runs the gateway: `python -m gateway`, settings from the environment."""

from __future__ import annotations

import gc
import socket
import sys
from contextlib import suppress

import uvicorn

from gateway import settings as settings_module
from gateway.app import create_app
from gateway.settings import Settings, SettingsError


def main() -> int:
    """Serve until stopped; 2 for settings that cannot work."""
    try:
        settings = settings_module.read()
        app = create_app(settings)
        listening = listen(settings)
    except SettingsError as error:
        print(f"gateway: {error}", file=sys.stderr)
        return 2
    with listening:
        # What stays for the process's life is not searched again and again: a full collection
        # would stop every request for tens of milliseconds.
        gc.collect()
        gc.freeze()
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=10,
        )
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listening])
    return 0


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
    sys.exit(main())
