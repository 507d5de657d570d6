"""A door whose files or addresses cannot work is not opened."""

from __future__ import annotations

import pytest

from gateway.access.auth.opening import masking_of
from gateway.settings import SettingsError
from tests.identity_provider import Trust
from tests.unit.gateway.access.auth.opened import opened


@pytest.mark.parametrize(
    ("name", "content", "variable"),
    [
        ("keys.json", "[]", "GATEWAY_AUTH_KEYS"),
        ("groups.json", '{"a": {"accounts": "alice"}}', "GATEWAY_AUTH_GROUPS"),
        ("groups.json", '{"a": {"accounts": [], "expires": "2026-01-01"}}', "GATEWAY_AUTH_GROUPS"),
        ("groups.json", '{"a": {"accounts": [], "expiry": null}}', "GATEWAY_AUTH_GROUPS"),
        ("jwks.json", '{"keys": []}', "GATEWAY_AUTH_JWKS"),
        ("revoked.json", '{"jti": "token-1"}', "GATEWAY_AUTH_REVOKED"),
        ("revoked.json", '{"sub": {"user-7": "soon"}}', "GATEWAY_AUTH_REVOKED"),
        ("masking.key", "short", "GATEWAY_MASKING_KEY_FILE"),
    ],
)
def test_files_that_cannot_work_are_named_at_the_start(
    trust: Trust, name: str, content: str, variable: str
) -> None:
    trust.write(name, content)
    with pytest.raises(SettingsError, match=variable):
        opened(trust), masking_of(trust.settings())
    (trust.folder / name).unlink()
    with pytest.raises(SettingsError, match=variable):
        opened(trust), masking_of(trust.settings())


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("keys.json", "GATEWAY_AUTH_KEYS"),
        ("groups.json", "GATEWAY_AUTH_GROUPS"),
        ("jwks.json", "GATEWAY_AUTH_JWKS"),
        ("revoked.json", "GATEWAY_AUTH_REVOKED"),
        ("masking.key", "GATEWAY_MASKING_KEY_FILE"),
    ],
)
def test_a_file_that_everybody_may_write_is_refused_at_the_start(
    trust: Trust, name: str, variable: str
) -> None:
    for mode in (0o602, 0o666, 0o777):
        (trust.folder / name).chmod(mode)
        with pytest.raises(SettingsError, match=rf"{variable}: .*by everybody \(mode 0{mode:o}\)"):
            opened(trust)
    (trust.folder / name).chmod(0o664)
    opened(trust)


def test_keys_come_from_elsewhere_by_https_only(trust: Trust) -> None:
    with pytest.raises(SettingsError, match="GATEWAY_AUTH_JWKS"):
        opened(trust, auth_jwks="http://id.example/jwks.json")
