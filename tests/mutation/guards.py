"""The modules that guard money, scope, cache key and limits, each with the tests that must notice a fault in it."""

from __future__ import annotations

_GATEWAY = "tests/unit/gateway"
_AUTH = f"{_GATEWAY}/auth"
_COST = f"{_GATEWAY}/cost/test_cost.py"

GUARDS: dict[str, tuple[str, ...]] = {
    "gateway/caller.py": (f"{_GATEWAY}/test_caller.py",),
    "gateway/gathering.py": (f"{_GATEWAY}/test_gathering.py",),
    "gateway/masking.py": (f"{_GATEWAY}/test_caller.py",),
    "gateway/hosts.py": (f"{_GATEWAY}/test_hosts.py",),
    "gateway/auth/api_keys.py": (f"{_AUTH}/test_api_keys.py",),
    "gateway/auth/authenticator.py": (f"{_AUTH}/test_door.py",),
    "gateway/auth/claims.py": (f"{_AUTH}/test_claims.py",),
    "gateway/auth/credential.py": (f"{_AUTH}/test_credential.py",),
    "gateway/auth/grants.py": (f"{_AUTH}/test_grants.py",),
    "gateway/auth/jwks.py": (f"{_AUTH}/test_jwks.py",),
    "gateway/auth/key_source.py": (
        f"{_AUTH}/test_key_source.py",
        "tests/contract/test_key_fetch.py",
    ),
    "gateway/auth/scraping.py": (f"{_AUTH}/test_scraping.py",),
    "gateway/auth/tokens.py": (f"{_AUTH}/test_tokens.py",),
    "gateway/auth/watched.py": (f"{_AUTH}/test_watched.py",),
    "gateway/response_cache/key.py": (f"{_GATEWAY}/response_cache/test_key.py",),
    "gateway/caps.py": (f"{_GATEWAY}/test_prescan.py",),
    "gateway/prescan.py": (f"{_GATEWAY}/test_prescan.py",),
    "gateway/limits.py": (f"{_GATEWAY}/test_limits.py",),
    "gateway/window.py": (f"{_GATEWAY}/test_window.py",),
    "gateway/money.py": (f"{_GATEWAY}/test_money.py",),
    "gateway/cost/priced.py": (_COST,),
    "gateway/cost/pricing.py": (_COST,),
    "gateway/cost/sizes.py": (_COST,),
    "gateway/cost/values.py": (_COST,),
    "gateway/cost/weights.py": (_COST,),
    "gateway/budget/balance.py": (f"{_GATEWAY}/budget/test_local.py",),
    "gateway/budget/local.py": (f"{_GATEWAY}/budget/test_local.py",),
    "gateway/budget/subjects.py": (f"{_GATEWAY}/budget/test_local.py",),
    "stream_jobs/event_rules.py": (
        "tests/unit/stream_jobs/test_event_rules.py",
        "tests/unit/stream_jobs/test_rejection_details.py",
        "tests/contract/test_events.py",
    ),
}
