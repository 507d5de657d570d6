"""Every setting of the gateway: its name, kind, default and meaning."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from gateway.settings.kinds import (
    NotNegative,
    PinotUrl,
    Port,
    Positive,
    RedisUrl,
    RedisUrlOrSocket,
    SigningKeys,
)

MAX_WINDOW_DAYS = 36_525


def _setting(default: object, meaning: str) -> Any:
    return Field(default=default, description=meaning)


class EverySetting(BaseModel):
    """Each field `x` is the variable `GATEWAY_X`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: str = _setting("127.0.0.1", "Address to listen on.")
    port: Port = _setting(8000, "Port to listen on.")
    workers: Positive = _setting(
        1, "Processes behind the port; one a core. SIGHUP replaces them one by one."
    )
    drain_accept_ms: NotNegative = _setting(
        0, "After SIGTERM: for how long connections are still accepted while `/readyz` says 503."
    )
    drain_ms: NotNegative = _setting(
        2_000, "Then: for how long idle connections may still ask before they are closed."
    )
    max_connections: NotNegative = _setting(
        4_000,
        "Connections that a process has at once, more are answered 503; 0: as many as the system's "
        "limit of open files leaves, which is never exceeded.",
    )
    max_connections_per_address: NotNegative = _setting(
        500,
        "The same of one address (of IPv6, one /64), trusted proxies aside; 0: as many as there are.",
    )
    head_ms: Positive = _setting(
        10_000,
        "A request's line and headers must be there within this time of its first byte, or 408; of the "
        "first one, from when its connection is opened.",
    )
    body_ms: Positive = _setting(10_000, "And its body within this time of its headers, or 408.")
    idle_ms: Positive = _setting(
        75_000,
        "After this time without a request a connection is closed; longer than clients and balancers "
        "keep theirs, so that it is they who close.",
    )
    send_ms: Positive = _setting(
        30_000, "What is sent must be taken within this time, or its connection is cut."
    )
    half_closed_ms: NotNegative = _setting(
        1_000,
        "A client that closes its sending side is answered within this time; then it counts as gone, "
        "and its operation is stopped.",
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
    auth_leeway_s: Annotated[int, Field(ge=0, le=300)] = _setting(
        30, "By how much a token's issuer's clock may differ."
    )
    auth_max_life_s: Positive = _setting(
        86_400, "Longest life of a token, from its `iat` to its `exp`; a longer one is refused."
    )
    failed_logins_per_s: NotNegative = _setting(
        1, "Credentials a second that are refused before an address has to wait; 0: any number."
    )
    failed_logins_burst: Positive = _setting(
        60, "As many may be refused at once; of IPv6, the addresses of a /64 count as one."
    )
    auth_revoked: str = _setting("", "JSON file of revoked tokens' `jti` and `sub`.")
    masking_key_file: str = _setting(
        "", "File with 32 random bytes or more, which ids are masked with."
    )
    signing_keys: SigningKeys = _setting(
        "",
        "What cursors and the answers in Redis are signed with: the first key signs, all are "
        "accepted, separated by blanks or lines; `openssl rand -hex 32` makes one. None: the masking "
        "key, else Redis' address, else each start's own for cursors.",
    )
    store: Literal["pinot", "duckdb"] = _setting(
        "pinot", "`pinot`, or `duckdb` for the embedded store with sample data."
    )
    pinot_broker_url: PinotUrl = _setting(
        "http://127.0.0.1:8099", "The Pinot broker; `https://` for TLS."
    )
    pinot_username: str = _setting(
        "", "Who the gateway is to the broker, for basic authentication."
    )
    pinot_password_file: str = _setting(
        "", "File with its password; read anew whenever it changes."
    )
    pinot_token_file: str = _setting(
        "", "File with a bearer token in place of both; read anew whenever it changes."
    )
    pinot_tls_ca_file: str = _setting(
        "",
        "PEM file of the authorities that the broker's certificate may be from, in place of the system's; it must "
        "name the host of the address. Read anew whenever it changes, as the next two are.",
    )
    pinot_tls_cert_file: str = _setting(
        "", "PEM file of the certificate that is shown to the broker."
    )
    pinot_tls_key_file: str = _setting("", "PEM file of its key.")
    pipeline: Annotated[str, Field(pattern="^[a-z0-9]{0,32}$")] = _setting(
        "",
        "Whose tables are read: what a pipeline that stands beside the first one was given as "
        "`--pipeline`; empty for the first.",
    )
    pinot_connections: NotNegative = _setting(64, "Connections to the Pinot broker at most.")
    pinot_progress_ttl_ms: NotNegative = _setting(
        250, "For how long one look at the pipeline's progress serves all operations."
    )
    pinot_group_trim_threshold: NotNegative = _setting(
        1_000_000,
        "Groups from which a ranking is no longer called exact; equals Pinot's "
        "`groupby.trim.threshold` on servers and brokers.",
    )
    store_queries_least: Positive = _setting(
        4, "Store queries at once that the adaptive limit always allows."
    )
    store_queries_start: Positive = _setting(16, "Where the adaptive limit starts.")
    store_queries_most: Positive = _setting(
        64, "Where it ends; least, start and most equal: a fixed limit."
    )
    shed_late_ms: NotNegative = _setting(
        20, "Seen this late, only ready answers are given; 0: never."
    )
    deadline_ms: Positive = _setting(5_000, "An operation must be answered within this time.")
    max_first: Positive = _setting(100, "Largest `first`.")
    max_accounts: Positive = _setting(50, "Most ids in `accounts`.")
    max_points: Positive = _setting(1_500, "Most points of a series.")
    max_window_days: Annotated[int, Field(ge=1, le=MAX_WINDOW_DAYS)] = _setting(
        3_660, "Longest window."
    )
    final_after_days: NotNegative = _setting(
        45,
        "How late an event may come at most, by its own time, in days of 24 hours: a window is `final` when "
        "`asOf` is so far past its end. 30 for which `occurred_at` may lie back, 14 for which a reversal "
        "waits for its transfer, one for the way. 0: no window is.",
    )
    max_depth: Positive = _setting(12, "Deepest nesting of a document, introspection aside.")
    max_fields: Positive = _setting(500, "Most fields of a document, fragments expanded.")
    max_tokens: Positive = _setting(
        600, "Most lexical tokens of a document; what one costs to check is linear in them."
    )
    max_aliases: Positive = _setting(50, "Most aliases of a document, fragments expanded.")
    max_root_fields: Positive = _setting(20, "Most fields at the root of an operation.")
    max_directives: Positive = _setting(50, "Most directives of a document.")
    max_fragments: Positive = _setting(30, "Most fragment definitions of a document.")
    max_operations: Positive = _setting(10, "Most operations of a document.")
    max_variables: Positive = _setting(50, "Most variables of an operation.")
    max_body_bytes: Positive = _setting(
        65_536,
        "Largest request body; a URL may have as many, up to 16,384. For each id that "
        "`GATEWAY_MAX_ACCOUNTS` allows in any script, 800 of them.",
    )
    max_document_characters: Positive = _setting(
        40_960, "Most characters of a document that is sent, rather than named."
    )
    max_cost: Positive = _setting(5_000, "Most points that one operation may cost.")
    max_values: Positive = _setting(12_000, "Most values that one answer may hold.")
    budget_per_s: NotNegative = _setting(
        2_000, "Points that flow into each authenticated caller's budget; 0: no budgets."
    )
    budget_burst: Positive = _setting(20_000, "Points that a caller's budget holds at most.")
    anonymous_budget_per_s: NotNegative = _setting(
        0, "Points that flow into each address's budget where authentication is off; 0: no budgets."
    )
    anonymous_budget_burst: Positive = _setting(100_000, "Points that an address's budget holds.")
    budget_redis_url: RedisUrlOrSocket = _setting(
        "", "Redis that holds the budgets of several gateways; without it each counts for itself."
    )
    max_store_queries: Positive = _setting(60, "Most store queries of one operation.")
    introspection: bool = _setting(
        True,
        "Whether clients may ask for the schema and get names suggested; without it, "
        "`/schema.graphql` and `/docs` are for operators only.",
    )
    allowed_origins: str = _setting(
        "",
        "Origins of other sites whose pages may ask, and of applications and extensions, such as "
        "`https://example.org`, `capacitor://localhost`; separated by commas, no wildcard.",
    )
    allowed_headers: str = _setting(
        "",
        "Headers that their pages may send beside the usual ones of GraphQL clients and tracing, "
        "separated by commas.",
    )
    allowed_hosts: str = _setting(
        "",
        "Names that requests may be sent to (`Host`, without ports), separated by commas, beside "
        "localhost, 127.0.0.1 and [::1]; if none are given, only those on loopback, any elsewhere.",
    )
    trusted_proxies: str = _setting(
        "",
        "Addresses and networks (`10.0.0.0/8`) of the proxies before the gateway, separated by "
        "commas: what they add to `X-Forwarded-For` is believed.",
    )
    metrics_token_file: str = _setting(
        "",
        "File with the bearer token of whoever scrapes `/metrics`, 32 characters or more; without "
        "it, `/metrics` is for operators, or for all where authentication is off.",
    )
    page: bool = _setting(
        True,
        "Whether browsers get the live page at `/`; without it, `/` leads to GraphiQL or the docs.",
    )
    page_assets: str = _setting(
        ".local/uplot", "Folder with uPlot's browser files: the page's chart."
    )
    graphiql: bool = _setting(True, "Whether browsers get GraphiQL at `/graphql`.")
    graphiql_assets: str = _setting(
        ".local/graphiql", "Folder with GraphiQL's and React's browser files."
    )
    persisted_queries: bool = _setting(True, "Automatic persisted queries (APQ).")
    persisted_queries_max: NotNegative = _setting(
        1_000,
        "Room for documents that APQ clients name by their hash, each its own, 4 KiB each; the latest "
        "used stay.",
    )
    trusted_documents: Literal["off", "log", "enforce"] = _setting(
        "off", "`off`, `log` or `enforce`."
    )
    trusted_documents_manifest: str = _setting(
        "",
        "JSON file of id to document, as graphql-codegen and Relay write it, or Apollo's manifest.",
    )
    cache: bool = _setting(True, "Whether ready answers are kept and shared.")
    cache_max_bytes: NotNegative = _setting(67_108_864, "Memory for ready answers, a process.")
    cache_live_ms: NotNegative = _setting(
        250, "How long an answer is fresh whose window reaches beyond its `asOf`."
    )
    cache_closed_ms: NotNegative = _setting(2_000, "The same for windows that ended before.")
    cache_pipeline_ms: NotNegative = _setting(
        250, "The same for the pipeline's state and counters."
    )
    cache_fixed_ms: NotNegative = _setting(60_000, "The same for what no store is asked for.")
    cache_stale_ms: NotNegative = _setting(
        250, "How much longer an answer is served, marked stale, while it is made anew."
    )
    cache_stale_if_error_ms: NotNegative = _setting(
        30_000, "How old an answer may be that stands in, marked stale, while the store is out."
    )
    cache_tick_ms: Positive = _setting(
        250, "Windows that end now end at a multiple of it, so that a page's panels agree."
    )
    cache_redis_url: RedisUrl = _setting(
        "", "Redis as the second level, `redis://host:6379/0`; none if empty."
    )
    cache_redis_timeout_ms: Positive = _setting(20, "Past this, an answer is made without Redis.")
    redis_tls_ca_file: str = _setting(
        "",
        "PEM file of the authorities that a `rediss://` server's certificate may be from, beside the "
        "system's; it must name the host of the address.",
    )
    redis_tls_cert_file: str = _setting(
        "", "PEM file of the certificate that is shown to `rediss://`."
    )
    redis_tls_key_file: str = _setting("", "PEM file of its key.")
    live_streams: NotNegative = _setting(
        2_000, "Subscriptions that a process has at once; more are answered 429."
    )
    live_streams_per_caller: NotNegative = _setting(
        100, "The same of one caller; where nobody is known, of one address."
    )
    live_interval_ms: Annotated[int, Field(ge=1_000, le=3_600_000)] = _setting(
        1_000, "Shortest time between two looks for a subscription; each is paid as the query is."
    )
    live_heartbeat_ms: Annotated[int, Field(ge=1_000, le=3_600_000)] = _setting(
        15_000, "After this time without an event a subscriber is told that the stream lives."
    )
    live_reconnect_ms: NotNegative = _setting(
        5_000, "Over this time those come back whose process leaves, each at a moment of its own."
    )
    log_every: Positive = _setting(
        1, "Of the log lines of fresh kept answers, only each so-manieth is written."
    )
    audit_log: str = _setting(
        "",
        "Where each request leaves a line beside the log's, with all accounts that it names: a file, "
        "which may be rotated, or `stdout` or `stderr`; nowhere if empty.",
    )
    traces: bool = _setting(
        False,
        "Spans by OpenTelemetry, exported as the standard `OTEL_*` variables say; needs the extra `tracing`.",
    )
    sample_transfers: NotNegative = _setting(
        40_000, "Transfers in the embedded store's sample data."
    )
    log_level: Literal["debug", "info", "warning", "error"] = _setting(
        "info", "`debug`, `info`, `warning` or `error`."
    )
