"""A door opened for what the gateway trusts."""

from __future__ import annotations

import pytest

from gateway.access.auth.authenticator import Authenticator
from tests.identity_provider import Trust
from tests.unit.gateway.access.auth.opened import opened


@pytest.fixture
def door(trust: Trust) -> Authenticator:
    return opened(trust)
