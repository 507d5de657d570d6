"""Pinot's tables applied where several controllers may be asked, over real sockets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from pinot_config.controller import ControllerError, HttpController


class _Controller(BaseHTTPRequestHandler):
    status = 200

    def do_POST(self) -> None:
        content = b'{"error": "no"}'
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Refusing(_Controller):
    status = 500


@contextmanager
def controller(kind: type[_Controller]) -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def nobody() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def test_the_next_controller_is_asked_where_nobody_listens() -> None:
    with controller(_Controller) as there:
        HttpController(f"{nobody()}, {there}").reload_segments("t")


def test_the_next_controller_is_asked_where_a_name_is_not_known() -> None:
    with controller(_Controller) as there:
        HttpController(f"http://pinot-controller-0.invalid:9000,{there}").reload_segments("t")


def test_what_one_has_refused_or_may_have_done_is_not_asked_of_the_next() -> None:
    with (
        controller(_Refusing) as refusing,
        controller(_Controller) as there,
        pytest.raises(ControllerError, match="HTTP 500: no"),
    ):
        HttpController(f"{refusing},{there}").reload_segments("t")


def test_where_nobody_listens_at_all_the_last_is_told() -> None:
    last = nobody()
    with pytest.raises(ControllerError, match=f"{last}/segments"):
        HttpController(f"{nobody()},{last}").reload_segments("t")
