"""Names for the operators that keep state, so that a changed job finds the state of the one before.

Left to itself Flink names an operator by a hash of all that stands around it, or by its number in the
plan: one more filter, and the memory of transaction ids belongs to nobody. Here a name says what the
state is, whatever the SQL around it and however many run side by side.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.util.java_utils import get_field_value


@dataclass(frozen=True, slots=True)
class Operator:
    """How Flink names an operator, without its number in the plan; of several so named, what else is said of it."""

    name: str
    description: str = ""


# The name of each one's state, for ever.
STATEFUL = {
    "transactions-read": Operator("KafkaSource-default_catalog.default_database.transactions"),
    "reversals-seen": Operator("OverAggregate", "partitionBy=[transaction_id]"),
    "reversals-numbered": Operator("OverAggregate", "select=[transaction_key, transaction_id,"),
    "transactions-remembered": Operator("OverAggregate", "FIRST_VALUE(content)"),
    "account-entries-written": Operator("account_entries"),
    "transactions-rejected-written": Operator("transactions_rejected"),
    "transactions-uncounted-written": Operator("transactions_uncounted"),
}
_KEEPS_STATE = re.compile(r"Source-|Deduplicate|Aggregate|Rank|Join|Sort|Match")
_NUMBER = re.compile(r"\[\d+\]$")


class OperatorNamesError(Exception):
    """The planned job has other stateful operators than the names are for."""


def name_operators(streams: StreamExecutionEnvironment) -> None:
    """Give every operator of `STATEFUL` its name.

    Raises OperatorNamesError if one of them is missing or planned twice, or if another keeps state: it would
    be lost, or nobody's.
    """
    sinks = get_field_value(streams._j_stream_execution_environment, "transformations")
    found: dict[str, set[int]] = {uid: set() for uid in STATEFUL}
    nameless: set[str] = set()
    for transformation in _upstream(sinks):
        uid = _uid(transformation)
        if uid is not None:
            found[uid].add(transformation.getId())
            transformation.setUid(uid)
        elif _KEEPS_STATE.match(transformation.getName()):
            nameless.add(transformation.getName())
    for uid, ids in found.items():
        if len(ids) != 1:
            raise OperatorNamesError(
                f"The plan has {len(ids)} operators {uid!r} instead of one: their state could not be "
                "told apart, or what is remembered would be forgotten."
            )
    if nameless:
        raise OperatorNamesError(f"The state of {sorted(nameless)} has no name.")


def _uid(transformation: Any) -> str | None:
    name = _NUMBER.sub("", transformation.getName())
    for uid, operator in STATEFUL.items():
        if name == operator.name and operator.description in (
            transformation.getDescription() or ""
        ):
            return uid
    return None


def _upstream(transformations: Any) -> Iterator[Any]:
    for transformation in transformations:
        yield transformation
        yield from _upstream(transformation.getInputs())
