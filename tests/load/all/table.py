"""The rows of `./dev bench all` as a Markdown table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.load.all.quiet import Look
from tests.load.all.runs import Run

HEAD = "| what | measured | again | targets | load before, after |\n|---|---|---|---|---|"


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one benchmark; `measured` is empty if it failed, `failed` if it did not."""

    run: Run
    command: str
    before: Look
    after: Look
    took_s: float
    measured: str = ""
    failed: str = ""
    targets: Sequence[dict[str, Any]] = ()

    @property
    def quiet(self) -> bool:
        """Whether the machine was, on both sides of it."""
        return self.before.quiet and self.after.quiet


def markdown(rows: Sequence[Row]) -> str:
    """The table, and below it what is to be known of it."""
    lines = [HEAD, *(_line(row) for row in rows), ""]
    failed = [row.run.words for row in rows if row.failed]
    loud = [row.run.words for row in rows if not row.quiet]
    if failed:
        lines.append(f"Failed: {', '.join(failed)}.")
    if loud:
        lines.append(
            f"**Not quiet** ({len(loud)} of {len(rows)}): others took the processor beside "
            f"{', '.join(loud)}. Of these compare ratios within a row, not absolutes."
        )
    else:
        lines.append("The machine was quiet before and after each.")
    return "\n".join(lines) + "\n"


def _line(row: Row) -> str:
    measured = row.measured if not row.failed else f"**failed**: {row.failed.splitlines()[-1]}"
    targets = "; ".join(
        f"{'met' if each['met'] else '**missed**'}: {each['what']} {each['found']:g} "
        f"({'≥' if each['at_least'] else '≤'} {each['wanted']:g})"
        for each in row.targets
    )
    load = f"{row.before.load}, {row.after.load}"
    if not row.quiet:
        most = max(row.before.others_cores, row.after.others_cores)
        load += f" **not quiet**: {most} cores by others"
    cells = (row.run.what, measured, f"`{row.command}`", targets, load)
    return "| " + " | ".join(each.replace("|", "\\|") for each in cells) + " |"
