"""The documentation's tables and answers, written from the code: `./dev docs` puts them in place, a test finds them stale."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path

from gateway.settings.telling import markdown_table
from graphql_schema.error_codes import ErrorCode
from local_stack import chart, commands, examples, prerequisites
from local_stack.on_kubernetes import TOOL
from local_stack.settings import CHECKOUT, StackSettings
from local_stack.settings import variable as stack_variable
from pinot_config.sizing import tables as sizing_tables
from pinot_config.sizing.arithmetic import Load, Measured
from stream_jobs import http_access
from stream_jobs.events.field_names import NEAR
from stream_jobs.events.reasons import MEANINGS
from stream_jobs.http_access import HttpAccess
from stream_jobs.topics import access
from stream_jobs.topics.access import KafkaAccess
from stream_jobs.topics.acls import rules

BLOCK = re.compile(r"<!-- table: (?P<name>.+?) -->\n.*?<!-- end -->", flags=re.DOTALL)


def pages() -> list[Path]:
    """README and all that is read on."""
    return [CHECKOUT / "README.md", chart.README, *sorted((CHECKOUT / "docs").glob("*.md"))]


def tables() -> dict[str, str]:
    """Each table as Markdown, by the name of its `<!-- table: … -->` block."""
    codes = [f"| `{code.name}` | {code.value} |" for code in ErrorCode]
    return {
        "acls": _acls(),
        "chart values": chart.markdown_table(),
        "commands": commands.markdown_table(),
        "error codes": "| code | meaning |\n|---|---|\n" + "\n".join(codes) + "\n",
        "gateway settings": markdown_table(),
        "kafka access": _access_settings(KafkaAccess, access.variable),
        "near names": _near_names(),
        "pinot access": _access_settings(HttpAccess, http_access.variable),
        "prerequisites": prerequisites.markdown_table(),
        "reject reasons": _reject_reasons(),
        "stack settings": _stack_settings(),
        **sizing_tables.markdown_tables(Load(), Measured()),
    }


def stale() -> Iterator[tuple[Path, str]]:
    """The pages whose tables are not what the code has, the chart's files and the answers, with what they should be.

    Raises:
        ValueError: a table stands on no page or several, or a block names no table.

    """
    known = tables()
    texts = {page: page.read_text() for page in pages()}
    named = Counter(name for text in texts.values() for name in BLOCK.findall(text))
    if named != Counter(known.keys()):
        raise ValueError(f"each of {sorted(known)} must have one block, and there are {named}")
    for page, text in texts.items():
        current = BLOCK.sub(lambda found: _block(found["name"], known), text)
        if current != text:
            yield page, current
    yield from chart.stale()
    yield from examples.stale()


def write() -> list[str]:
    """Put today's tables into the pages; return a line for each that this changed."""
    changed = []
    for page, text in stale():
        page.write_text(text)
        changed.append(f"{page.relative_to(CHECKOUT)} changed")
    return changed


def _block(name: str, known: dict[str, str]) -> str:
    return f"<!-- table: {name} -->\n{known[name]}<!-- end -->"


def _access_settings(
    settings: type[KafkaAccess | HttpAccess], variable: Callable[[str], str]
) -> str:
    rows = [
        f"| `{variable(each.name)}` | {f'`{each.default}`' if each.default else ''} | {each.metadata['meaning']} |"
        for each in fields(settings)
    ]
    return "| variable | default | meaning |\n|---|---|---|\n" + "\n".join(rows) + "\n"


def _acls() -> str:
    rows = []
    for part, may in rules.parts().items():
        told = [
            f"{operation} {', '.join(names)}"
            for key in ("topics", "groups", "transactional_ids")
            for operation, names in _by_operation(may.get(key, {})).items()
        ]
        told += [f"{operation} of the cluster" for operation in may.get("cluster", ())]
        rows.append(f"| `{part}` | {may['why']} | {'; '.join(told)} |")
    return "| part | what for | may |\n|---|---|---|\n" + "\n".join(rows) + "\n"


def _by_operation(resources: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, operations in resources.items():
        for operation in operations:
            found.setdefault(operation, []).append(f"`{name}`")
    return found


def _near_names() -> str:
    rows = [
        f"| `{known}` | {', '.join(f'`{name}`' for name in near)} |" for known, near in NEAR.items()
    ]
    return "| may stand for | names |\n|---|---|\n" + "\n".join(rows) + "\n"


def _reject_reasons() -> str:
    rows = [f"| `{reason}` | {meaning} |" for reason, meaning in MEANINGS.items()]
    return "| reason | means |\n|---|---|\n" + "\n".join(rows) + "\n"


def _stack_settings() -> str:
    ports = [
        f"| `{stack_variable(f.name)}` | `{f.default}` | {f.metadata['meaning']} |"
        for f in fields(StackSettings)
        if f.name.endswith("_port")
    ]
    folder = "| `STACK_STATE` | `.local` | Folder of data, logs and rendered configuration |"
    timeout = (
        f"| `STACK_JOB_TRANSACTION_TIMEOUT_S` | `{StackSettings().job_transaction_timeout_s}` | "
        "The longest outage that loses nothing, in seconds: Kafka gives up the job's transactions then |"
    )
    ids = (
        f"| `STACK_TRANSACTIONAL_ID_EXPIRATION_S` | `{StackSettings().transactional_id_expiration_s}` | "
        "How long Kafka remembers the transactional ids of a job that is away, in seconds, 24 days at most |"
    )
    currency = (
        "| `STACK_CURRENCY` | | The one currency of all amounts, e.g. EUR: an event that names another is "
        "rejected; without it, one that names any |"
    )
    erased = (
        "| `STACK_ERASED_ACCOUNTS` | `kept` | What becomes of events that name an account after its erasure: kept, "
        "pseudonymised or refused ([what each does](erasure.md#what-comes-afterwards)) |"
    )
    lease = (
        "| `STACK_LEASE_S` | | Seconds after which another tracker or audit, started by hand with `--lease`, "
        "takes over from the stack's; without it there is one of each |"
    )
    home = "| `PINOT_HOME` | | Folder of the Pinot to run, an unpacked distribution or its jars; empty: the fetched one |"
    tool = (
        f"| `{TOOL}` | | Program that brings up a cluster on this machine, for "
        "[tests of the chart](kubernetes.md#tests) |"
    )
    head = "| variable | default | meaning |\n|---|---|---|\n"
    return (
        head + "\n".join([*ports, folder, timeout, ids, currency, erased, lease, home, tool]) + "\n"
    )
