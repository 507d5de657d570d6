"""One store's turn, in a process of its own: right answers first, then speed, size and freshness."""

from __future__ import annotations

import importlib
import itertools
import json
import shutil
import sys
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from tests.load.child_servers import end_when_told
from tests.load.gateway.latency import summary
from tests.load.stores.engine import AbsentError, Engine
from tests.load.stores.payments import (
    DAY_MS,
    Question,
    Reference,
    Transfer,
    make_questions,
    make_transfers,
)
from tests.load.stores.terms import ENGINES, Terms

PROBES = 20
SEEN_WITHIN_S = 60


def run(name: str, terms: Terms, folder: Path) -> dict[str, Any]:
    """The figures of one store."""
    module, _, kind = ENGINES[name].partition(":")
    transfers = make_transfers(terms.transfers, terms.seed, terms.end_ms, f"b{terms.seed}")
    questions = make_questions(transfers, terms.questions, terms.seed, terms.end_ms)
    reference = Reference(transfers)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    engine: Engine = getattr(importlib.import_module(module), kind)()
    before = _memory(psutil.Process().pid)
    try:
        engine.start(folder)
    except AbsentError as why:
        return {"absent": str(why)}
    try:
        return {
            "exact": engine.exactness,
            **_figures(engine, terms, transfers, questions, reference, before),
        }
    finally:
        engine.stop()
        shutil.rmtree(folder)


def _figures(
    engine: Engine,
    terms: Terms,
    transfers: Sequence[Transfer],
    questions: Sequence[Question],
    reference: Reference,
    before: int,
) -> dict[str, Any]:
    began_s = time.perf_counter()
    engine.load(transfers)
    loaded_s = time.perf_counter() - began_s
    able = [each for each in questions if engine.can_answer(each)]
    for question in able:
        found, right = engine.answer(question), reference.answer(question)
        assert found == right, f"{question}: {found} is not {right}"
    # At full load first: what is compiled as it runs is warm then.
    queries_per_s = _throughput(engine, able, terms)
    mine = psutil.Process().pid in engine.pids()
    memory = sum(map(_memory, engine.pids())) - (before if mine else 0)
    return {
        "answers_right": len(able),
        "cannot_answer": len(questions) - len(able),
        "load_s": round(loaded_s, 1),
        "top": summary(_timed(engine, [each for each in able if each.top])),
        "totals": summary(_timed(engine, [each for each in able if not each.top])),
        "queries_per_s": queries_per_s,
        "memory_mb": round(memory / 1e6),
        "disk_mb": round(engine.disk_bytes() / 1e6, 1),
        "freshness": summary(_freshness(engine, terms, transfers[0])),
    }


def _timed(engine: Engine, questions: Sequence[Question]) -> list[float]:
    """Milliseconds of each question, one at a time."""
    taken: list[float] = []
    for question in questions:
        began_s = time.perf_counter()
        engine.answer(question)
        taken.append((time.perf_counter() - began_s) * 1000)
    return taken


def _throughput(engine: Engine, questions: Sequence[Question], terms: Terms) -> float:
    """Queries a second of several threads."""
    counts = [0] * terms.threads
    end_s = time.perf_counter() + terms.seconds

    def ask(number: int) -> None:
        mine = questions[number :: terms.threads] or questions
        for question in itertools.cycle(mine):
            if time.perf_counter() > end_s:
                break
            engine.answer(question)
            counts[number] += 1

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(terms.threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return round(sum(counts) / terms.seconds, 1)


def _freshness(engine: Engine, terms: Terms, like: Transfer) -> list[float]:
    """Milliseconds from writing one transfer to its being in an answer."""
    account = f"b{terms.seed}-fresh-{uuid.uuid4()}"
    end_ms = terms.end_ms // DAY_MS * DAY_MS
    window = Question(account, end_ms - DAY_MS, end_ms, top=False, whole_days=True)
    taken: list[float] = []
    for number in range(PROBES):
        probe = replace(
            like,
            payee=account,
            transaction_id=str(uuid.uuid4()),
            time_ms=window.start_ms + number,
        )
        began_s = time.perf_counter()
        engine.add(probe)
        while True:
            rows = engine.answer(window)
            if rows and rows[0][1] == number + 1:
                break
            if time.perf_counter() > began_s + SEEN_WITHIN_S:
                raise TimeoutError(f"not seen after {SEEN_WITHIN_S} s")
        taken.append((time.perf_counter() - began_s) * 1000)
    return taken


def _memory(pid: int) -> int:
    """Memory of a process, shared pages by their share where the system tells."""
    try:
        info = psutil.Process(pid).memory_full_info()
    except psutil.NoSuchProcess:  # one that Postgres has sent to tidy up, and that is done
        return 0
    return int(getattr(info, "pss", info.rss))


if __name__ == "__main__":
    end_when_told()
    given = json.load(sys.stdin)
    json.dump(run(given["name"], Terms(**given["terms"]), Path(given["folder"])), sys.stdout)
