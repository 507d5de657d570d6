"""The README's tables, written from the code: `./dev docs` puts them in place, a test finds them stale."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from gateway import settings as gateway_settings
from graphql_schema.error_codes import ErrorCode
from local_stack import settings as stack_settings
from local_stack.settings import CHECKOUT, StackSettings

README = CHECKOUT / "README.md"


def with_tables(text: str) -> str:
    """The README with every `<!-- table: … -->` block as the code has it now."""
    for name, table in tables().items():
        block = f"<!-- table: {name} -->\n{table}<!-- end -->"
        pattern = rf"<!-- table: {name} -->\n.*?<!-- end -->"
        found = re.findall(pattern, text, flags=re.DOTALL)
        if len(found) != 1:
            raise ValueError(f"README.md must have one block for the table {name!r}")
        text = text.replace(found[0], block)
    return text


def tables() -> dict[str, str]:
    """Each table as Markdown, by the name of its block."""
    codes = [f"| `{code.name}` | {code.value} |" for code in ErrorCode]
    ports = [
        f"| `{stack_settings.variable(f.name)}` | `{f.default}` | {f.metadata['meaning']} |"
        for f in fields(StackSettings)
        if f.name.endswith("_port")
    ]
    folder = "| `STACK_STATE` | `.local` | Folder of data, logs and rendered configuration |"
    timeout = (
        f"| `STACK_JOB_TRANSACTION_TIMEOUT_S` | `{StackSettings().job_transaction_timeout_s}` | "
        "The longest outage that loses nothing, in seconds: Kafka gives up the job's transactions then |"
    )
    head = "| variable | default | meaning |\n|---|---|---|\n"
    return {
        "gateway settings": gateway_settings.markdown_table(),
        "stack settings": head + "\n".join([*ports, folder, timeout]) + "\n",
        "error codes": "| code | meaning |\n|---|---|\n" + "\n".join(codes) + "\n",
    }


def write(path: Path = README) -> bool:
    """Put today's tables into the README; return whether that changed it."""
    before = path.read_text()
    after = with_tables(before)
    path.write_text(after)
    return after != before
