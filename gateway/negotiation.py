"""Which media type to answer in: `Accept` ranked by quality, then by how exact it is, then order.

Rules: RFC 9110 section 12.5.1; media types: GraphQL over HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
HTML = "text/html"
OFFERED = (GRAPHQL, JSON)


@dataclass(frozen=True, slots=True)
class MediaRange:
    """One range of an `Accept` header."""

    media_type: str
    quality: float

    def matches(self, media_type: str) -> bool:
        """Whether the range covers a type."""
        major = media_type.partition("/")[0]
        return self.media_type in (media_type, f"{major}/*", "*/*")

    @property
    def precision(self) -> int:
        """2 for a type, 1 for a family of types, 0 for any."""
        return 2 - self.media_type.count("*")


def choose(accept: str | None) -> str | None:
    """The type to answer in; `None` if the client accepts neither.

    Without a header, or when only `*/*` speaks for us, the answer is the legacy type, which every
    client reads.
    """
    if accept is None or not accept.strip():
        return JSON
    ranges = parse(accept)
    best: tuple[float, int, int] | None = None
    chosen: str | None = None
    for offered in (JSON, GRAPHQL):
        rank = _rank(offered, ranges)
        if rank is not None and (best is None or rank > best):
            best, chosen = rank, offered
    return chosen


def prefers_html(accept: str | None) -> bool:
    """Whether a browser asks, rather than a GraphQL client."""
    ranges = parse(accept or "")
    html = next((each.quality for each in ranges if each.media_type == HTML), 0.0)
    json = max((each.quality for each in ranges if each.media_type in OFFERED), default=0.0)
    return html > 0 and html >= json


def parse(accept: str) -> tuple[MediaRange, ...]:
    """The ranges of a header, in its order; malformed qualities count as 1."""
    ranges = []
    for part in accept.split(","):
        media_type, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if media_type:
            ranges.append(MediaRange(media_type, _quality(parameters)))
    return tuple(ranges)


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(1.0, max(0.0, float(value)))
            except ValueError:
                return 1.0
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
