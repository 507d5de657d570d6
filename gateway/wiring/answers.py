"""The memory of answers."""

from __future__ import annotations

from gateway.access.masking import Masking
from gateway.access.signing_keys import signer_of_answers
from gateway.execution.outcome import Outcome
from gateway.process.clock import EpochS, Monotonic
from gateway.process.metrics import Metrics
from gateway.response_cache.ages import Ages, Lifetime
from gateway.response_cache.cache import ResponseCache
from gateway.response_cache.generation import generation_of
from gateway.response_cache.redis_store import redis_store
from gateway.response_cache.second_level import SecondLevel
from gateway.settings import Settings
from gateway.wiring.redis import redis_tls_of


def make_cache(
    settings: Settings, masking: Masking, metrics: Metrics, monotonic: Monotonic, epoch_s: EpochS
) -> ResponseCache[Outcome]:
    """The cache, with its second level if there is one."""
    second, generation = None, b""
    if settings.cache_redis_url:
        timeout_s = settings.cache_redis_timeout_ms / 1000
        store = redis_store(settings.cache_redis_url, timeout_s, redis_tls_of(settings))
        signer = signer_of_answers(settings, masking)
        second = SecondLevel(store, signer, monotonic, epoch_s, metrics.cache_shared.add)
        generation = generation_of(settings, masking)
    cache: ResponseCache[Outcome] = ResponseCache(
        settings.cache_max_bytes,
        ages_of(settings),
        monotonic,
        epoch_s,
        metrics,
        second,
        generation,
    )
    metrics.watch(metrics.cache_bytes, lambda: cache.kept.bytes)
    metrics.watch(metrics.cache_answers, lambda: len(cache.kept))
    metrics.watch(metrics.cache_flights, lambda: cache.flights)
    return cache


def ages_of(settings: Settings) -> Ages:
    """The lifetimes in seconds."""
    stale_s = settings.cache_stale_ms / 1000
    return Ages(
        pipeline=Lifetime(settings.cache_pipeline_ms / 1000, 0.0),
        live=Lifetime(settings.cache_live_ms / 1000, stale_s),
        closed=Lifetime(settings.cache_closed_ms / 1000, stale_s),
        fixed=Lifetime(settings.cache_fixed_ms / 1000, 0.0),
        rescue_s=settings.cache_stale_if_error_ms / 1000,
        budget_s=settings.freshness_budget_ms / 1000,
    )
