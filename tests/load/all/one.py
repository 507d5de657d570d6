"""One benchmark as a process of its own: its figures, or the end of what it said."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from local_stack.settings import CHECKOUT
from tests.load import results
from tests.load.all.figures import BrokenError
from tests.load.all.quiet import Look
from tests.load.all.runs import Run
from tests.load.all.table import Row
from tests.load.child_servers import end, tied
from tests.load.own_stack import DEV

LAST_LINES = 15
LIMIT_S = {True: 1_200.0, False: 7_200.0}
"""Quickly or not; after it a benchmark is taken to hang."""

STOPPED_WITHIN_S = 300.0
"""Of one that is told to end; a stack that it has started goes down first."""


class FailedError(Exception):
    """A benchmark that gave no figures, and the end of what it said."""


def measured(run: Run, looked: Callable[[], Look], *, quick: bool, hindered: str = "") -> Row:
    """Run it, unless something hinders it; its row, whatever became of it."""
    before, began_s = looked(), time.monotonic()
    told, failed, figures = "", hindered, {}
    try:
        if not hindered:
            figures = _figures(run, quick=quick)
            told = run.told(figures)
    except FailedError as problem:
        failed = str(problem)
    except (BrokenError, LookupError, TypeError, ValueError) as problem:
        failed = f"its figures: {type(problem).__name__}: {problem}"
    took_s = round(time.monotonic() - began_s, 1)
    return Row(
        run,
        run.command(quick=quick),
        before,
        looked(),
        took_s,
        told,
        failed,
        figures.get("targets", ()),
    )


def _figures(run: Run, *, quick: bool) -> dict[str, Any]:
    """What it wrote; of an earlier run nothing is left by then.

    Raises:
        FailedError: it ended with another code than 0, did not end, or wrote nothing.

    """
    written = results.file_of(run.name)
    written.unlink(missing_ok=True)
    log = results.LOGS / f"all-{run.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    words = [*run.words.split(), *run.options(quick=quick)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [DEV, "bench", *words],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=tied,  # noqa: PLW1509 - no thread runs yet
        )
    try:
        code = process.wait(LIMIT_S[quick])
    except subprocess.TimeoutExpired:
        raise FailedError(f"{_end_of(log)}\nnot done after {LIMIT_S[quick]:.0f} s") from None
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOPPED_WITHIN_S)
        end(process)
    if code or not written.is_file():
        raise FailedError(_end_of(log) or f"exit code {code}, and not a word")
    figures: dict[str, Any] = json.loads(written.read_text())
    return figures


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-LAST_LINES:])
