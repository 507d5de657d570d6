"""The ACLs that the file asks for under the names of one pipeline, and what must change on a cluster; pure but the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from stream_jobs.topics.names import NAMES, Names

FILE: Final = Path(__file__).resolve().parent / "acls.yaml"
_KINDS: Final = {"topics": "TOPIC", "groups": "GROUP", "transactional_ids": "TRANSACTIONAL_ID"}
CLUSTER: Final = "kafka-cluster"


@dataclass(frozen=True, slots=True, order=True)
class Acl:
    """One thing that one principal may do; `pattern` is `LITERAL` or `PREFIXED`."""

    principal: str
    kind: str
    name: str
    pattern: str
    operation: str

    def __str__(self) -> str:
        """As a line: `User:job WRITE TOPIC account-entries`."""
        star = "*" if self.pattern == "PREFIXED" else ""
        return f"{self.principal} {self.operation} {self.kind} {self.name}{star}"


@dataclass(frozen=True, slots=True)
class AclChanges:
    """What is missing and what is too much; of principals that are not ours nothing is touched."""

    missing: tuple[Acl, ...]
    superfluous: tuple[Acl, ...]


def parts(file: Path = FILE) -> dict[str, Mapping[str, Any]]:
    """The parts as the file has them."""
    return dict(yaml.safe_load(file.read_text(encoding="utf-8")))


def wanted(
    file: Mapping[str, Mapping[str, Any]], names: Names, principals: Mapping[str, str]
) -> frozenset[Acl]:
    """Every ACL of the parts in `principals`, which has each part's principal, such as `User:job`."""
    return frozenset(
        acl
        for part, principal in principals.items()
        for acl in _of_part(file[part], names, principal)
    )


def changes(
    wanted_acls: AbstractSet[Acl], live: AbstractSet[Acl], principals: Sequence[str]
) -> AclChanges:
    """What is to be created, and what these principals may do beyond it."""
    ours = {acl for acl in live if acl.principal in principals}
    return AclChanges(tuple(sorted(wanted_acls - ours)), tuple(sorted(ours - wanted_acls)))


def _of_part(part: Mapping[str, Any], names: Names, principal: str) -> Iterator[Acl]:
    for key, kind in _KINDS.items():
        for given, operations in part.get(key, {}).items():
            name = called(kind, given.removesuffix("*"), names)
            pattern = "PREFIXED" if given.endswith("*") else "LITERAL"
            for operation in operations:
                yield Acl(principal, kind, name, pattern, operation)
    for operation in part.get("cluster", ()):
        yield Acl(principal, "CLUSTER", CLUSTER, "LITERAL", operation)


def called(kind: str, name: str, names: Names) -> str:
    """What a pipeline calls a topic, a group or a transactional id of the first one."""
    if kind == "TOPIC":
        return names.called.get(name, name)
    first, own = (NAMES.group, names.group) if kind == "GROUP" else (NAMES.job, names.job)
    return own + name.removeprefix(first) if name.startswith(first) else name
