"""From the settings to the door and the masks; what cannot work is said before the gateway starts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from gateway.auth import api_keys, claims, grants, jwks, scraping
from gateway.auth.authenticator import Authenticator, Close, KeyVerifier, TokenVerifier, Verifier
from gateway.auth.claims import ClaimNames
from gateway.auth.credential import Method
from gateway.auth.key_source import FileKeys, HttpFetch, KeySource, RemoteKeys
from gateway.auth.scraping import Scraping
from gateway.auth.watched import UnreadableError, WatchedFile
from gateway.caller import EVERYONE, Role
from gateway.clock import EpochMs, Monotonic
from gateway.masking import Masking, read_key
from gateway.setting_values import SettingsError, is_loopback, variable, words
from gateway.settings import Settings

Content = TypeVar("Content")


def open_door(settings: Settings, epoch_ms: EpochMs, monotonic: Monotonic) -> Authenticator:
    """The authenticator; raises `SettingsError` that names what is missing or malformed."""
    watched: list[WatchedFile[Any]] = []
    closing: list[Close] = []

    def watch(
        name: str, parse: Callable[[bytes], Content], without: Content | None = None
    ) -> WatchedFile[Content] | None:
        path = getattr(settings, name)
        if not path:
            return None
        try:
            file = WatchedFile(Path(path), parse, without)
        except UnreadableError as error:
            raise SettingsError(f"{variable(name)}: {error}") from error
        watched.append(file)
        return file

    methods = settings.auth_methods
    groups = watch("auth_groups", grants.parse_groups, grants.NO_GROUPS)
    verifiers: dict[Method, Verifier] = {}
    if (
        "api_key" in methods
        and (keys := watch("auth_keys", api_keys.parse, api_keys.NO_KEYS)) is not None
    ):
        verifiers[Method.API_KEY] = KeyVerifier(keys, groups)
    if "jwt" in methods:
        # A list of revoked tokens that disappears must not bring them back.
        revoked = watch("auth_revoked", claims.parse_revoked)
        verifiers[Method.JWT] = TokenVerifier(
            _key_source(settings, watch, monotonic, closing),
            settings.auth_issuer,
            settings.auth_audience,
            settings.auth_leeway_s,
            _claim_names(settings),
            groups,
            revoked,
        )
    anonymous = EVERYONE if settings.auth == "off" else None
    return Authenticator(anonymous, verifiers, watched, epoch_ms, monotonic, closing)


def scraping_of(settings: Settings, door: Authenticator) -> Scraping:
    """Who may read the metrics; raises `SettingsError` for a token that is none."""
    if not settings.metrics_token_file:
        return Scraping(door, None)
    try:
        token = WatchedFile(Path(settings.metrics_token_file), scraping.parse_token)
    except UnreadableError as error:
        raise SettingsError(f"GATEWAY_METRICS_TOKEN_FILE: {error}") from error
    return Scraping(door, token)


def masking_of(settings: Settings) -> Masking:
    """The masks; raises `SettingsError` if their key is not one."""
    if not settings.masking_key_file:
        return Masking()
    try:
        return Masking(read_key(Path(settings.masking_key_file)))
    except ValueError as error:
        raise SettingsError(f"GATEWAY_MASKING_KEY_FILE: {error}") from None


def _key_source(
    settings: Settings,
    watch: Callable[[str, Callable[[bytes], jwks.KeySet], jwks.KeySet], Any],
    monotonic: Monotonic,
    closing: list[Close],
) -> KeySource:
    address = urlsplit(settings.auth_jwks)
    if address.scheme not in ("http", "https"):
        return FileKeys(watch("auth_jwks", jwks.parse, jwks.NO_KEYS))
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
        frozenset(Role(word.upper()) for word in words(settings.auth_masked_roles)),
    )
