"""Every setting of the gateway: its name, kind, default and meaning."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from gateway.settings.door_settings import DoorSettings, setting
from gateway.settings.kinds import (
    NotNegative,
    PinotUrls,
    Positive,
    RedisUrl,
    RedisUrlOrSocket,
)

MAX_WINDOW_DAYS = 36_525


class EverySetting(DoorSettings):
    """Each field `x` is the variable `GATEWAY_X`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    store: Literal["pinot", "duckdb"] = setting(
        "pinot", "`pinot`, or `duckdb` for the embedded store with sample data."
    )
    pinot_broker_url: PinotUrls = setting(
        "http://127.0.0.1:8099",
        "The Pinot broker, `https://` for TLS; or several with commas between, asked in turn as long as they answer.",
    )
    pinot_username: str = setting("", "Who the gateway is to the broker, for basic authentication.")
    pinot_password_file: str = setting("", "File with its password; read anew whenever it changes.")
    pinot_token_file: str = setting(
        "", "File with a bearer token in place of both; read anew whenever it changes."
    )
    pinot_tls_ca_file: str = setting(
        "",
        "PEM file of the authorities that the broker's certificate may be from, in place of the system's; it must "
        "name the host of the address. Read anew whenever it changes, as the next two are.",
    )
    pinot_tls_cert_file: str = setting(
        "", "PEM file of the certificate that is shown to the broker."
    )
    pinot_tls_key_file: str = setting("", "PEM file of its key.")
    pipeline: Annotated[str, Field(pattern="^[a-z0-9]{0,32}$")] = setting(
        "",
        "Whose tables are read: what a pipeline that stands beside the first one was given as "
        "`--pipeline`; empty for the first.",
    )
    pinot_connections: NotNegative = setting(64, "Connections to each Pinot broker at most.")
    pinot_progress_ttl_ms: NotNegative = setting(
        250, "For how long one look at the pipeline's progress serves all operations."
    )
    pinot_group_trim_threshold: NotNegative = setting(
        1_000_000,
        "Groups from which a ranking is no longer called exact; equals Pinot's "
        "`groupby.trim.threshold` on servers and brokers.",
    )
    store_queries_least: Positive = setting(
        4, "Store queries at once that the adaptive limit always allows."
    )
    store_queries_start: Positive = setting(16, "Where the adaptive limit starts.")
    store_queries_most: Positive = setting(
        64, "Where it ends; least, start and most equal: a fixed limit."
    )
    rows_max_bytes: NotNegative = setting(
        134_217_728,
        "Memory for small accounts' own rows, a process, which their questions are answered from; 0: none.",
    )
    rows_per_account: Annotated[int, Field(ge=1, le=100_000)] = setting(
        5_000, "Most rows of an account that are kept; of one with more the store is asked."
    )
    rows_days: Annotated[int, Field(ge=1, le=3_660)] = setting(
        70, "How many days back rows are kept; of windows that begin earlier the store is asked."
    )
    rows_fresh_ms: NotNegative = setting(
        250, "For how long one look at what is new of an account serves all questions about it."
    )
    shed_late_ms: NotNegative = setting(
        20, "Seen this late, only ready answers are given; 0: never."
    )
    deadline_ms: Positive = setting(5_000, "An operation must be answered within this time.")
    max_first: Positive = setting(100, "Largest `first`.")
    max_accounts: Positive = setting(50, "Most ids in `accounts`.")
    max_points: Positive = setting(1_500, "Most points of a series.")
    max_window_days: Annotated[int, Field(ge=1, le=MAX_WINDOW_DAYS)] = setting(
        3_660, "Longest window."
    )
    final_after_days: NotNegative = setting(
        45,
        "How late an event may come at most, by its own time, in days of 24 hours: a window is `final` when "
        "`asOf` is so far past its end. 30 for which `occurred_at` may lie back, 14 for which a reversal "
        "waits for its transfer, one for the way. 0: no window is.",
    )
    entries_kept_days: NotNegative = setting(
        0,
        "For how many days Pinot keeps entries, where its table has a retention: an answer about a window that "
        "begins earlier is not `exact`. 0: for ever.",
    )
    currency: Annotated[str, Field(pattern="^([A-Z][A-Z0-9]{2,11})?$")] = setting(
        "",
        "The one currency of all amounts, as `limits` and `pipeline` tell it; what the job was given as `--currency`. "
        "Empty: amounts have none.",
    )
    max_depth: Positive = setting(12, "Deepest nesting of a document, introspection aside.")
    max_fields: Positive = setting(500, "Most fields of a document, fragments expanded.")
    max_tokens: Positive = setting(
        600, "Most lexical tokens of a document; what one costs to check is linear in them."
    )
    max_aliases: Positive = setting(50, "Most aliases of a document, fragments expanded.")
    max_root_fields: Positive = setting(20, "Most fields at the root of an operation.")
    max_directives: Positive = setting(50, "Most directives of a document.")
    max_fragments: Positive = setting(30, "Most fragment definitions of a document.")
    max_operations: Positive = setting(10, "Most operations of a document.")
    max_variables: Positive = setting(50, "Most variables of an operation.")
    max_body_bytes: Positive = setting(
        65_536,
        "Largest request body; a URL may have as many, up to 16,384. For each id that "
        "`GATEWAY_MAX_ACCOUNTS` allows in any script, 800 of them.",
    )
    max_document_characters: Positive = setting(
        40_960, "Most characters of a document that is sent, rather than named."
    )
    max_cost: Positive = setting(5_000, "Most points that one operation may cost.")
    max_values: Positive = setting(12_000, "Most values that one answer may hold.")
    budget_per_s: NotNegative = setting(
        2_000, "Points that flow into each authenticated caller's budget; 0: no budgets."
    )
    budget_burst: Positive = setting(20_000, "Points that a caller's budget holds at most.")
    anonymous_budget_per_s: NotNegative = setting(
        0, "Points that flow into each address's budget where authentication is off; 0: no budgets."
    )
    anonymous_budget_burst: Positive = setting(100_000, "Points that an address's budget holds.")
    budget_redis_url: RedisUrlOrSocket = setting(
        "", "Redis that holds the budgets of several gateways; without it each counts for itself."
    )
    max_store_queries: Positive = setting(60, "Most store queries of one operation.")
    introspection: bool = setting(
        True,
        "Whether clients may ask for the schema and get names suggested; without it, "
        "`/schema.graphql` and `/docs` are for operators only.",
    )
    allowed_origins: str = setting(
        "",
        "Origins of other sites whose pages may ask, and of applications and extensions, such as "
        "`https://example.org`, `capacitor://localhost`; separated by commas, no wildcard.",
    )
    allowed_headers: str = setting(
        "",
        "Headers that their pages may send beside the usual ones of GraphQL clients and tracing, "
        "separated by commas.",
    )
    allowed_hosts: str = setting(
        "",
        "Names that requests may be sent to (`Host`, without ports), separated by commas, beside "
        "localhost, 127.0.0.1 and [::1]; if none are given, only those on loopback, any elsewhere.",
    )
    trusted_proxies: str = setting(
        "",
        "Addresses and networks (`10.0.0.0/8`) of the proxies before the gateway, separated by "
        "commas: what they add to `X-Forwarded-For` is believed.",
    )
    metrics_token_file: str = setting(
        "",
        "File with the bearer token of whoever scrapes `/metrics`, 32 characters or more; without "
        "it, `/metrics` is for operators, or for all where authentication is off.",
    )
    page: bool = setting(
        True,
        "Whether browsers get the live page at `/`; without it, `/` leads to GraphiQL or the docs.",
    )
    page_assets: str = setting(
        ".local/uplot", "Folder with uPlot's browser files: the page's chart."
    )
    graphiql: bool = setting(True, "Whether browsers get GraphiQL at `/graphql`.")
    graphiql_assets: str = setting(
        ".local/graphiql", "Folder with GraphiQL's and React's browser files."
    )
    persisted_queries: bool = setting(True, "Automatic persisted queries (APQ).")
    persisted_queries_max: NotNegative = setting(
        1_000,
        "Room for documents that APQ clients name by their hash, each its own, 4 KiB each; the latest "
        "used stay.",
    )
    trusted_documents: Literal["off", "log", "enforce"] = setting(
        "off", "`off`, `log` or `enforce`."
    )
    trusted_documents_manifest: str = setting(
        "",
        "JSON file of id to document, as graphql-codegen and Relay write it, or Apollo's manifest.",
    )
    cache: bool = setting(True, "Whether ready answers are kept and shared.")
    cache_max_bytes: NotNegative = setting(67_108_864, "Memory for ready answers, a process.")
    cache_live_ms: NotNegative = setting(
        250, "How long an answer is fresh whose window reaches beyond its `asOf`."
    )
    cache_closed_ms: NotNegative = setting(2_000, "The same for windows that ended before.")
    cache_pipeline_ms: NotNegative = setting(250, "The same for the pipeline's state and counters.")
    cache_fixed_ms: NotNegative = setting(60_000, "The same for what no store is asked for.")
    cache_stale_ms: NotNegative = setting(
        250, "How much longer an answer is served, marked stale, while it is made anew."
    )
    freshness_budget_ms: NotNegative = setting(
        3_000,
        "How old an answer may be that is served, marked stale, while store queries wait for their turn, and "
        "how long ago an account's rows may have been looked at; of the pipeline's state, none.",
    )
    cache_stale_if_error_ms: NotNegative = setting(
        30_000, "How old an answer may be that stands in, marked stale, while the store is out."
    )
    cache_tick_ms: Positive = setting(
        250, "Windows that end now end at a multiple of it, so that a page's panels agree."
    )
    cache_redis_url: RedisUrl = setting(
        "", "Redis as the second level, `redis://host:6379/0`; none if empty."
    )
    cache_redis_timeout_ms: Positive = setting(20, "Past this, an answer is made without Redis.")
    redis_tls_ca_file: str = setting(
        "",
        "PEM file of the authorities that a `rediss://` server's certificate may be from, beside the "
        "system's; it must name the host of the address.",
    )
    redis_tls_cert_file: str = setting(
        "", "PEM file of the certificate that is shown to `rediss://`."
    )
    redis_tls_key_file: str = setting("", "PEM file of its key.")
    live_streams: NotNegative = setting(
        2_000, "Subscriptions that a process has at once; more are answered 429."
    )
    live_streams_per_caller: NotNegative = setting(
        100, "The same of one caller; where nobody is known, of one address."
    )
    live_interval_ms: Annotated[int, Field(ge=1_000, le=3_600_000)] = setting(
        1_000, "Shortest time between two looks for a subscription; each is paid as the query is."
    )
    live_heartbeat_ms: Annotated[int, Field(ge=1_000, le=3_600_000)] = setting(
        15_000, "After this time without an event a subscriber is told that the stream lives."
    )
    live_reconnect_ms: NotNegative = setting(
        5_000, "Over this time those come back whose process leaves, each at a moment of its own."
    )
    exports: NotNegative = setting(
        20,
        "Exports that a process has under way at once; more are answered 429. 0: there are none.",
    )
    exports_per_caller: Positive = setting(
        2, "The same of one caller; where nobody is known, of one address."
    )
    export_rows: Positive = setting(
        1_000_000, "Most rows of one export; it breaks off there, and another one goes on."
    )
    export_page_rows: Annotated[int, Field(ge=1, le=1_000)] = setting(
        500,
        "Rows that an export asks the store for at once, writes in one piece, and pays as a page of so many in GraphQL.",
    )
    export_wait_ms: NotNegative = setting(
        30_000,
        "For how long an export waits for its next page's points or place, before it breaks off.",
    )
    log_every: Positive = setting(
        1, "Of the log lines of fresh kept answers, only each so-manieth is written."
    )
    audit_log: str = setting(
        "",
        "Where each request leaves a line beside the log's, with all accounts that it names: a file, "
        "which may be rotated, or `stdout` or `stderr`; nowhere if empty.",
    )
    traces: bool = setting(
        False,
        "Spans by OpenTelemetry, exported as the standard `OTEL_*` variables say; needs the extra `tracing`.",
    )
    sample_transfers: NotNegative = setting(
        40_000, "Transfers in the embedded store's sample data."
    )
    log_level: Literal["debug", "info", "warning", "error"] = setting(
        "info", "`debug`, `info`, `warning` or `error`."
    )
