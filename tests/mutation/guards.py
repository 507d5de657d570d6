"""The modules that guard money, scope, cache key and limits, each with the tests that must notice a fault in it."""

from __future__ import annotations

_GATEWAY = "tests/unit/gateway"
_AUTH = f"{_GATEWAY}/access/auth"
_COST = tuple(
    f"{_GATEWAY}/documents/cost/test_{name}.py" for name in ("pricing", "sizes", "weights")
)
_WINDOWS = tuple(
    f"{_GATEWAY}/analytics/test_{name}.py"
    for name in ("window", "buckets", "clock_changes", "earlier")
)
_EVENTS = (
    *(
        f"tests/unit/stream_jobs/events/test_{name}.py"
        for name in (
            "rules",
            "rejection_details",
            "field_names",
            "currency_and_time",
        )
    ),
    "tests/contract/test_events.py",
)

GUARDS: dict[str, tuple[str, ...]] = {
    "gateway/access/caller.py": (f"{_GATEWAY}/access/test_caller.py",),
    "gateway/access/masking.py": (f"{_GATEWAY}/access/test_masking.py",),
    "gateway/http/hosts.py": (
        f"{_GATEWAY}/http/test_hosts.py",
        f"{_GATEWAY}/http/test_record_of_who.py",
    ),
    "gateway/process/web_names.py": (f"{_GATEWAY}/process/test_web_names.py",),
    "gateway/access/auth/api_keys.py": (f"{_AUTH}/test_api_keys.py",),
    "gateway/access/auth/authenticator.py": (
        f"{_AUTH}/test_door.py",
        f"{_AUTH}/test_revocation.py",
        f"{_AUTH}/test_failed_logins.py",
        f"{_AUTH}/test_good_tokens.py",
    ),
    "gateway/access/auth/claims.py": (f"{_AUTH}/test_claims.py",),
    "gateway/access/auth/credential.py": (f"{_AUTH}/test_credential.py",),
    "gateway/access/auth/grants.py": (f"{_AUTH}/test_grants.py",),
    "gateway/access/auth/jwks.py": (f"{_AUTH}/test_jwks.py",),
    "gateway/access/auth/key_source.py": (
        f"{_AUTH}/test_key_source.py",
        "tests/contract/test_key_fetch.py",
    ),
    "gateway/access/auth/scraping.py": (f"{_AUTH}/test_scraping.py",),
    "gateway/access/auth/tokens.py": (f"{_AUTH}/test_tokens.py",),
    "gateway/access/auth/watched.py": (f"{_AUTH}/test_watched.py",),
    "gateway/response_cache/key.py": (f"{_GATEWAY}/response_cache/test_key.py",),
    "gateway/documents/caps.py": (f"{_GATEWAY}/documents/test_prescan.py",),
    "gateway/documents/prescan.py": (f"{_GATEWAY}/documents/test_prescan.py",),
    "gateway/analytics/limits.py": (f"{_GATEWAY}/analytics/test_limits.py",),
    "gateway/analytics/calendars.py": (
        *_WINDOWS,
        f"{_GATEWAY}/analytics/test_calendars.py",
    ),
    "gateway/analytics/earlier.py": (
        *_WINDOWS,
        f"{_GATEWAY}/analytics/test_earlier_to_date.py",
    ),
    "gateway/analytics/window.py": _WINDOWS,
    "gateway/analytics/money.py": (f"{_GATEWAY}/analytics/test_money.py",),
    "gateway/documents/cost/pricing.py": _COST,
    "gateway/documents/cost/sizes.py": _COST,
    "gateway/documents/cost/weights.py": _COST,
    "gateway/access/budget/balance.py": (f"{_GATEWAY}/access/budget/test_local.py",),
    "gateway/access/budget/local.py": (f"{_GATEWAY}/access/budget/test_local.py",),
    "gateway/access/budget/subjects.py": (f"{_GATEWAY}/access/budget/test_local.py",),
    "stream_jobs/events/rules.py": _EVENTS,
    "stream_jobs/events/account_ids.py": _EVENTS,
    "stream_jobs/events/field_names.py": _EVENTS,
    "stream_jobs/events/instants.py": _EVENTS,
}
