"""The store behind its gate, and what is remembered before it."""

from __future__ import annotations

from gateway.process.clock import EpochMs, Monotonic
from gateway.process.metrics import Metrics
from gateway.settings import Settings, SettingsError
from gateway.store.overload.breaker import Breaker
from gateway.store.overload.gate import Gate
from gateway.store.overload.limit import AdaptiveLimit
from gateway.store.overload.store import AdmittedStore
from gateway.store.pinot.broker_access import BrokerAccess
from gateway.store.port import Store
from gateway.store.rows.asked import tells_rows
from gateway.store.rows.store import Bounds, KeptRows

BREAKER_FAILURES = 10
BREAKER_REST_S = 0.5


def make_store(settings: Settings) -> Store:
    """The store that the settings name; only that one is imported."""
    if settings.store == "duckdb":
        from gateway.store.duckdb.store import DuckdbStore

        return DuckdbStore(settings.sample_transfers)
    from gateway.store.pinot.store import PinotStore

    return PinotStore(settings, access=_broker_access_of(settings))


def _broker_access_of(settings: Settings) -> BrokerAccess:
    """How the broker is reached; raises `SettingsError` for files that are of no use."""
    access = BrokerAccess(
        settings.pinot_username,
        settings.pinot_password_file,
        settings.pinot_token_file,
        settings.pinot_tls_ca_file,
        settings.pinot_tls_cert_file,
        settings.pinot_tls_key_file,
    )
    try:
        access.check()
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or error
        raise SettingsError(f"the files of GATEWAY_PINOT_…_FILE cannot be used: {cause}") from None
    return access


def admitted(
    store: Store, settings: Settings, counted: Metrics, monotonic: Monotonic
) -> AdmittedStore:
    """The store behind its gate."""
    limit = AdaptiveLimit(
        settings.store_queries_least, settings.store_queries_most, settings.store_queries_start
    )
    gate = Gate(limit, monotonic)
    counted.watch(counted.store_queries_limit, lambda: gate.limit)
    counted.watch(counted.store_queries.labels("running"), lambda: gate.running)
    counted.watch(counted.store_queries.labels("queued"), lambda: gate.queued)
    breaker = Breaker(BREAKER_FAILURES, BREAKER_REST_S, monotonic)
    return AdmittedStore(store, gate, breaker, monotonic, counted.store_seconds.observe)


def kept_rows(
    settings: Settings,
    store: AdmittedStore,
    counted: Metrics,
    epoch_ms: EpochMs,
    monotonic: Monotonic,
) -> KeptRows | None:
    """The memory of small accounts' rows, if there is to be one and the store tells rows."""
    if not settings.rows_max_bytes or not tells_rows(store.store):
        return None
    bounds = Bounds(
        settings.rows_max_bytes,
        settings.rows_per_account,
        settings.rows_days,
        settings.rows_fresh_ms / 1000,
        settings.freshness_budget_ms / 1000,
    )
    kept = KeptRows(store, bounds, epoch_ms, monotonic, counted.rows_answers.add)
    counted.watch(counted.rows_bytes, lambda: kept.bytes)
    return kept
