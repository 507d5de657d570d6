"""A gateway in which one of the layers that share store queries does nothing: `… without LAYER [a server's words]`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from gateway import __main__ as gateway_process
from gateway.response_cache.flight import Flights
from gateway.store.pinot import store, top
from gateway.store.pinot.remembered import Remembered
from gateway.store.rows.store import KeptRows
from gateway.store.sharing import OperationStore
from tests.load.gateway import servers


def main() -> int:
    """Serve until stopped: the gateway itself, or one of `servers`."""
    layer, *words = sys.argv[1:]
    LAYERS[layer]()
    if not words:
        return gateway_process.main()
    sys.argv[1:] = words
    return servers.main()


def _nothing() -> None:
    """Every layer does its work."""


def _no_flights() -> None:
    async def join(_self: Any, _key: Any, make: Any) -> Any:
        return await make(), True

    def refresh(self: Any, _key: Any, make: Any) -> bool:
        self._launch(object(), make, kept=True)
        return True

    _replace(Flights, join=join, refresh=refresh)


def _no_operation_sharing() -> None:
    async def fetch(self: Any, plan: Any, not_before: int | None = None) -> Any:
        self._asked.pop(plan, None)
        return await self._ask(plan)

    async def once(_self: Any, _about: Any, make: Any) -> Any:
        return await make()

    _replace(OperationStore, fetch=fetch, once=once)


def _no_rows() -> None:
    async def answer(*_: Any) -> None:
        return None

    _replace(KeptRows, answer=answer, has=lambda _self, _plan: False)


def _no_remembered_rankings() -> None:
    _replace(
        Remembered,
        base_for=lambda _self, _plan: None,
        was_small=lambda _self, _plan: False,
        remember=lambda _self, _plan, _base: None,
        remember_small=lambda _self, _plan: None,
    )


def _no_cohorts() -> None:
    async def fetch_top(plan: Any, ask: Any, trim_threshold: int, *_: Any) -> Any:
        return await top._in_full(plan, ask, trim_threshold)

    _replace(store, fetch_top=fetch_top)


def _replace(owner: object, **others: Callable[..., Any]) -> None:
    for name, other in others.items():
        assert hasattr(owner, name), f"{owner} has no {name} any more"
        setattr(owner, name, other)


LAYERS: dict[str, Callable[[], None]] = {
    "nothing": _nothing,
    "flights": _no_flights,
    "operation": _no_operation_sharing,
    "rows": _no_rows,
    "rankings": _no_remembered_rankings,
    "cohorts": _no_cohorts,
}

if __name__ == "__main__":
    sys.exit(main())
