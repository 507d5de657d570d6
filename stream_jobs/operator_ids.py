"""Names for the operators that keep state, so that a changed job finds the state of the one before.

Left to itself Flink names an operator by a hash of all that stands around it, or by its number in the
plan: one more filter, and the memory of transaction ids belongs to nobody. Here a name says what the
state is, whatever the SQL around it and however many run side by side.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.util.java_utils import get_field_value

# A transformation's name in Flink, without its number in the plan: the name of its state for ever.
STATEFUL = {
    "KafkaSource-default_catalog.default_database.transactions": "transactions-read",
    "Deduplicate": "transaction-ids-seen",
    "account_entries": "account-entries-written",
    "transactions_rejected": "transactions-rejected-written",
}
_NUMBER = re.compile(r"\[\d+\]$")


class OperatorNamesError(Exception):
    """The planned job has other stateful operators than the names are for."""


def name_operators(streams: StreamExecutionEnvironment) -> None:
    """Give every operator of `STATEFUL` its name.

    Raises OperatorNamesError if one of them is missing or planned twice: its state would be lost, or
    nobody's.
    """
    sinks = get_field_value(streams._j_stream_execution_environment, "transformations")
    found: dict[str, set[int]] = {name: set() for name in STATEFUL}
    for transformation in _upstream(sinks):
        name = _NUMBER.sub("", transformation.getName())
        if name in STATEFUL:
            found[name].add(transformation.getId())
            transformation.setUid(STATEFUL[name])
    for name, ids in found.items():
        if len(ids) != 1:
            raise OperatorNamesError(
                f"The plan has {len(ids)} operators {name!r} instead of one: their state could not be "
                "told apart, or what is remembered would be forgotten."
            )


def _upstream(transformations: Any) -> Iterator[Any]:
    for transformation in transformations:
        yield transformation
        yield from _upstream(transformation.getInputs())
