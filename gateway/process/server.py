"""The HTTP server of one process: uvicorn, that leaves without failing a request."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from socket import socket
from types import FrameType

import uvicorn

from gateway.process.clock import Monotonic
from gateway.process.connection import Connection
from gateway.process.connections import Connections
from gateway.process.drain import Drain


class DrainingServer(uvicorn.Server):
    """On SIGTERM: not ready, then no new connections, then each connection after its next answer.

    A connection on which nothing is asked is closed when `drain_s` is over. A second signal, or
    Ctrl-C, ends the process at once.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        drain: Drain,
        connections: Connections,
        *,
        accept_s: float,
        drain_s: float,
        monotonic: Monotonic,
        on_started: Callable[[], None],
        on_tick: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._drain = drain
        self._connections = connections
        self._accept_s = accept_s
        self._drain_s = drain_s
        self._monotonic = monotonic
        self._on_started = on_started
        self._each_tick = on_tick
        self._began_s = 0.0
        self._parent = os.getppid()

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Begin to serve, and tell."""
        await super().startup(sockets)
        self._on_started()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to leave; leave, if asked again."""
        if self._drain.begun or sig == signal.SIGINT:
            super().handle_exit(sig, frame)
        self._begin()

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether to end now."""
        if os.getppid() != self._parent:
            self._begin()  # nobody would end it otherwise
        if self._drain.begun:
            gone_s = self._monotonic() - self._began_s
            if gone_s >= self._accept_s:
                for server in self.servers:
                    server.close()
                if not self.server_state.connections or gone_s >= self._accept_s + self._drain_s:
                    self.should_exit = True
        mine = (each for each in self.server_state.connections if isinstance(each, Connection))
        self._connections.look(mine, self._monotonic())
        if counter % 10 == 0:
            self._each_tick()
        return await super().on_tick(counter)

    def _begin(self) -> None:
        if not self._drain.begun:
            self._drain.begun = True
            self._began_s = self._monotonic()
