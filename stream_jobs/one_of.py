"""Several addresses that answer alike, Pinot's controllers or brokers: one is asked until it does not answer, then the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from stream_jobs.json_http import JsonHttpError


class Http(Protocol):
    """JSON over HTTP; json_http.JsonHttp."""

    def get(self, path: str) -> Any: ...

    def post(
        self, path: str, body: object, parse_float: Callable[[str], object] = float
    ) -> Any: ...

    def close(self) -> None: ...


@dataclass(slots=True)
class Turn:
    """Whose turn it is, by place; shared by all connections to the same, so that one that hangs is waited for once."""

    place: int = 0

    def after(self, failed: int, of: int) -> None:
        """The next one's, unless somebody else has already found out."""
        if self.place == failed:
            self.place = (failed + 1) % of


@dataclass(frozen=True, slots=True)
class OneOf:
    """An `Http` over connections, one an address. An answer of any kind but a server's fault is the answer."""

    connections: Sequence[Http]
    turn: Turn = field(default_factory=Turn)

    def get(self, path: str) -> Any:
        """The document at `path`."""
        return self._first(lambda connection: connection.get(path))

    def post(self, path: str, body: object, parse_float: Callable[[str], object] = float) -> Any:
        """The answer to `body` as JSON; it may have been sent to several."""
        return self._first(lambda connection: connection.post(path, body, parse_float))

    def close(self) -> None:
        """Give all connections back; the next call makes others."""
        for each in self.connections:
            each.close()

    def _first(self, ask: Callable[[Http], Any]) -> Any:
        count, began = len(self.connections), self.turn.place
        for tried in range(count):
            place = (began + tried) % count
            try:
                return ask(self.connections[place])
            except JsonHttpError as failure:
                if failure.is_answer:
                    raise
                self.turn.after(place, count)
                if tried == count - 1:
                    raise
        raise AssertionError("there is no address")


def one_of(urls: str, connect: Callable[[str], Http], turn: Turn | None = None) -> Http:
    """A connection to the addresses in `urls`, which commas separate. Raises ValueError for one that is none."""
    connections = [connect(url.strip()) for url in urls.split(",")]
    return connections[0] if len(connections) == 1 else OneOf(connections, turn or Turn())
