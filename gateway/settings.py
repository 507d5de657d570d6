"""Every setting of the gateway: the only module here that reads the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from gateway.setting_values import SettingsError, is_loopback, one_of, parsed, variable, words

MAX_WINDOW_DAYS = 36_525
_POSITIVE = (
    *("deadline_ms", "budget_burst", "anonymous_budget_burst"),
    *("workers", "store_queries_least", "store_queries_start", "store_queries_most"),
    "store_gather_accounts",
    *("cache_tick_ms", "cache_redis_timeout_ms", "log_every"),
)
_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\]")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?")


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
        False, "Listen on an address that other machines can reach; needs authentication."
    )
    auth: str = _setting(
        "off",
        "How callers prove who they are: `api_key`, `jwt` or both with a comma; with `off`, on "
        "loopback only, requests without a credential may see everything.",
    )
    auth_keys: str = _setting("", "The API keys' file, kept by `./dev keys`.")
    auth_groups: str = _setting("", "JSON file of named groups of accounts.")
    auth_jwks: str = _setting(
        "", "The identity provider's public keys: an https address or a file."
    )
    auth_issuer: str = _setting("", "What a token's `iss` must be.")
    auth_audience: str = _setting("", "What a token's `aud` must be or hold.")
    auth_role_claim: str = _setting("role", "The claim with `owner`, `partner` or `operator`.")
    auth_accounts_claim: str = _setting("accounts", "The claim with a list of account ids.")
    auth_groups_claim: str = _setting("groups", "The claim with a list of groups.")
    auth_counterparties_claim: str = _setting(
        "sees_counterparties", "The claim that says whether other accounts' ids are shown in full."
    )
    auth_masked_roles: str = _setting(
        "partner",
        "Roles that are shown masked ids of other accounts unless a token says otherwise.",
    )
    auth_leeway_s: int = _setting(30, "By how much a token's issuer's clock may differ.")
    auth_revoked: str = _setting("", "JSON file of revoked tokens' `jti` and `sub`.")
    masking_key_file: str = _setting(
        "", "File with 32 random bytes or more, which ids are masked with."
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
    store_gather_accounts: int = _setting(
        16,
        "Accounts whose totals several operations ask for in one store query at most; 1: each for "
        "itself.",
    )
    store_gather_ms: int = _setting(
        5, "How long such a question waits at most for others, once half of the limit is used."
    )
    shed_late_ms: int = _setting(20, "Seen this late, only ready answers are given; 0: never.")
    deadline_ms: int = _setting(5_000, "An operation must be answered within this time.")
    max_first: int = _setting(100, "Largest `first`.")
    max_accounts: int = _setting(50, "Most ids in `accounts`.")
    max_points: int = _setting(1_500, "Most points of a series.")
    max_window_days: int = _setting(3_660, "Longest window.")
    max_depth: int = _setting(12, "Deepest nesting of a document, introspection aside.")
    max_fields: int = _setting(500, "Most fields of a document, fragments expanded.")
    max_tokens: int = _setting(
        600, "Most lexical tokens of a document; what one costs to check is linear in them."
    )
    max_aliases: int = _setting(50, "Most aliases of a document, fragments expanded.")
    max_root_fields: int = _setting(20, "Most fields at the root of an operation.")
    max_directives: int = _setting(50, "Most directives of a document.")
    max_fragments: int = _setting(30, "Most fragment definitions of a document.")
    max_operations: int = _setting(10, "Most operations of a document.")
    max_variables: int = _setting(50, "Most variables of an operation.")
    max_body_bytes: int = _setting(16_384, "Largest request body, and longest URL.")
    max_cost: int = _setting(5_000, "Most points that one operation may cost.")
    budget_per_s: int = _setting(
        2_000, "Points that flow into each authenticated caller's budget; 0: no budgets."
    )
    budget_burst: int = _setting(20_000, "Points that a caller's budget holds at most.")
    anonymous_budget_per_s: int = _setting(
        0, "Points that flow into each address's budget where authentication is off; 0: no budgets."
    )
    anonymous_budget_burst: int = _setting(100_000, "Points that an address's budget holds.")
    budget_redis_url: str = _setting(
        "", "Redis that holds the budgets of several gateways; without it each counts for itself."
    )
    max_store_queries: int = _setting(60, "Most store queries of one operation.")
    execution: str = _setting(
        "compiled",
        "`compiled`: an operation that is executed again is compiled; or `graphql-core` for all.",
    )
    introspection: bool = _setting(
        True,
        "Whether clients may ask for the schema and get names suggested; without it, "
        "`/schema.graphql` and `/docs` are for operators only.",
    )
    allowed_origins: str = _setting(
        "", "Origins of other sites whose pages may ask, separated by commas; no wildcard."
    )
    allowed_hosts: str = _setting(
        "",
        "Names that requests may be sent to (`Host`, without ports), separated by commas, beside "
        "localhost, 127.0.0.1 and [::1]; if none are given, only those on loopback, any elsewhere.",
    )
    metrics_token_file: str = _setting(
        "",
        "File with the bearer token of whoever scrapes `/metrics`, 32 characters or more; without "
        "it, `/metrics` is for operators, or for all where authentication is off.",
    )
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
    cache_redis_url: str = _setting(
        "", "Redis as the second level, `redis://host:6379/0`; none if empty."
    )
    cache_redis_timeout_ms: int = _setting(20, "Past this, an answer is made without Redis.")
    log_every: int = _setting(
        1, "Of the log lines of fresh kept answers, only each so-manieth is written."
    )
    sample_transfers: int = _setting(40_000, "Transfers in the embedded store's sample data.")
    log_level: str = _setting("info", "`debug`, `info`, `warning` or `error`.")

    def __post_init__(self) -> None:
        """Refuse values that cannot work."""
        one_of("store", self.store, ("pinot", "duckdb"))
        one_of("trusted_documents", self.trusted_documents, ("off", "log", "enforce"))
        one_of("execution", self.execution, ("compiled", "graphql-core"))
        one_of("log_level", self.log_level, ("debug", "info", "warning", "error"))
        if not 0 <= self.port <= 65_535:
            raise SettingsError(f"GATEWAY_PORT is {self.port}: it must be 0 to 65535")
        for setting in fields(self):
            low = 1 if setting.name.startswith("max_") or setting.name in _POSITIVE else 0
            if setting.type == "int" and getattr(self, setting.name) < low:
                raise SettingsError(f"{variable(setting.name)} must be {low} or more")
        self._check_names()
        if self.max_window_days > MAX_WINDOW_DAYS:
            raise SettingsError(f"GATEWAY_MAX_WINDOW_DAYS must be up to {MAX_WINDOW_DAYS}")
        self._check_auth()
        if is_loopback(self.host):
            return
        if not self.allow_non_loopback:
            raise SettingsError(
                f"GATEWAY_HOST is {self.host!r}, which other machines can reach; "
                "keep it on loopback, or set GATEWAY_ALLOW_NON_LOOPBACK=true"
            )
        if self.auth == "off":
            raise SettingsError(
                f"GATEWAY_HOST is {self.host!r}, which other machines can reach, and GATEWAY_AUTH "
                "is off: set it to api_key, jwt or both"
            )

    def _check_names(self) -> None:
        for origin in self.origins:
            if not _ORIGIN.fullmatch(origin):
                raise SettingsError(
                    f"GATEWAY_ALLOWED_ORIGINS has {origin!r}: an origin is like https://example.org"
                )
        for host in self.hosts:
            if not _HOST_NAME.fullmatch(host):
                raise SettingsError(
                    f"GATEWAY_ALLOWED_HOSTS has {host!r}: a host is like api.example.org, "
                    "without a scheme or port"
                )

    def _check_auth(self) -> None:
        if self.auth != "off":
            for method in words(self.auth) or ("",):
                one_of("auth", method, ("api_key", "jwt"))
        for role in words(self.auth_masked_roles):
            one_of("auth_masked_roles", role, ("owner", "partner"))
        if self.auth_leeway_s not in range(301):
            raise SettingsError("GATEWAY_AUTH_LEEWAY_S must be 0 to 300")
        needed = {"api_key": ("auth_keys",), "jwt": ("auth_jwks", "auth_issuer", "auth_audience")}
        for method in self.auth_methods:
            for name in (*needed[method], "masking_key_file"):
                if not getattr(self, name):
                    raise SettingsError(
                        f"{variable(name)} must be set: {method} cannot work without it"
                    )

    @property
    def auth_methods(self) -> frozenset[str]:
        """What credentials are looked at; with `off`, those that there is a file or address for."""
        if self.auth != "off":
            return frozenset(words(self.auth))
        given = {"api_key": self.auth_keys, "jwt": self.auth_jwks}
        return frozenset(method for method, where in given.items() if where)

    @property
    def origins(self) -> frozenset[str]:
        """The origins of other sites whose pages may ask."""
        return frozenset(each.strip() for each in self.allowed_origins.split(",") if each.strip())

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names of this gateway beside the loopback's."""
        return words(self.allowed_hosts)

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
            given[setting.name] = parsed(setting.name, text, type(setting.default))
    return Settings(**given)


def keys_file(environment: Mapping[str, str] = os.environ) -> str:
    """The API keys' file, whatever the other settings are; empty if none is named."""
    return environment.get(variable("auth_keys"), "").strip()


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
