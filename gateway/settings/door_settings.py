"""The settings of the process that listens, and of its door: connections, credentials, masks and signatures."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from gateway.settings.kinds import (
    NotNegative,
    Port,
    Positive,
    SigningKeys,
)


def setting(default: object, meaning: str) -> Any:
    """A setting's default and what it means."""
    return Field(default=default, description=meaning)


class DoorSettings(BaseModel):
    """Each field `x` is the variable `GATEWAY_X`."""

    host: str = setting("127.0.0.1", "Address to listen on.")
    port: Port = setting(8000, "Port to listen on.")
    workers: Positive = setting(
        1, "Processes behind the port; one a core. SIGHUP replaces them one by one."
    )
    drain_accept_ms: NotNegative = setting(
        0, "After SIGTERM: for how long connections are still accepted while `/readyz` says 503."
    )
    drain_ms: NotNegative = setting(
        2_000, "Then: for how long idle connections may still ask before they are closed."
    )
    max_connections: NotNegative = setting(
        4_000,
        "Connections that a process has at once, more are answered 503; 0: as many as the system's "
        "limit of open files leaves, which is never exceeded.",
    )
    max_connections_per_address: NotNegative = setting(
        500,
        "The same of one address (of IPv6, one /64), trusted proxies aside; 0: as many as there are.",
    )
    head_ms: Positive = setting(
        10_000,
        "A request's line and headers must be there within this time of its first byte, or 408; of the "
        "first one, from when its connection is opened.",
    )
    body_ms: Positive = setting(10_000, "And its body within this time of its headers, or 408.")
    idle_ms: Positive = setting(
        75_000,
        "After this time without a request a connection is closed; longer than clients and balancers "
        "keep theirs, so that it is they who close.",
    )
    send_ms: Positive = setting(
        30_000, "What is sent must be taken within this time, or its connection is cut."
    )
    half_closed_ms: NotNegative = setting(
        1_000,
        "A client that closes its sending side is answered within this time; then it counts as gone, "
        "and its operation is stopped.",
    )
    allow_non_loopback: bool = setting(
        False, "Listen on an address that other machines can reach; needs authentication."
    )
    auth: str = setting(
        "off",
        "How callers prove who they are: `api_key`, `jwt` or both with a comma; with `off`, on "
        "loopback only, requests without a credential may see everything.",
    )
    auth_keys: str = setting("", "The API keys' file, kept by `./dev keys`.")
    auth_groups: str = setting("", "JSON file of named groups of accounts.")
    auth_jwks: str = setting("", "The identity provider's public keys: an https address or a file.")
    auth_issuer: str = setting("", "What a token's `iss` must be.")
    auth_audience: str = setting("", "What a token's `aud` must be or hold.")
    auth_role_claim: str = setting("role", "The claim with `owner`, `partner` or `operator`.")
    auth_accounts_claim: str = setting("accounts", "The claim with a list of account ids.")
    auth_groups_claim: str = setting("groups", "The claim with a list of groups.")
    auth_counterparties_claim: str = setting(
        "sees_counterparties", "The claim that says whether other accounts' ids are shown in full."
    )
    auth_masked_roles: str = setting(
        "partner",
        "Roles that are shown masked ids of other accounts unless a token says otherwise.",
    )
    auth_leeway_s: Annotated[int, Field(ge=0, le=300)] = setting(
        30, "By how much a token's issuer's clock may differ."
    )
    auth_max_life_s: Positive = setting(
        86_400, "Longest life of a token, from its `iat` to its `exp`; a longer one is refused."
    )
    failed_logins_per_s: NotNegative = setting(
        1, "Credentials a second that are refused before an address has to wait; 0: any number."
    )
    failed_logins_burst: Positive = setting(
        60, "As many may be refused at once; of IPv6, the addresses of a /64 count as one."
    )
    auth_revoked: str = setting("", "JSON file of revoked tokens' `jti` and `sub`.")
    masking_key_file: str = setting(
        "", "File with 32 random bytes or more, which ids are masked with."
    )
    signing_keys: SigningKeys = setting(
        "",
        "What cursors and the answers in Redis are signed with: the first key signs, all are "
        "accepted, separated by blanks or lines; `openssl rand -hex 32` makes one. None: the masking "
        "key, else Redis' address, else each start's own for cursors.",
    )
