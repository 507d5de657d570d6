"""Asking the local gateway, as any client would, over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx


class GraphQLError(Exception):
    """The gateway answered with errors, or not at all."""


def ask(
    url: str,
    document: str,
    variables: dict[str, Any] | None = None,
    timeout_s: float = 10,
    headers: Mapping[str, str] | None = None,
) -> Any:
    """The `data` of one operation.

    Raises:
        GraphQLError: errors in the answer (all of their messages), or no answer.

    """
    try:
        answer = httpx.post(
            f"{url}/graphql",
            json={"query": document, "variables": variables or {}},
            headers=dict(headers or {}),
            timeout=timeout_s,
            trust_env=False,
        ).json()
    except (httpx.HTTPError, ValueError) as problem:
        raise GraphQLError(f"{url} does not answer: {problem}") from problem
    if answer.get("errors"):
        raise GraphQLError("; ".join(error["message"] for error in answer["errors"]))
    return answer["data"]
