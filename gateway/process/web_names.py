"""Hosts and origins as browsers and clients write them, in the one form in which equal ones are equal.

Letters have no case, an IPv6 address is written shortest, a port that is the scheme's own is as good
as none, and the dot at the end of a name, which is the same name to DNS, is left out.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv6Address
from typing import NamedTuple

DEFAULT_PORTS = {"http": 80, "https": 443}
"""Of the schemes whose pages a server can have; applications and extensions have others, without ports."""

MAX_CHARACTERS = 512
"""What is longer is no name, and is not remembered."""

_AUTHORITY = r"([a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::([0-9]{1,5}))?"
_PLACE = re.compile(_AUTHORITY, re.ASCII)
_ORIGIN = re.compile(rf"([a-z][a-z0-9+.-]{{0,63}})://{_AUTHORITY}", re.ASCII)


class Place(NamedTuple):
    """A host and the port that was written, if one was."""

    host: str
    port: int | None


class Origin(NamedTuple):
    """Where a page or an application is from; `port` is its scheme's, if none was written and it has one."""

    scheme: str
    host: str
    port: int | None

    def serves(self, place: Place) -> bool:
        """Whether a request to this place goes to where the page is from; which scheme it came by is unknown."""
        if self.scheme not in DEFAULT_PORTS:
            return False
        port = DEFAULT_PORTS[self.scheme] if place.port is None else place.port
        return (self.host, self.port) == (place.host, port)


def place_of(text: str) -> Place | None:
    """The place that is named, as in a `Host` header; `None` for anything else."""
    return _place_of(text) if len(text) <= MAX_CHARACTERS else None


def origin_of(text: str) -> Origin | None:
    """The origin that is named, as in an `Origin` header; `None` for anything else, `null` among it."""
    return _origin_of(text) if len(text) <= MAX_CHARACTERS else None


@lru_cache(maxsize=256)
def _place_of(text: str) -> Place | None:
    found = _PLACE.fullmatch(text.lower())
    return None if found is None else _place(found[1], found[2])


@lru_cache(maxsize=256)
def _origin_of(text: str) -> Origin | None:
    found = _ORIGIN.fullmatch(text.lower())
    place = None if found is None else _place(found[2], found[3])
    if found is None or place is None:
        return None
    port = DEFAULT_PORTS.get(found[1]) if place.port is None else place.port
    return Origin(found[1], place.host, port)


def _place(host: str, port: str | None) -> Place | None:
    number = None if port is None else int(port)
    if number is not None and number > 65_535:
        return None
    if not host.startswith("["):
        return Place(host.removesuffix(".") or host, number)
    try:
        return Place(f"[{IPv6Address(host[1:-1])}]", number)
    except ValueError:
        return None
