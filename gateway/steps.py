"""Work in steps, between which whoever is ready meanwhile may go first."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import TypeAlias, TypeVar

Result = TypeVar("Result")
Steps: TypeAlias = Generator[None, None, Result]
"""Yields after each step but the last, whose result it returns."""


def at_once(steps: Steps[Result]) -> Result:
    """The result, all steps in a row."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result


async def in_turns(steps: Steps[Result]) -> Result:
    """The result, a step each turn of the loop."""
    while True:
        await asyncio.sleep(0)
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result
