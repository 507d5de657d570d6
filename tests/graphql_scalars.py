"""What Schemathesis cannot know of the API: values of its own scalars, and that nobody here has a group."""

from __future__ import annotations

from typing import Any

import schemathesis
from graphql import ArgumentNode, DocumentNode, StringValueNode, Visitor, parse_value, visit
from hypothesis import strategies as st
from schemathesis.graphql import nodes

INSTANTS = ["2025-11-01T00:00:00Z", "2025-11-22T09:30:00.5+07:00", "2024-02-29T23:59:59-05:30"]
ZONES = ["UTC", "Asia/Ho_Chi_Minh", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"]

schemathesis.graphql.scalar("DateTime", st.sampled_from(INSTANTS).map(nodes.String))
schemathesis.graphql.scalar("TimeZone", st.sampled_from(ZONES).map(nodes.String))


class Ungrouped(Visitor):
    """Names no group: nobody here has one, and a right that is missing is no weakness."""

    def enter_argument(self, node: ArgumentNode, *_: Any) -> ArgumentNode | None:
        """Null in its place, but in that of a value of a wrong type, which is to be refused."""
        is_group = node.name.value == "group" and isinstance(node.value, StringValueNode)
        return ArgumentNode(name=node.name, value=parse_value("null")) if is_group else None


@schemathesis.hook
def map_body(_context: schemathesis.HookContext, body: DocumentNode) -> DocumentNode:
    """Every document that is generated, before it is sent."""
    mapped: DocumentNode = visit(body, Ungrouped())
    return mapped
