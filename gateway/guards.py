"""Limits on documents, as validation rules: each made once, so that validation can be cached."""

from __future__ import annotations

from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationContext,
    ValidationRule,
)


def depth_rule(max_depth: int) -> type[ValidationRule]:
    """A rule against fields nested deeper than `max_depth`, introspection aside."""

    class DepthRule(ValidationRule):
        """Refuses documents that are too deep."""

        def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
            """Measure the operation."""
            measure = _Measure(self.context, max_depth, _UNBOUNDED)
            measure.add(node.selection_set, 0)
            if measure.too_deep:
                self.report_error(
                    GraphQLError(f"The document is nested deeper than {max_depth} fields.", node)
                )

    return DepthRule


def fields_rule(max_fields: int) -> type[ValidationRule]:
    """A rule against more than `max_fields` fields, counted with fragments expanded."""

    class FieldsRule(ValidationRule):
        """Refuses documents with too many fields."""

        def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
            """Count the operation's fields."""
            measure = _Measure(self.context, _UNBOUNDED, max_fields)
            measure.add(node.selection_set, 0)
            if measure.too_many:
                self.report_error(
                    GraphQLError(f"The document has more than {max_fields} fields.", node)
                )

    return FieldsRule


_UNBOUNDED = 1 << 30


class _Measure:
    """Counts fields until a bound is passed, so that its work is bounded too."""

    def __init__(self, context: ValidationContext, max_depth: int, max_fields: int) -> None:
        self._context = context
        self._max_depth = max_depth
        self._max_fields = max_fields
        self._open_fragments: list[str] = []
        self._spreads = 0
        self._fields = 0
        self.too_deep = False

    @property
    def too_many(self) -> bool:
        """Whether there are more fields than allowed."""
        return self._fields > self._max_fields

    def add(self, selections: SelectionSetNode | None, depth: int) -> None:
        """Count a selection set whose fields stand under `depth` others."""
        for selection in selections.selections if selections else ():
            if self.too_deep or self.too_many or self._spreads > 10_000:
                return
            if isinstance(selection, FieldNode):
                if selection.name.value.startswith("__"):
                    continue
                self._fields += 1
                self.too_deep = depth + 1 > self._max_depth
                self.add(selection.selection_set, depth + 1)
            elif isinstance(selection, FragmentSpreadNode):
                self._spread(selection.name.value, depth)
            else:
                self.add(getattr(selection, "selection_set", None), depth)

    def _spread(self, name: str, depth: int) -> None:
        fragment = self._context.get_fragment(name)
        if fragment is None or name in self._open_fragments:
            return
        self._spreads += 1
        self._open_fragments.append(name)
        self.add(fragment.selection_set, depth)
        self._open_fragments.pop()
