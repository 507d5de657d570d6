"""Every setting of the gateway: the only module here that reads the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any

MAX_WINDOW_DAYS = 36_525


_AT_LEAST_ONE = (
    *("deadline_ms", "max_first", "max_accounts", "max_points", "max_window_days"),
    *("workers", "store_queries_least", "store_queries_start", "store_queries_most"),
    *("cache_tick_ms", "redis_timeout_ms", "log_every"),
)


class SettingsError(ValueError):
    """A setting is malformed; the message names it and what it may be."""


def _setting(default: object, meaning: str) -> Any:
    return field(default=default, metadata={"meaning": meaning})


@dataclass(frozen=True)
class Settings:
    """All settings, parsed once; each field `x` is the variable `GATEWAY_X`."""

    host: str = _setting("127.0.0.1", "Address to listen on.")
    port: int = _setting(8000, "Port to listen on.")
    workers: int = _setting(
        1, "Processes behind the port; one a core. SIGHUP replaces them one by one."
    )
    drain_accept_ms: int = _setting(
        0, "After SIGTERM: for how long connections are still accepted while `/readyz` says 503."
    )
    drain_ms: int = _setting(
        2_000, "Then: for how long idle connections may still ask before they are closed."
    )
    allow_non_loopback: bool = _setting(
        False, "Listen on an address that other machines can reach; there is no authorisation yet."
    )
    store: str = _setting("pinot", "`pinot`, or `duckdb` for the embedded store with sample data.")
    pinot_broker_url: str = _setting("http://127.0.0.1:8099", "The Pinot broker.")
    pinot_connections: int = _setting(64, "Connections to the Pinot broker at most.")
    pinot_progress_ttl_ms: int = _setting(
        250, "For how long one look at the pipeline's progress serves all operations."
    )
    pinot_group_trim_threshold: int = _setting(
        1_000_000,
        "Groups from which a ranking is no longer called exact; equals Pinot's "
        "`groupby.trim.threshold` on servers and brokers.",
    )
    store_queries_least: int = _setting(
        4, "Store queries at once that the adaptive limit always allows."
    )
    store_queries_start: int = _setting(16, "Where the adaptive limit starts.")
    store_queries_most: int = _setting(
        64, "Where it ends; least, start and most equal: a fixed limit."
    )
    deadline_ms: int = _setting(5_000, "An operation must be answered within this time.")
    max_first: int = _setting(100, "Largest `first`.")
    max_accounts: int = _setting(50, "Most ids in `accounts`.")
    max_points: int = _setting(1_500, "Most points of a series.")
    max_window_days: int = _setting(3_660, "Longest window.")
    max_depth: int = _setting(12, "Deepest nesting of a document, introspection aside.")
    max_fields: int = _setting(500, "Most fields of a document, fragments expanded.")
    max_tokens: int = _setting(3_000, "Most lexical tokens of a document.")
    max_body_bytes: int = _setting(65_536, "Largest request body.")
    max_store_queries: int = _setting(60, "Most store queries of one operation.")
    introspection: bool = _setting(True, "Whether clients may ask for the schema.")
    graphiql: bool = _setting(True, "Whether browsers get GraphiQL at `/graphql`.")
    graphiql_assets: str = _setting(
        ".local/graphiql", "Folder with GraphiQL's and React's browser files."
    )
    persisted_queries: bool = _setting(True, "Automatic persisted queries (APQ).")
    persisted_queries_max: int = _setting(1_000, "Documents kept for APQ, the latest used.")
    trusted_documents: str = _setting("off", "`off`, `log` or `enforce`.")
    trusted_documents_manifest: str = _setting(
        "", "JSON file of id to document, as graphql-codegen writes it."
    )
    cache: bool = _setting(True, "Whether ready answers are kept and shared.")
    cache_max_bytes: int = _setting(67_108_864, "Memory for ready answers, a process.")
    cache_live_ms: int = _setting(
        250, "How long an answer is fresh whose window reaches beyond its `asOf`."
    )
    cache_closed_ms: int = _setting(2_000, "The same for windows that ended before.")
    cache_pipeline_ms: int = _setting(250, "The same for the pipeline's state and counters.")
    cache_fixed_ms: int = _setting(60_000, "The same for what no store is asked for.")
    cache_stale_ms: int = _setting(
        250, "How much longer an answer is served, marked stale, while it is made anew."
    )
    cache_stale_if_error_ms: int = _setting(
        30_000, "How old an answer may be that stands in, marked stale, while the store is out."
    )
    cache_tick_ms: int = _setting(
        250, "Windows that end now end at a multiple of it, so that a page's panels agree."
    )
    redis_url: str = _setting(
        "", "Redis as the second level, `redis://host:6379/0`; none if empty."
    )
    redis_timeout_ms: int = _setting(20, "Past this, an answer is made without Redis.")
    log_every: int = _setting(
        1, "Of the log lines of fresh kept answers, only each so-manieth is written."
    )
    sample_transfers: int = _setting(40_000, "Transfers in the embedded store's sample data.")
    log_level: str = _setting("info", "`debug`, `info`, `warning` or `error`.")

    def __post_init__(self) -> None:
        """Refuse values that cannot work."""
        _one_of("store", self.store, ("pinot", "duckdb"))
        _one_of("trusted_documents", self.trusted_documents, ("off", "log", "enforce"))
        _one_of("log_level", self.log_level, ("debug", "info", "warning", "error"))
        if not 0 <= self.port <= 65_535:
            raise SettingsError(f"GATEWAY_PORT is {self.port}: it must be 0 to 65535")
        for name in _AT_LEAST_ONE:
            if getattr(self, name) < 1:
                raise SettingsError(f"{variable(name)} must be 1 or more")
        if self.max_window_days > MAX_WINDOW_DAYS:
            raise SettingsError(f"GATEWAY_MAX_WINDOW_DAYS must be up to {MAX_WINDOW_DAYS}")
        if not self.allow_non_loopback and not is_loopback(self.host):
            raise SettingsError(
                f"GATEWAY_HOST is {self.host!r}, which other machines can reach; "
                "keep it on loopback, or set GATEWAY_ALLOW_NON_LOOPBACK=true"
            )

    @property
    def graphiql_assets_path(self) -> Path:
        """The folder of GraphiQL's files."""
        return Path(self.graphiql_assets)


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of an environment; unset or empty variables keep their defaults."""
    given: dict[str, Any] = {}
    for setting in fields(Settings):
        text = environment.get(variable(setting.name), "").strip()
        if text:
            given[setting.name] = _parse(setting.name, text, type(setting.default))
    return Settings(**given)


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"GATEWAY_{name.upper()}"


def markdown_table() -> str:
    """All settings as a Markdown table, for the README."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for setting in fields(Settings):
        default = str(setting.default)
        shown = f"`{default.lower() if isinstance(setting.default, bool) else default}`"
        lines.append(
            f"| `{variable(setting.name)}` | {shown if default else ''} "
            f"| {setting.metadata['meaning']} |"
        )
    return "\n".join(lines) + "\n"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise SettingsError(
            f"{variable(name)} is {value!r}: it must be one of {', '.join(allowed)}"
        )


def _parse(name: str, text: str, kind: type) -> object:
    if kind is bool:
        if text.lower() in ("true", "1", "yes", "on"):
            return True
        if text.lower() in ("false", "0", "no", "off"):
            return False
        raise SettingsError(f"{variable(name)} is {text!r}: it must be true or false")
    if kind is int:
        try:
            return int(text)
        except ValueError:
            raise SettingsError(f"{variable(name)} is {text!r}: it must be a number") from None
    return text
