"""What documents may ask for, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from graphql import build_schema

from gateway.access.budget.balance import Rate
from gateway.analytics.limits import MAX_SERIES, Limits
from gateway.analytics.weekly import MAX_HOURS
from gateway.documents import manifest
from gateway.documents.caps import Caps
from gateway.documents.cost.pricing import Pricing
from gateway.documents.cost.sizes import estimates, lengths_below, made
from gateway.documents.cost.weights import read as read_weights
from gateway.documents.manifest import ManifestError
from gateway.documents.preparation import Preparation
from gateway.execution import told_limits
from gateway.execution.schema import make_schema
from gateway.execution.sdl import sdl
from gateway.execution.told_limits import Told
from gateway.pages import live
from gateway.settings import Settings, SettingsError


def caps_of(settings: Settings) -> Caps:
    """What a document may have at most."""
    return Caps(**{each.name: getattr(settings, each.name) for each in fields(Caps)})


def limits_of(settings: Settings, rate: Rate) -> Limits:
    """The limits that the rules check and `limits` tells to a caller of that rate."""
    same = [each.name for each in fields(Limits) if not each.name.startswith("budget_")]
    return Limits(
        **{name: getattr(settings, name) for name in same},
        budget_per_second=rate.per_s if rate.limited else None,
        budget_burst=rate.burst if rate.limited else None,
    )


def told_of(settings: Settings) -> Told:
    """The limits as descriptions tell them."""
    return told_limits.told_of(limits_of(settings, Rate(0, 0)))


def make_preparation(settings: Settings) -> Preparation:
    """Documents' caps, rules and prices, out of the settings and the SDL."""
    schema = make_schema(told_of(settings)).graphql_schema
    weights = read_weights(build_schema(sdl()))
    max_points = settings.max_points
    pricing = Pricing(
        schema,
        weights,
        estimates(settings.max_accounts, max_points),
        lengths_below(max_points),
        made(max_points, MAX_SERIES, MAX_HOURS),
    )
    return Preparation(schema, caps_of(settings), pricing, settings.introspection)


def trusted_of(settings: Settings) -> Mapping[str, str]:
    """The manifest's documents, and while the live page is on what that asks: it is ours."""
    own = live.documents() if settings.page else {}
    return {**own, **_manifest_of(settings)}


def _manifest_of(settings: Settings) -> Mapping[str, str]:
    path = settings.trusted_documents_manifest
    try:
        return manifest.read(path)
    except OSError as error:
        wrong = f"cannot be read ({error.strerror})"
    except ManifestError as error:
        wrong = str(error)
    raise SettingsError(f"GATEWAY_TRUSTED_DOCUMENTS_MANIFEST names {path!r}, which {wrong}")
