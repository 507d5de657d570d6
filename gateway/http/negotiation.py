"""Which media type to answer in: `Accept` ranked by quality, then by how exact it is, then order.

Rules: RFC 9110 section 12.5.1; media types: GraphQL over HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gateway.http import media_types
from gateway.http.media_types import MediaType

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
HTML = "text/html"
EVENTS = "text/event-stream"
OFFERED = (GRAPHQL, JSON)


@dataclass(frozen=True, slots=True)
class MediaRange:
    """One range of an `Accept` header."""

    media_type: str
    quality: float

    def matches(self, media_type: str) -> bool:
        """Whether the range covers a type."""
        major = media_type.partition("/")[0]
        suffix = media_type.partition("+")[2]
        return self.media_type in (
            *(media_type, f"{major}/*", "*/*"),
            *("*", f"{major}/*+{suffix}"),  # what Java's own client and Spring's send
        )

    @property
    def precision(self) -> int:
        """2 for a type, 1 for a family of types, 0 for any."""
        return 0 if self.media_type in ("*/*", "*") else 1 if "*" in self.media_type else 2


def choose(accept: str | None, offers: Sequence[str] = (JSON, GRAPHQL)) -> str | None:
    """The type to answer in; `None` if the client accepts none.

    Without a header, or when only `*/*` speaks for us, it is the first: of GraphQL's the legacy type,
    which every client reads.
    """
    if accept is None or not accept.strip():
        return offers[0]
    ranges = parse(accept)
    best: tuple[float, int, int] | None = None
    chosen: str | None = None
    for offered in offers:
        rank = _rank(offered, ranges)
        if rank is not None and (best is None or rank > best):
            best, chosen = rank, offered
    return chosen


class Accepted(NamedTuple):
    """How a client may be answered.

    `media_type`: in which type at once, `None` if in neither; `events`: whether as a stream of events;
    `prefers_events`: whether rather so.
    """

    media_type: str | None
    events: bool
    prefers_events: bool


AS_JSON = Accepted(JSON, events=False, prefers_events=False)


def accepted(accept: str | None) -> Accepted:
    """What a header asks for; events only where they are named, not by `*/*`."""
    media_type = choose(accept)
    ranges = parse(accept or "")
    named = [(at, each.quality) for at, each in enumerate(ranges) if each.media_type == EVENTS]
    if not named or named[0][1] <= 0:
        return Accepted(media_type, events=False, prefers_events=False)
    place, quality = named[0]
    other = None if media_type is None else _rank(media_type, ranges)
    # Clients that know both name first what they want of a query.
    prefers = other is None or (quality, 2, -place) > other
    return Accepted(media_type, events=True, prefers_events=prefers)


def prefers_html(accept: str | None) -> bool:
    """Whether a browser asks, rather than a GraphQL client."""
    ranges = parse(accept or "")
    html = next((each.quality for each in ranges if each.media_type == HTML), 0.0)
    json = max((each.quality for each in ranges if each.media_type in OFFERED), default=0.0)
    return html > 0 and html >= json


def parse(accept: str) -> tuple[MediaRange, ...]:
    """The ranges of a header, in its order; malformed qualities count as 1."""
    found = (media_types.read(part) for part in media_types.split(accept, ",") if part)
    return tuple(MediaRange(each.name, _quality(each)) for each in found if each.name)


def _quality(found: MediaType) -> float:
    said = found.all("q")
    try:
        return min(1.0, max(0.0, float(said[0]))) if said else 1.0
    except ValueError:
        return 1.0


def _rank(offered: str, ranges: tuple[MediaRange, ...]) -> tuple[float, int, int] | None:
    """How much a client wants a type: quality, precision, place; `None` if it does not."""
    matching = [
        (each.precision, -place, each.quality)
        for place, each in enumerate(ranges)
        if each.matches(offered)
    ]
    if not matching:
        return None
    precision, place, quality = max(matching)
    return (quality, precision, place) if quality > 0 else None
