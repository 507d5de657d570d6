"""TLS to Redis, and the budgets that may be kept there."""

from __future__ import annotations

from pathlib import Path

from gateway.access.budget.balance import Rate
from gateway.access.budget.local import LocalBudget
from gateway.access.budget.subjects import Budgets
from gateway.process.certificates import CertificateFile
from gateway.process.clock import Monotonic
from gateway.process.metrics import Metrics
from gateway.process.redis_tls import RedisTls
from gateway.settings import Settings, SettingsError


def redis_tls_of(settings: Settings) -> RedisTls:
    """TLS to both Redis; raises `SettingsError` for files that are of no use."""
    tls = RedisTls(
        settings.redis_tls_ca_file, settings.redis_tls_cert_file, settings.redis_tls_key_file
    )
    try:
        tls.check()
    except OSError as error:
        names = (
            "GATEWAY_REDIS_TLS_CA_FILE, GATEWAY_REDIS_TLS_CERT_FILE or GATEWAY_REDIS_TLS_KEY_FILE"
        )
        raise SettingsError(f"{names} cannot be used: {error.strerror or error}") from None
    return tls


def tell_of_certificates(settings: Settings, counted: Metrics, monotonic: Monotonic) -> None:
    """Have the gauge show when each certificate ends that is named in the settings."""
    for name, is_authorities in (("redis_tls_ca_file", True), ("redis_tls_cert_file", False)):
        if path := getattr(settings, name):
            file = CertificateFile(Path(path), monotonic, is_authorities=is_authorities)
            counted.watch(counted.certificate_ends.labels(name), file.ends_s)


def make_budgets(settings: Settings, counted: Metrics, monotonic: Monotonic) -> Budgets:
    """The budgets, shared through Redis if one is named."""
    known = Rate(settings.budget_per_s, settings.budget_burst)
    anonymous = Rate(settings.anonymous_budget_per_s, settings.anonymous_budget_burst)
    if not settings.budget_redis_url:
        return Budgets(LocalBudget(known, monotonic), LocalBudget(anonymous, monotonic))
    from gateway.access.budget import shared

    client = shared.connect(settings.budget_redis_url, tls=redis_tls_of(settings))
    return Budgets(
        shared.SharedBudget(known, client, monotonic, counted.budget.add),
        shared.SharedBudget(anonymous, client, monotonic, counted.budget.add),
    )
