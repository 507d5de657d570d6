"""Running dependent steps side by side, each shown as it begins and ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: `action(tell)` may tell how far it is and returns a closing remark."""

    name: str
    action: Callable[[Tell], str]
    needs: tuple[str, ...] = field(default=())


class StepError(Exception):
    """A step failed; `step` is its name, the message what to read."""

    def __init__(self, step: str, problem: BaseException) -> None:
        super().__init__(str(problem) or type(problem).__name__)
        self.step = step


class Board:
    """Shows steps: spinners on a terminal, one line a finished step elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("[bold]{task.description}[/]"),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[remark]}[/]"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def begin(self, name: str) -> None:
        with self._lock:
            self._tasks[name] = self._progress.add_task(name, remark="")

    def tell(self, name: str, remark: str) -> None:
        self._progress.update(self._tasks[name], remark=escape(remark))
        if not self._console.is_terminal:
            self._console.print(f"  … {name}: {remark}", highlight=False, markup=False)

    def end(self, name: str, seconds: float, remark: str, *, failed: bool = False) -> None:
        with self._lock:
            self._progress.remove_task(self._tasks.pop(name))
            mark = "[red]✗[/]" if failed else "[green]✓[/]"
            self._console.print(
                f"  {mark} {name:<22} {seconds:6.1f} s  [dim]{escape(remark)}[/]", highlight=False
            )


def run_steps(steps: list[Step], board: Board) -> None:
    """Run every step once all it needs are done, at most eight at a time.

    Raises:
        StepError: the first step that failed; steps not begun by then are not begun.

    """
    done: set[str] = set()
    waiting = {step.name: step for step in steps}
    running: dict[Future[None], str] = {}
    failed: StepError | None = None
    with ThreadPoolExecutor(max_workers=8) as pool:
        while (waiting and failed is None) or running:
            if failed is None:
                for step in [s for s in waiting.values() if done.issuperset(s.needs)]:
                    del waiting[step.name]
                    running[pool.submit(_run, step, board)] = step.name
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                name = running.pop(future)
                problem = future.exception()
                done.add(name)
                if problem is not None and failed is None:
                    failed = StepError(name, problem)
    if failed is not None:
        raise failed


def _run(step: Step, board: Board) -> None:
    began = time.monotonic()
    board.begin(step.name)
    try:
        remark = step.action(lambda said: board.tell(step.name, said))
    except BaseException:
        board.end(step.name, time.monotonic() - began, "failed", failed=True)
        raise
    board.end(step.name, time.monotonic() - began, remark)
