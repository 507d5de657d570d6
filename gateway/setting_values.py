"""What a setting's text may be: its words, numbers and addresses, and the error that says so."""

from __future__ import annotations

from ipaddress import ip_address

_YES, _NO = ("true", "1", "yes", "on"), ("false", "0", "no", "off")


class SettingsError(ValueError):
    """A setting is malformed; the message names it and what it may be."""


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"GATEWAY_{name.upper()}"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def words(text: str) -> tuple[str, ...]:
    """The words of a setting that is a list, in lower case."""
    return tuple(word.strip().lower() for word in text.split(",") if word.strip())


def one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    """Raise `SettingsError` if a setting's value is none of these."""
    if value not in allowed:
        raise SettingsError(
            f"{variable(name)} is {value!r}: it must be one of {', '.join(allowed)}"
        )


def parsed(name: str, text: str, kind: type) -> object:
    """A setting's text as a truth value, a number or itself; raises `SettingsError`."""
    if kind is bool:
        if text.lower() in _YES + _NO:
            return text.lower() in _YES
        raise SettingsError(f"{variable(name)} is {text!r}: it must be true or false")
    if kind is int:
        try:
            return int(text)
        except ValueError:
            raise SettingsError(f"{variable(name)} is {text!r}: it must be a number") from None
    return text
