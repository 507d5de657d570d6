"""The cache as the settings want it."""

from __future__ import annotations

import time
from dataclasses import fields

from gateway.clock import Monotonic
from gateway.metrics import Metrics
from gateway.outcome import Outcome
from gateway.response_cache.ages import Ages, Lifetime
from gateway.response_cache.cache import ResponseCache
from gateway.response_cache.second_level import SecondLevel, redis_store
from gateway.sdl import sdl
from gateway.settings import Settings


def make_cache(
    settings: Settings, metrics: Metrics, monotonic: Monotonic
) -> ResponseCache[Outcome]:
    """The cache, with its second level if there is one."""
    second = None
    if settings.cache_redis_url:
        store = redis_store(settings.cache_redis_url, settings.cache_redis_timeout_ms / 1000)
        second = SecondLevel(store, monotonic, time.time, metrics.cache_shared.add)
    cache: ResponseCache[Outcome] = ResponseCache(
        settings.cache_max_bytes,
        ages_of(settings),
        monotonic,
        time.time,
        metrics,
        second,
        generation_of(settings),
    )
    metrics.cache_size.watch("bytes", lambda: cache.kept.bytes)
    metrics.cache_size.watch("answers", lambda: len(cache.kept))
    metrics.cache_size.watch("flights", lambda: cache.flights)
    return cache


def generation_of(settings: Settings) -> bytes:
    """What the answers of processes that share a second level must have in common."""
    named = [f"{each.name}={getattr(settings, each.name)}" for each in fields(Settings)]
    own = ("host=", "port=", "log_", "cache", "allow_", "graphiql", "budget_redis")
    return "\n".join([sdl(), *(each for each in named if not each.startswith(own))]).encode()


def ages_of(settings: Settings) -> Ages:
    """The lifetimes in seconds."""
    stale_s = settings.cache_stale_ms / 1000
    return Ages(
        pipeline=Lifetime(settings.cache_pipeline_ms / 1000, 0.0),
        live=Lifetime(settings.cache_live_ms / 1000, stale_s),
        closed=Lifetime(settings.cache_closed_ms / 1000, stale_s),
        fixed=Lifetime(settings.cache_fixed_ms / 1000, 0.0),
        rescue_s=settings.cache_stale_if_error_ms / 1000,
    )
