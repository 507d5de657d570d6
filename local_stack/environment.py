"""The local stack's settings as the environment has them; the only place that reads `STACK_*` variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from pathlib import Path

from local_stack.settings import StackSettings, variable


class SettingsError(Exception):
    """A `STACK_*` variable does not hold what it should; the message names it."""


def from_environment(environment: Mapping[str, str]) -> StackSettings:
    """Settings with every `STACK_*_PORT` and `STACK_STATE` that is set.

    Raises:
        SettingsError: a port that is no whole number from 1 to 65535, or a port used twice.

    """
    _refuse_misspelt(environment)
    settings = StackSettings()
    if environment.get("STACK_STATE"):
        settings = replace(settings, state=Path(environment["STACK_STATE"]).expanduser().resolve())
    for name in (f.name for f in fields(StackSettings) if f.name.endswith("_port")):
        if variable(name) in environment:
            number = _port(variable(name), environment[variable(name)])
            settings = replace(settings, **{name: number})  # type: ignore[arg-type]
    for name in ("job_transaction_timeout_s", "transactional_id_expiration_s", "lease_s"):
        if variable(name) in environment:
            seconds = _seconds(variable(name), environment[variable(name)])
            settings = replace(settings, **{name: seconds})  # type: ignore[arg-type]
    settings = replace(settings, currency=_currency(environment.get("STACK_CURRENCY", "")))
    erased = _erased_accounts(environment.get("STACK_ERASED_ACCOUNTS", "") or "kept")
    settings = replace(settings, erased_accounts=erased)
    settings = replace(
        settings,
        secure=settings.secure_mark.is_file(),
        cluster=settings.cluster_mark.is_file(),
    )
    if environment.get("PINOT_HOME"):
        home = Path(environment["PINOT_HOME"]).expanduser().resolve()
        settings = replace(settings, pinot_home=home)
    refuse_shared_ports(settings)
    return settings


def refuse_shared_ports(settings: StackSettings) -> None:
    """Raise SettingsError if two parts are to listen on one port."""
    seen: dict[int, str] = {}
    for name, number in settings.ports().items():
        if number in seen:
            raise SettingsError(f"{seen[number]} and {name} are both {number}; give each its own.")
        seen[number] = name


def _refuse_misspelt(environment: Mapping[str, str]) -> None:
    known = [
        *StackSettings().ports(),
        "STACK_STATE",
        "STACK_OWNER",
        "STACK_JOB_TRANSACTION_TIMEOUT_S",
        "STACK_TRANSACTIONAL_ID_EXPIRATION_S",
        "STACK_CURRENCY",
        "STACK_ERASED_ACCOUNTS",
        "STACK_LEASE_S",
    ]
    for name in environment:
        meant = get_close_matches(name, known, n=1, cutoff=0.8)
        if name.startswith("STACK_") and name not in known and meant:
            raise SettingsError(f"There is no setting {name}; is {meant[0]} meant?")


def _currency(text: str) -> str:
    from stream_jobs.events.settings import is_currency  # before the set-up this file stands alone

    if text and not is_currency(text):
        raise SettingsError(f"STACK_CURRENCY is {text!r}; it must be a code such as EUR.")
    return text


def _erased_accounts(text: str) -> str:
    if text not in ("kept", "pseudonymised", "refused"):
        raise SettingsError(
            f"STACK_ERASED_ACCOUNTS is {text!r}; it must be kept, pseudonymised or refused."
        )
    return text


def _seconds(name: str, text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) <= 24 * 86_400):
        raise SettingsError(f"{name} is {text!r}; it must be a number of seconds up to 24 days.")
    return int(text)


def _port(name: str, text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) < 65536):
        raise SettingsError(f"{name} is {text!r}; it must be a port, 1 to 65535.")
    return int(text)
