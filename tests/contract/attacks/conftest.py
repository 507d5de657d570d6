"""The gateway that is attacked.

Every class of attack that graphql-cop, DVGA and OWASP's GraphQL cheat sheet name has its tests here: graphql-cop's
detections, the scenarios of the Damn Vulnerable GraphQL Application and the cheat sheet's chapters overlap, so a class
stands here once, with its sources in the module's text.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.unit.gateway.served import Gateway


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    made = Gateway()
    async with made.client:
        yield made
