"""The scalars: exact decimals, 64-bit integers, instants and time zones; no float among them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NewType, Self

import strawberry
from graphql import (
    GraphQLError,
    GraphQLID,
    GraphQLScalarType,
    IntValueNode,
    StringValueNode,
    ValueNode,
    value_from_ast_untyped,
)
from strawberry.types.scalar import ScalarDefinition

Long = NewType("Long", int)
TimeZone = NewType("TimeZone", str)
UTC = TimeZone("UTC")
"""The default of every `timeZone`."""

_RFC_3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d{1,9})?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
_MINUTE = dt.timedelta(minutes=1)
_MICROSECOND = dt.timedelta(microseconds=1)
_DECIMAL = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?", re.ASCII)
_LONG_LIMIT = 1 << 63
_NO_ID = 'ID is text such as "4", or an integer such as 4.'


class ScalarInputError(GraphQLError):
    """A value is not one of its scalar; the message says what is."""


def serialize_decimal(value: object) -> str:
    """Plain notation without exponent and trailing zeros: "1000000.5", "0"."""
    if not isinstance(value, Decimal):
        raise GraphQLError("Decimal cannot represent a value of another type.")
    plain = f"{value:f}"
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return "0" if plain in ("-0", "") else plain


def parse_decimal(value: object) -> Decimal:
    """A decimal from its text."""
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise ScalarInputError('Decimal is a string such as "1000000.5".')
    return Decimal(value)


def serialize_long(value: object) -> int:
    """The integer, if it fits 64 bits."""
    if isinstance(value, int) and -_LONG_LIMIT <= value < _LONG_LIMIT:
        return value
    raise GraphQLError("Long cannot represent a value beyond 64 bits.")


def parse_long(value: object) -> Long:
    """An integer of up to 64 bits."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ScalarInputError("Long is an integer.")
    return Long(serialize_long(value))


def serialize_datetime(value: object) -> str:
    """RFC 3339 with milliseconds, and `Z` or the offset of the value's own zone.

    An offset with seconds (Liberia's until 1972) cannot be said there: the closest that can is taken,
    with the wall clock of that, as RFC 3339 has it in section 5.8. The instant stays the same.
    """
    # A series' bucket begins with the very object that the one before ended with.
    last, text = _Last.written
    if value is not last:
        text = _rfc_3339(value)
        _Last.written = value, text
    return text


class _Last:
    """The instant that was written last; it is kept alive, so that no other has its identity."""

    written: tuple[object, str] = (object(), "")


def _rfc_3339(value: object) -> str:
    offset = value.utcoffset() if isinstance(value, datetime) else None
    if not isinstance(value, datetime) or offset is None:
        raise GraphQLError("DateTime cannot represent a value without an offset.")
    if offset % _MINUTE:
        value = value.astimezone(dt.timezone(round(offset / _MINUTE) * _MINUTE))
    text = value.isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def parse_datetime(value: object) -> datetime:
    """An instant from RFC 3339 text, which must have an offset; finer than microseconds is the next of them.

    So nothing that happened before it, in whole milliseconds, is at it or later.
    """
    matched = _RFC_3339.fullmatch(value) if isinstance(value, str) else None
    if matched is not None:
        day, clock, fraction, offset = matched.groups()
        kept, finer = (fraction or "")[:7], (fraction or "")[7:]
        text = f"{day}T{clock}{kept}{offset.upper()}"
        more = _MICROSECOND if finer.strip("0") else dt.timedelta()
        try:
            return datetime.fromisoformat(text).astimezone(dt.UTC) + more
        except (ValueError, OverflowError):
            pass
    raise ScalarInputError(
        'DateTime is an RFC 3339 instant with an offset, such as "2026-11-22T09:30:00+07:00".'
    )


def parse_time_zone(value: object) -> TimeZone:
    """A name; whether there is such a zone is judged with the argument it was given for."""
    if not isinstance(value, str):
        raise ScalarInputError('TimeZone is an IANA name such as "Asia/Ho_Chi_Minh".')
    return TimeZone(value)


def parse_id(value: object) -> str:
    """Text as it is, or an integer's digits; what is written with a point or exponent is no id."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise ScalarInputError(_NO_ID)
    return str(value)


def parse_id_literal(node: ValueNode, _: dict[str, Any] | None = None) -> str:
    """The same in a document, digit for digit; `-0` is none there either, as JSON has no such integer."""
    if isinstance(node, StringValueNode):
        return node.value
    if isinstance(node, IntValueNode) and node.value != "-0":
        return node.value
    raise GraphQLError(_NO_ID, node)


class ExactID(GraphQLScalarType):
    """graphql-core's ID, but for `1e3`, which that takes for "1000": another id than was written."""

    def __new__(cls, *_args: object, **_kwargs: object) -> Self:
        """Made though the name is reserved for graphql-core's own."""
        return object.__new__(cls)


def in_document(parse: Callable[[object], object]) -> Callable[..., object]:
    """The same for a value that stands in the document: its error says where."""

    def parse_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> object:
        try:
            return parse(value_from_ast_untyped(node, variables))
        except ScalarInputError as error:
            raise ScalarInputError(error.message, node) from None

    return parse_literal


_ID = ExactID(
    **GraphQLID.to_kwargs()
    | {
        "coerce_input_value": parse_id,
        "parse_value": parse_id,
        "coerce_input_literal": parse_id_literal,
        "parse_literal": parse_id_literal,
    }
)

SCALARS: Mapping[object, ScalarDefinition] = {
    strawberry.ID: ScalarDefinition(
        name=_ID.name,
        description=_ID.description,
        specified_by_url=None,
        serialize=_ID.coerce_output_value,
        parse_value=parse_id,
        parse_literal=None,
        implementation=_ID,
    ),
    Decimal: strawberry.scalar(
        name="Decimal",
        description='Exact decimal number, as a string: "1000000.5". Never a float.\n\n'
        "Without exponent and trailing zeros; as many digits as the value has (amounts have up to "
        "8 decimals, sums any number before the point). Calculate with a decimal library.",
        specified_by_url="https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/math/BigDecimal.html",
        serialize=serialize_decimal,
        parse_value=parse_decimal,
        parse_literal=in_document(parse_decimal),
    ),
    Long: strawberry.scalar(
        name="Long",
        description="64-bit integer.\n\nA JSON number; exact in JavaScript up to 2^53.",
        specified_by_url="https://ibm.github.io/graphql-specs/custom-scalars/long.html",
        serialize=serialize_long,
        parse_value=parse_long,
        parse_literal=in_document(parse_long),
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description='RFC 3339 instant with offset: "2026-11-22T09:30:00.000Z".\n\n'
        "In arguments any offset will do, but there must be one. Answers have milliseconds, and "
        'the offset of the time zone that was asked for ("Z" in UTC).',
        specified_by_url="https://scalars.graphql.org/andimarek/date-time",
        serialize=serialize_datetime,
        parse_value=parse_datetime,
        parse_literal=in_document(parse_datetime),
    ),
    TimeZone: strawberry.scalar(
        name="TimeZone",
        description='IANA name, e.g. "Asia/Ho_Chi_Minh".\n\nCase counts; offsets such as "+07:00" '
        "and other names are refused.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc6557",
        serialize=str,
        parse_value=parse_time_zone,
        parse_literal=in_document(parse_time_zone),
    ),
}
