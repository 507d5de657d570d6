"""JSON as it was sent, or not at all: exact whole numbers, no key twice, nothing repaired."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from gateway.process.exact_numbers import becomes_whole

MAX_VALUES = 1_000
MAX_LEVELS = 10


class JsonRefusedError(Exception):
    """The text is not taken; the message says what it does wrong, after the text's name."""


def loads(text: str | bytes, levels: int = MAX_LEVELS) -> Any:
    """The value; raises `JsonRefusedError`.

    orjson is strict about UTF-8 and half surrogate pairs, but makes a float of an integer of 65
    bits and keeps the last of two equal keys. What it has found to be short is read exactly.
    """
    try:
        _check_size(orjson.loads(text), levels)
        return _EXACT.decode(text if isinstance(text, str) else text.decode())
    except ValueError:
        raise JsonRefusedError("is not valid JSON.") from None


def values_in(value: Any) -> int:
    """How many values there are below one, at all its levels."""
    return sum(map(len, _levels(value)))


def _check_size(value: Any, levels: int) -> None:
    values = 0
    for depth, level in enumerate(_levels(value), 1):
        values += len(level)
        if depth > levels or values > MAX_VALUES:
            raise JsonRefusedError(f"may hold up to {MAX_VALUES} values in {levels} levels.")


def _levels(value: Any) -> Iterator[list[Any]]:
    level = [value]
    while level := [below for each in level for below in _below(each)]:
        yield level


def _below(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _integer(digits: str) -> int | float:
    # As an int it would lose its sign, and an id that is written so would be another one.
    return -0.0 if digits == "-0" else int(digits)


def _number(text: str) -> float:
    if becomes_whole(text):
        raise JsonRefusedError("has a number of too many digits, which would become another one.")
    return float(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise JsonRefusedError("has an object that says a key twice.")
    return found


_EXACT = json.JSONDecoder(parse_int=_integer, parse_float=_number, object_pairs_hook=_object)
