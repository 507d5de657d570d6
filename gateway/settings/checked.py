"""The settings as the gateway takes them: checked against each other, with what follows from them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from pydantic import model_validator

from gateway.process.addresses import Networks, is_loopback, networks
from gateway.process.connections import Limits
from gateway.process.web_names import Origin, origin_of, place_of
from gateway.settings.every_setting import EverySetting
from gateway.settings.kinds import SettingsError, variable
from gateway.settings.masks import without_password

_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9])?\.?|\[[0-9a-f:.]{2,45}\]")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_NEEDED = {
    "api_key": ("auth_keys", "masking_key_file"),
    "jwt": ("auth_jwks", "auth_issuer", "auth_audience", "masking_key_file"),
}


class Settings(EverySetting):
    """All settings, parsed once."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        """Refuse values that cannot work; raises `SettingsError` with all that is wrong."""
        faults = [
            *self._names_faults(),
            *self._proxies_faults(),
            *self._auth_faults(),
            *self._redis_faults(),
            *self._pinot_faults(),
            *self._reach_faults(),
        ]
        if faults:
            raise SettingsError(*faults)
        return self

    def _names_faults(self) -> Iterator[str]:
        for origin in _words(self.allowed_origins):
            if origin_of(origin) is None:
                named = without_password(origin)
                yield f"GATEWAY_ALLOWED_ORIGINS has {named!r}: an origin is like https://example.org"
        for header in self.page_headers:
            if not _HEADER.fullmatch(header):
                yield f"GATEWAY_ALLOWED_HEADERS has {header!r}: a header's name is like X-Tenant"
        for host in self.hosts:
            if not _HOST_NAME.fullmatch(host) or place_of(host) is None:
                yield (
                    f"GATEWAY_ALLOWED_HOSTS has {without_password(host)!r}: "
                    "a host is like api.example.org, "
                    "without a scheme or port"
                )

    def _proxies_faults(self) -> Iterator[str]:
        for text in _words(self.trusted_proxies):
            try:
                networks([text])
            except ValueError:
                yield (
                    f"GATEWAY_TRUSTED_PROXIES has {text!r}: "
                    "an address is like 10.0.0.7, a network like 10.0.0.0/8 or fd00::/64"
                )

    def _auth_faults(self) -> Iterator[str]:
        methods = self.auth_methods
        if self.auth != "off" and (not methods or methods - _NEEDED.keys()):
            yield f"GATEWAY_AUTH is {self.auth!r}: it must be off, api_key, jwt or both with a comma"
        for role in self.masked_roles:
            if role not in ("owner", "partner"):
                yield f"GATEWAY_AUTH_MASKED_ROLES has {role!r}: it must be a list of owner and partner"
        wanted = {
            name: method
            for method in sorted(methods)
            for name in _NEEDED.get(method, ())
            if not getattr(self, name)
        }
        for name, method in wanted.items():
            yield f"{variable(name)} must be set: {method} cannot work without it"

    def _redis_faults(self) -> Iterator[str]:
        if bool(self.redis_tls_cert_file) is not bool(self.redis_tls_key_file):
            yield "GATEWAY_REDIS_TLS_CERT_FILE and GATEWAY_REDIS_TLS_KEY_FILE: both must be set, or neither"

    def _pinot_faults(self) -> Iterator[str]:
        if 0 < self.entries_kept_days <= self.rows_days:
            yield (
                f"GATEWAY_ENTRIES_KEPT_DAYS is {self.entries_kept_days}, and GATEWAY_ROWS_DAYS {self.rows_days}: "
                "accounts' rows of days that Pinot forgets would be told as all there are; keep more, or fewer rows"
            )
        if bool(self.pinot_username) is not bool(self.pinot_password_file):
            yield "GATEWAY_PINOT_USERNAME and GATEWAY_PINOT_PASSWORD_FILE: both must be set, or neither"
        if self.pinot_username and self.pinot_token_file:
            yield "GATEWAY_PINOT_USERNAME and GATEWAY_PINOT_TOKEN_FILE are both set: one of them is enough"
        if bool(self.pinot_tls_cert_file) is not bool(self.pinot_tls_key_file):
            yield "GATEWAY_PINOT_TLS_CERT_FILE and GATEWAY_PINOT_TLS_KEY_FILE: both must be set, or neither"

    def _reach_faults(self) -> Iterator[str]:
        if is_loopback(self.host):
            return
        reached = f"GATEWAY_HOST is {self.host!r}, which other machines can reach"
        if not self.allow_non_loopback:
            yield f"{reached}; keep it on loopback, or set GATEWAY_ALLOW_NON_LOOPBACK=true"
        elif self.auth == "off":
            yield f"{reached}, and GATEWAY_AUTH is off: set it to api_key, jwt or both"

    @property
    def auth_methods(self) -> frozenset[str]:
        """What credentials are looked at; with `off`, those that there is a file or address for."""
        if self.auth != "off":
            return frozenset(_words(self.auth))
        given = {"api_key": self.auth_keys, "jwt": self.auth_jwks}
        return frozenset(method for method, where in given.items() if where)

    @property
    def masked_roles(self) -> tuple[str, ...]:
        """The roles that are shown masked ids unless a token says otherwise."""
        return _words(self.auth_masked_roles)

    @property
    def origins(self) -> frozenset[Origin]:
        """The origins of other sites and of applications whose pages may ask."""
        return frozenset(filter(None, map(origin_of, _words(self.allowed_origins))))

    @property
    def page_headers(self) -> tuple[str, ...]:
        """The headers that those pages may send beside the usual ones."""
        return _words(self.allowed_headers)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names of this gateway beside the loopback's."""
        return _words(self.allowed_hosts)

    @property
    def proxies(self) -> Networks:
        """The proxies whose word is taken for whom they ask for."""
        return networks(_words(self.trusted_proxies))

    @property
    def connection_limits(self) -> Limits:
        """How many connections there may be, and for how long they may stand still."""
        return Limits(
            most=self.max_connections,
            most_of_address=self.max_connections_per_address,
            head_s=self.head_ms / 1000,
            body_s=self.body_ms / 1000,
            idle_s=self.idle_ms / 1000,
            send_s=self.send_ms / 1000,
            half_closed_s=self.half_closed_ms / 1000,
            proxies=self.proxies,
        )

    @property
    def page_assets_path(self) -> Path:
        """The folder of the live page's chart library."""
        return Path(self.page_assets)

    @property
    def graphiql_assets_path(self) -> Path:
        """The folder of GraphiQL's files."""
        return Path(self.graphiql_assets)


def _words(text: str) -> tuple[str, ...]:
    """The words of a setting that is a list, in lower case."""
    return tuple(word.strip().lower() for word in text.split(",") if word.strip())
