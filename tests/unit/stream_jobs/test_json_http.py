"""JSON over TLS from a real server: who is believed, who we say we are, and what a refusal reads like."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from local_stack.authority import Authority
from stream_jobs.http_access import HttpAccess, pinot_access
from stream_jobs.json_http import JsonHttp, JsonHttpError
from stream_jobs.secret_files import AccessError

TRACKER = "Basic dHJhY2tlcjpmaXJzdA=="  # tracker:first


class Handler(BaseHTTPRequestHandler):
    """Lets the tracker in, with its first password."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        allowed = self.headers.get("Authorization") == TRACKER
        body = b'{"let": "in"}' if allowed else b'{"error": "who?"}'
        self.send_response(200 if allowed else 403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        """Say what came of a form."""
        content = self.rfile.read(int(self.headers["Content-Length"]))
        kind, match = self.headers["Content-Type"], self.headers.get("If-Match")
        status = 412 if match == "old" else 200
        body = json.dumps({"type": kind, "content": content.decode()}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


def _served(folder: Path, name: str, *, mutual: bool = False) -> ThreadingHTTPServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    if mutual:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(folder / "ca.pem")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # refused handshakes
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    authority = Authority(tmp_path)
    now = datetime.now(UTC)
    authority.make(now)
    authority.issue("pinot", "127.0.0.1", now)
    authority.issue("elsewhere", "127.0.0.2", now)
    authority.issue("late", "127.0.0.1", now, timedelta(minutes=-1))
    (tmp_path / "password").write_text("first\n")
    return tmp_path


@pytest.fixture
def server(folder: Path) -> Iterator[ThreadingHTTPServer]:
    served = _served(folder, "pinot")
    yield served
    served.shutdown()
    served.server_close()


def _access(folder: Path, **other: str) -> HttpAccess:
    given = {"username": "tracker", "password_file": str(folder / "password")}
    return HttpAccess(**{**given, "tls_ca_file": str(folder / "ca.pem"), **other})


def _ask(server: ThreadingHTTPServer, access: HttpAccess) -> object:
    with closing(JsonHttp(f"https://127.0.0.1:{server.server_port}", access=access)) as http:
        return http.get("/tables")


def test_who_is_known_is_let_in(folder: Path, server: ThreadingHTTPServer) -> None:
    assert _ask(server, _access(folder)) == {"let": "in"}


def test_a_wrong_password_is_told_without_it_and_a_right_one_is_taken_without_a_new_process(
    folder: Path, server: ThreadingHTTPServer
) -> None:
    (folder / "password").write_text("wr0ng")
    with closing(
        JsonHttp(f"https://127.0.0.1:{server.server_port}", access=_access(folder))
    ) as http:
        with pytest.raises(JsonHttpError, match="HTTP 403: it refuses user tracker") as refusal:
            http.get("/tables")
        assert "wr0ng" not in str(refusal.value)
        (folder / "password").write_text("first")
        assert http.get("/tables") == {"let": "in"}


def test_an_authority_that_is_not_believed_is_told(
    folder: Path, server: ThreadingHTTPServer
) -> None:
    with pytest.raises(JsonHttpError, match=r"its certificate is refused: .*issuer certificate"):
        _ask(server, _access(folder, tls_ca_file=""))


@pytest.mark.parametrize(
    ("certificate", "told"), [("late", "expired"), ("elsewhere", "IP address mismatch")]
)
def test_a_certificate_that_is_late_or_of_another_host_is_told(
    certificate: str, told: str, folder: Path
) -> None:
    server = _served(folder, certificate)
    try:
        with pytest.raises(JsonHttpError, match=f"its certificate is refused: .*{told}"):
            _ask(server, _access(folder))
    finally:
        server.shutdown()
        server.server_close()


def test_a_server_that_wants_a_certificate_gets_ours(folder: Path) -> None:
    server = _served(folder, "pinot", mutual=True)
    own = {"tls_cert_file": str(folder / "pinot.pem"), "tls_key_file": str(folder / "pinot.key")}
    try:
        assert _ask(server, _access(folder, **own)) == {"let": "in"}
        with pytest.raises(JsonHttpError, match="no TLS: "):
            _ask(server, _access(folder))
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"PINOT_USERNAME": "a"}, "PINOT_USERNAME and PINOT_PASSWORD_FILE: both"),
        ({"PINOT_TLS_KEY_FILE": "k"}, "PINOT_TLS_CERT_FILE and PINOT_TLS_KEY_FILE: both"),
        ({"PINOT_PASSWORD": "p"}, "did you mean PINOT_PASSWORD_FILE"),
        (
            {"PINOT_USERNAME": "a", "PINOT_PASSWORD_FILE": "p", "PINOT_TOKEN_FILE": "t"},
            "one of them is enough",
        ),
    ],
)
def test_settings_that_cannot_work_are_refused(given: dict[str, str], told: str) -> None:
    with pytest.raises(AccessError, match=told):
        pinot_access(given)


def test_a_file_is_fetched_and_sent_as_it_is(folder: Path, server: ThreadingHTTPServer) -> None:
    file = folder / "segment.tar.gz"
    url = f"https://127.0.0.1:{server.server_port}"
    with closing(JsonHttp(url, access=_access(folder))) as http:
        http.download("/segments/table/segment", file)
        assert file.read_bytes() == b'{"let": "in"}'
        answer = http.upload("/v2/segments", file, {"If-Match": "new"})
        boundary = answer["type"].removeprefix("multipart/form-data; boundary=")
        head, content = answer["content"].split("\r\n\r\n", 1)
        assert head.startswith(f"--{boundary}\r\nContent-Disposition: form-data")
        assert content == f'{{"let": "in"}}\r\n--{boundary}--\r\n'
        with pytest.raises(JsonHttpError, match="HTTP 412"):
            http.upload("/v2/segments", file, {"If-Match": "old"})
        http.send("POST", "/tables/t/forceCommit")


def test_a_password_in_an_address_is_refused() -> None:
    with pytest.raises(ValueError, match="would be logged") as refusal:
        JsonHttp("https://tracker:first@pinot:9000")
    assert "first" not in str(refusal.value)
