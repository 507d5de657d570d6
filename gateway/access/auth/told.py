"""What Prometheus is told of credentials: whether they can be read or fetched, and how old they are. Never whose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.access.auth import api_keys
from gateway.access.auth.authenticator import Authenticator
from gateway.access.auth.watched import WatchedFile
from gateway.process.clock import EpochMs
from gateway.process.metrics import Metrics


def tell_of_credentials(
    door: Authenticator, files: Sequence[WatchedFile[Any]], counted: Metrics, epoch_ms: EpochMs
) -> None:
    """Have the gauges show the provider's state and these files' as they are whenever they are told."""
    counted.watch(counted.provider_fails, door.provider_fails)
    for file in files:
        counted.watch(counted.files_unreadable.labels(file.name), file.is_stale)
        counted.watch(counted.file_changed.labels(file.name), file.changed_s)
        if file.name == "auth_keys":
            _tell_of_keys(file, counted, epoch_ms)


def _tell_of_keys(file: WatchedFile[Any], counted: Metrics, epoch_ms: EpochMs) -> None:
    def next_end_s() -> float:
        return api_keys.next_end_s(file.content, epoch_ms() / 1000)

    counted.watch(counted.keys_end.labels(file.name), next_end_s)
