"""From the settings to the door and the masks; what cannot work is said before the gateway starts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from gateway.access import masking
from gateway.access.auth import api_keys, claims, grants, jwks, scraping
from gateway.access.auth.authenticator import (
    Authenticator,
    Close,
    KeyVerifier,
    TokenVerifier,
    Verifier,
)
from gateway.access.auth.claims import ClaimNames
from gateway.access.auth.credential import Method
from gateway.access.auth.failed_logins import FailedLogins
from gateway.access.auth.key_source import FileKeys, HttpFetch, KeySource, RemoteKeys
from gateway.access.auth.key_uses import KeyUses
from gateway.access.auth.scraping import Scraping
from gateway.access.auth.watched import UnreadableError, Watch, WatchedFile
from gateway.access.budget.balance import Rate
from gateway.access.budget.local import LocalBudget
from gateway.access.caller import EVERYONE, Role
from gateway.access.masking import Masking
from gateway.process.addresses import is_loopback
from gateway.process.clock import EpochMs, Monotonic
from gateway.settings import Settings, SettingsError, variable

Content = TypeVar("Content")


def open_door(settings: Settings, epoch_ms: EpochMs, monotonic: Monotonic) -> Authenticator:
    """The authenticator; raises `SettingsError` that names what is missing or malformed."""
    watched: list[WatchedFile[Any]] = []
    closing: list[Close] = []

    def watch(
        name: str, parse: Callable[[bytes], Content], *, secret: bool = False
    ) -> WatchedFile[Content] | None:
        file = _file(settings, name, parse, secret=secret)
        watched.extend([] if file is None else [file])
        return file

    methods = settings.auth_methods
    groups = watch("auth_groups", grants.parse_groups)
    verifiers: dict[Method, Verifier] = {}
    if (
        "api_key" in methods
        and (keys := watch("auth_keys", api_keys.parse, secret=True)) is not None
    ):
        uses = KeyUses(Path(settings.auth_keys))
        closing.append(uses.close)
        verifiers[Method.API_KEY] = KeyVerifier(keys, groups, uses)
    if "jwt" in methods:
        revoked = watch("auth_revoked", claims.parse_revoked)
        verifiers[Method.JWT] = TokenVerifier(
            _key_source(settings, watch, monotonic, closing),
            settings.auth_issuer,
            settings.auth_audience,
            settings.auth_leeway_s,
            settings.auth_max_life_s,
            _claim_names(settings),
            groups,
            revoked,
        )
    if (used := masking_of(settings).key) is not None:
        watch("masking_key_file", partial(_still, used), secret=True)
    anonymous = EVERYONE if settings.auth == "off" else None
    watching = Watch(watched, monotonic)
    failed = Rate(settings.failed_logins_per_s, settings.failed_logins_burst)
    failed_logins = FailedLogins(LocalBudget(failed, monotonic))
    return Authenticator(
        anonymous, verifiers, watching, epoch_ms, monotonic, closing, failed_logins
    )


def scraping_of(settings: Settings, door: Authenticator, monotonic: Monotonic) -> Scraping:
    """Who may read the metrics; raises `SettingsError` for a token that is none."""
    token = _file(settings, "metrics_token_file", scraping.parse_token, secret=True)
    return Scraping(door, token, Watch([] if token is None else [token], monotonic))


def masking_of(settings: Settings) -> Masking:
    """The masks; raises `SettingsError` if their key is not one."""
    if not settings.masking_key_file:
        return Masking()
    try:
        return Masking(masking.read_key(Path(settings.masking_key_file)))
    except ValueError as error:
        raise SettingsError(f"GATEWAY_MASKING_KEY_FILE: {error}") from None


def _file(
    settings: Settings, name: str, parse: Callable[[bytes], Content], *, secret: bool
) -> WatchedFile[Content] | None:
    """The file that a setting names, if it does; raises `SettingsError` for one that cannot be used."""
    path = getattr(settings, name)
    try:
        return WatchedFile(Path(path), parse, name, secret) if path else None
    except UnreadableError as error:
        raise SettingsError(f"{variable(name)}: {error}") from error


def _still(used: bytes, content: bytes) -> bytes:
    """The masking key, as long as it is the one in use: another needs a new start, or masks would change."""
    if masking.parse_key(content) != used:
        raise ValueError("another key than the one in use")
    return used


def _key_source(
    settings: Settings,
    watch: Callable[[str, Callable[[bytes], jwks.KeySet]], Any],
    monotonic: Monotonic,
    closing: list[Close],
) -> KeySource:
    address = urlsplit(settings.auth_jwks)
    if address.scheme not in ("http", "https"):
        return FileKeys(watch("auth_jwks", jwks.parse))
    if address.scheme == "http" and not is_loopback(address.hostname or ""):
        raise SettingsError("GATEWAY_AUTH_JWKS: keys are fetched by https only")
    fetch = HttpFetch(settings.auth_jwks)
    closing.append(fetch.close)
    return RemoteKeys(fetch, monotonic)


def _claim_names(settings: Settings) -> ClaimNames:
    return ClaimNames(
        settings.auth_role_claim,
        settings.auth_accounts_claim,
        settings.auth_groups_claim,
        settings.auth_counterparties_claim,
        frozenset(Role(word.upper()) for word in settings.masked_roles),
    )
