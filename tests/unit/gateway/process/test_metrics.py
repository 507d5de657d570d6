"""What is counted cheaply is what the library would have counted, in one process and in several."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, values

from gateway.process import worker_metrics
from gateway.process.metrics import BUCKETS_S, Metrics
from tests.metric_samples import parsed, samples

SECONDS = st.one_of(st.sampled_from(BUCKETS_S), st.floats(0, 20))
OPERATIONS = "gateway_graphql_operations_total"
OK = f'{OPERATIONS}{{operation="other",outcome="ok"}}'
TIMES = 'gateway_graphql_operation_duration_seconds_count{outcome="ok"}'


def told(metrics: Metrics) -> dict[str, float]:
    return parsed(metrics.text().decode())


@given(st.lists(st.tuples(st.sampled_from(["ok", "error"]), st.one_of(st.none(), SECONDS))))
def test_durations_are_those_that_the_librarys_histogram_takes_one_by_one(
    observed: list[tuple[str, float | None]],
) -> None:
    metrics, registry = Metrics(), CollectorRegistry()
    name = "gateway_graphql_operation_duration_seconds"
    reference = Histogram(name, "", ["outcome"], registry=registry, buckets=BUCKETS_S)
    for outcome, seconds in observed:
        if seconds is None:
            metrics.tell()
        else:
            metrics.operation_seconds.observe(outcome, seconds)
            reference.labels(outcome).observe(seconds)
    own = {key: value for key, value in told(metrics).items() if key.startswith(name)}
    assert own == pytest.approx(samples(registry))


def test_what_was_told_is_not_told_again() -> None:
    metrics = Metrics()
    metrics.operations.add("other", "ok")
    metrics.points.add(amount=7)
    assert (told(metrics)[OK], told(metrics)["gateway_cost_points_total"]) == (1, 7)
    metrics.points.add(amount=5)
    assert (told(metrics)[OK], told(metrics)["gateway_cost_points_total"]) == (1, 12)


def test_a_gauge_shows_what_is_so_now() -> None:
    metrics, kept = Metrics(), ["an answer"]
    metrics.watch(metrics.cache_answers, lambda: len(kept))
    assert told(metrics)["gateway_cache_answers"] == 1
    kept.clear()
    assert told(metrics)["gateway_cache_answers"] == 0


class Workers:
    """Processes that share a folder, all of them in this one."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)
        self.living: dict[str, Metrics] = {}

    def start(self, name: str) -> None:
        metrics = Metrics(worker_metrics.join(self.folder, name))
        metrics.watch(metrics.cache_answers, lambda: 1)
        self.living[name] = metrics

    def end(self, name: str) -> None:
        self.living.pop(name).tell()
        worker_metrics.left(self.folder, name)


@pytest.fixture
def workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workers]:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    monkeypatch.setattr(values, "ValueClass", values.ValueClass)
    yield Workers(tmp_path)
    values.close_all_multiprocess_files()


def test_counters_go_on_and_gauges_are_of_the_living_when_workers_are_replaced(
    workers: Workers,
) -> None:
    counted = 0.0
    for round_ in range(6):
        new, old = ("0a", "0b") if round_ % 2 == 0 else ("0b", "0a")
        workers.start(new)
        for name, metrics in workers.living.items():  # the old one works till the new one answers
            for _ in range(len(name) + round_):
                metrics.operations.add("other", "ok")
                metrics.operation_seconds.observe("ok", 0.2)
                counted += 1
            metrics.tell()
        pages = [told(metrics) for metrics in workers.living.values()]
        assert all(page[OK] == page[TIMES] == counted for page in pages)
        assert all(page["gateway_cache_answers"] == len(workers.living) for page in pages)
        if old in workers.living:
            workers.end(old)
        (page,) = [told(metrics) for metrics in workers.living.values()]
        assert (page[OK], page["gateway_cache_answers"]) == (counted, 1)
    assert len(list(Path(workers.folder).glob("counter_*"))) == 2


def test_a_worker_that_is_killed_takes_nothing_with_it_that_was_told(workers: Workers) -> None:
    workers.start("0a")
    workers.start("1a")
    killed = workers.living.pop("0a")
    killed.operations.add("other", "ok")
    killed.tell()
    killed.operations.add("other", "ok")  # within the second in which it is killed
    worker_metrics.left(workers.folder, "0a")
    page = told(workers.living["1a"])
    assert (page[OK], page["gateway_cache_answers"]) == (1, 1)
