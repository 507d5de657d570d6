"""The audit log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.process.audit_log import AuditLog, require_writable
from gateway.process.metrics import Metrics
from gateway.settings import Settings, SettingsError


def without_audit_log(settings: Settings) -> Settings:
    """The settings of a process that answers nobody; raises what `make_audit_log` would."""
    if settings.audit_log:
        with _audit_log_told(settings):
            require_writable(settings.audit_log)
    return settings.model_copy(update={"audit_log": ""})


def make_audit_log(settings: Settings, counted: Metrics) -> AuditLog | None:
    """The audit log, if there is to be one; raises `SettingsError` for a file that cannot be written."""
    if not settings.audit_log:
        return None
    with _audit_log_told(settings):
        audit = AuditLog(settings.audit_log)
    counted.watch(counted.audit_lost, lambda: audit.lost)
    return audit


@contextmanager
def _audit_log_told(settings: Settings) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        wrong = f"which cannot be written ({error.strerror})"
        raise SettingsError(f"GATEWAY_AUDIT_LOG names {settings.audit_log!r}, {wrong}") from None
