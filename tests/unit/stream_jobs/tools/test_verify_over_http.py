"""What a gateway refuses has a status of its own; who verifies waits as it is told, and asks again."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from stream_jobs.json_http import JsonHttpError
from stream_jobs.tools import verify_answers
from stream_jobs.tools.verify_answers import Gateway, GraphQLError, http_ask

PIPELINE = {"asOf": "2026-01-01T00:00:00Z", "entries": "2", "rejected": "1"}
ANSWER = json.dumps({"data": {"pipeline": PIPELINE, "limits": {"maxWindowDays": 400}}})


def refusal(code: str, retry_after_s: int | None = None) -> str:
    extensions = {"code": code} | (
        {} if retry_after_s is None else {"retryAfterSeconds": retry_after_s}
    )
    return json.dumps({"errors": [{"message": f"Told: {code}.", "extensions": extensions}]})


class Server(ThreadingHTTPServer):
    """Gives one answer after the other, the last one for ever."""

    answers: list[tuple[int, str]]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/graphql"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        assert isinstance(self.server, Server)
        answers = self.server.answers
        status, text = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as made:
        threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True).start()
        yield made
        made.shutdown()


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    times: list[float] = []
    monkeypatch.setattr("stream_jobs.tools.verify_answers.time.sleep", times.append)
    return times


def test_a_spent_budget_is_waited_for_as_long_as_it_says(
    server: Server, waited: list[float]
) -> None:
    server.answers = [
        (429, refusal("RATE_LIMITED", 7)),
        (503, refusal("BACKEND_UNAVAILABLE")),
        (429, refusal("RATE_LIMITED", 3_600)),
        (200, ANSWER),
    ]
    assert Gateway(http_ask(server.url)).pipeline().entries == 2
    assert waited == [7.0, 0.5, verify_answers.LONGEST_WAIT_S]


def test_what_asking_again_does_not_change_is_told_at_once(
    server: Server, waited: list[float]
) -> None:
    server.answers = [(401, refusal("UNAUTHENTICATED"))]
    with pytest.raises(GraphQLError, match=r"Told: UNAUTHENTICATED\."):
        Gateway(http_ask(server.url)).pipeline()
    assert waited == []


@pytest.mark.parametrize("text", ["<html>", "[]", '{"errors": []}'])
def test_what_is_no_answer_of_graphqls_is_told_with_its_status(server: Server, text: str) -> None:
    server.answers = [(502, text)]
    with pytest.raises(JsonHttpError, match="HTTP 502"):
        Gateway(http_ask(server.url)).pipeline()
