"""CPU of one hostile document, by class: this gateway's checks beside stock Strawberry's, in one run."""

from __future__ import annotations

import argparse
import gc
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import strawberry
from graphql import GraphQLError, parse, validate
from strawberry.schema.config import StrawberryConfig

from gateway.errors import CallerError
from gateway.settings import Settings
from gateway.wiring.documents import make_preparation
from graphql_schema.query import Query
from graphql_schema.scalars import SCALARS
from tests.hostile_documents import documents

STOCK_BYTES = 65_536


def measure(arguments: list[str]) -> dict[str, Any]:
    """Figures of one run in this process; nothing needs to be running."""
    options = parser().parse_args(arguments)
    settings = Settings()
    preparation = make_preparation(settings)
    stock = strawberry.Schema(Query, config=StrawberryConfig(scalar_map=dict(SCALARS)))._schema

    def ours(text: str) -> None:
        if len(text.encode("utf-8", "surrogatepass")) > settings.max_body_bytes:
            return
        try:
            prepared = preparation.prepare(text)
            for operation in () if prepared.errors else prepared.operations.values():
                values = preparation.coerce(operation, {})
                if prepared.document is not None and not isinstance(values, list):
                    preparation.price(prepared.document, operation, values)
        except CallerError:
            pass

    def theirs(text: str) -> None:
        with suppress(GraphQLError):
            validate(stock, parse(text))

    made = list(documents(options.seed, options.documents))
    gc.freeze()
    mine = _by_class(ours, made)
    other = _by_class(
        theirs, [each for each in made if len(each[1]) <= STOCK_BYTES][: options.stock]
    )
    return {
        "documents": options.documents,
        "seed": options.seed,
        "body_cap_bytes": settings.max_body_bytes,
        "ours_cpu_ms": _figures([each for group in mine.values() for each in group]),
        "stock_cpu_ms": _figures([each for group in other.values() for each in group]),
        "by_class_cpu_ms": {
            name: {
                "ours": _figures(mine[name]),
                "stock": _figures(other[name]),
                "stock_to_ours_at_worst": round(max(other[name], default=0) / max(mine[name]), 1),
            }
            for name in sorted(mine)
        },
    }


def parser() -> argparse.ArgumentParser:
    """Its options."""
    parser = argparse.ArgumentParser(prog="./dev bench documents", description=measure.__doc__)
    parser.add_argument("--documents", type=int, default=5_000)
    parser.add_argument("--stock", type=int, default=300, help="documents that stock also gets")
    parser.add_argument("--seed", type=int, default=7)
    return parser


def _by_class(
    check: Callable[[str], None], made: list[tuple[str, str]]
) -> defaultdict[str, list[float]]:
    spent: defaultdict[str, list[float]] = defaultdict(list)
    for name, text in made:
        before = time.process_time()
        check(text)
        spent[name].append((time.process_time() - before) * 1000)
    return spent


def _figures(milliseconds: list[float]) -> dict[str, float]:
    ordered = sorted(milliseconds)
    if not ordered:
        return {}
    at = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return {
        name: round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2)
        for name, share in at.items()
    }
