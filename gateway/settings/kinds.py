"""What a setting may be: its kinds, their bounds in words, and the error that tells what is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic.fields import FieldInfo

PREFIX = "GATEWAY_"
MIN_SIGNING_KEY = 32

Port = Annotated[int, Field(ge=0, le=65_535)]
Positive = Annotated[int, Field(ge=1)]
NotNegative = Annotated[int, Field(ge=0)]


class SettingsError(Exception):
    """Settings that cannot work: each fault is a line that names the variable and what it may be."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Confidential:
    """Marks a setting that is shown to nobody, and may be in a file of its own."""


@dataclass(frozen=True, slots=True)
class Described:
    """Says in words what a setting may be that only its own function can judge."""

    words: str


def _signing_keys(text: str) -> str:
    if not all(len(each) >= MIN_SIGNING_KEY for each in text.split()):
        raise ValueError("a key that is too short")
    return text


def _redis_url(text: str) -> str:
    """Refuse here what would be quoted later, password and all, by whoever cannot take it apart."""
    address = urlsplit(text)
    database = address.path.strip("/") or "0"
    known = address.scheme in ("redis", "rediss") and address.hostname and address.port != 0
    if text and not (known and database.isdecimal()):
        raise ValueError("not the address of a Redis")
    return text


def _redis_url_or_socket(text: str) -> str:
    return text if text.startswith("unix:///") else _redis_url(text)


def _pinot_urls(text: str) -> str:
    for each in text.split(","):
        address = urlsplit(each.strip())
        if (
            address.scheme not in ("http", "https")
            or not address.hostname
            or address.username
            or address.password
        ):
            raise ValueError("not the address of a broker")
    return text


_PINOT = (
    "an address like https://broker:8099, without a password in it, or several with commas between"
)
PinotUrls = Annotated[str, AfterValidator(_pinot_urls), Described(_PINOT)]
_KEYS = f"keys of {MIN_SIGNING_KEY} characters or more each, separated by blanks or lines"
_REDIS = "an address like redis://:password@host:6379/0, or rediss://… for TLS"
Secret = Annotated[str, Confidential()]
SigningKeys = Annotated[Secret, AfterValidator(_signing_keys), Described(_KEYS)]
RedisUrl = Annotated[Secret, AfterValidator(_redis_url), Described(_REDIS)]
RedisUrlOrSocket = Annotated[Secret, AfterValidator(_redis_url_or_socket), Described(_REDIS)]


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def file_variable(name: str) -> str:
    """The variable that names the file of a confidential setting."""
    return f"{variable(name)}_FILE"


def is_confidential(setting: FieldInfo) -> bool:
    """Whether nobody may be shown it."""
    return any(isinstance(each, Confidential) for each in setting.metadata)


def allowed(setting: FieldInfo) -> str:
    """In words what a setting may be that is not any text."""
    for each in setting.metadata:
        if isinstance(each, Described):
            return each.words
    if setting.annotation is bool:
        return "true or false"
    if get_origin(setting.annotation) is Literal:
        return f"one of {', '.join(get_args(setting.annotation))}"
    low, high = (_bound(setting, name) for name in ("ge", "le"))
    bounds = f", {low} or more" if high is None else f" from {low} to {high}"
    return f"a whole number{bounds}"


def _bound(setting: FieldInfo, name: str) -> int | None:
    return next((getattr(each, name) for each in setting.metadata if hasattr(each, name)), None)
