"""What an address says: who can reach it, whose it is, and who asks where a proxy asks for him."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Network = IPv4Network | IPv6Network
Networks = tuple[Network, ...]

MAX_FORWARDED = 512
"""Characters of `X-Forwarded-For`, from its end, that are read: what proxies add stands there."""

SUBNET_BITS = 64
"""Of an IPv6 address: who has one of such a subnet has all of them (RFC 6177)."""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def networks(texts: Iterable[str]) -> Networks:
    """Addresses and networks like 10.0.0.0/8; raises `ValueError` for what is none, and for all addresses."""
    found = tuple(ip_network(text) for text in texts)
    if not all(each.prefixlen for each in found):
        raise ValueError("a network of all addresses is none")
    return found


@lru_cache(maxsize=4096)
def owner(address: str) -> str:
    """Whose it is, as far as that can be told: an IPv4 address, the subnet of an IPv6 address, else itself."""
    found = _parsed(address)
    if isinstance(found, IPv6Address):
        return str(IPv6Network((int(found), SUBNET_BITS), strict=False))
    return address if found is None else str(found)


def asker(peer: str, forwarded: str, trusted: Networks) -> str:
    """The address that a request comes from: the peer's, or what trusted proxies say it was.

    `forwarded` is `X-Forwarded-For`: each proxy adds at its end whom it was asked by, so it is read
    from there, as long as who has added is trusted. What is no address was added by nobody.
    """
    added = forwarded.split(",")
    if len(forwarded) > MAX_FORWARDED:
        added = forwarded[-MAX_FORWARDED:].split(",")[1:]
    found = _parsed(peer)
    if found is None:
        return peer
    while added and _is_in(found, trusted):
        before = _parsed(added.pop())
        if before is None:
            break
        found = before
    return str(found)


def is_among(address: str, trusted: Networks) -> bool:
    """Whether an address is one of them, or in one."""
    found = _parsed(address)
    return found is not None and _is_in(found, trusted)


def _is_in(address: IPv4Address | IPv6Address, trusted: Networks) -> bool:
    return any(address in each for each in trusted)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """An address, with a port or without; one of IPv4 that is written as one of IPv6 is one of IPv4."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return (isinstance(found, IPv6Address) and found.ipv4_mapped) or found
