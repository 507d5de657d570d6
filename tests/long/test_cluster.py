"""Several of each part, one after the other killed, paused, emptied and rolled under load: late at worst, never wrong.

By name only, since it takes a while: `./dev test tests/long/test_cluster.py -s` prints the table of docs/cluster.md, once
in clear text and once secured; `-k clear` and `-k secured` choose one.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from functools import partial

import httpx
import pytest
from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import NewPartitions  # type: ignore[attr-defined] # re-exported

from local_stack import secure
from pinot_config.controller import HttpController
from stream_jobs.http_access import pinot_access
from stream_jobs.topics import clients
from tests.integration.running_stack import CHECKOUT, OperationError, now_ms, parse_ms, wait_until
from tests.long.cluster import OWN_PORTS, Asking, Cluster, load

MORE_PARTITIONS = 8
PAUSE_S = 20.0
"""Longer than ZooKeeper keeps a session: the others have gone on without whom wakes up."""
KILLED = (
    "kafka",
    "flink_taskmanager",
    "pinot_server",
    "pinot_broker",
    "pinot_controller",
    "gateway",
    "progress",
    "audit",
)
PAUSED = tuple(f"{kind}_2" for kind in KILLED)
ROLLED = (
    *("kafka", "kafka_2", "kafka_3", "pinot_controller", "pinot_controller_2"),
    *("pinot_server", "pinot_server_2", "pinot_broker", "pinot_broker_2"),
    *("flink_taskmanager", "flink_taskmanager_2", "gateway", "gateway_2"),
    *("progress", "progress_2", "audit", "audit_2"),
)
STATE = "{ pipeline { audit { state comparedThrough openMismatches { kind } } } }"


@pytest.fixture(scope="module", params=[(), ("--secure",)], ids=["clear", "secured"])
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    ports = {name: str(port) for name, port in OWN_PORTS.items()}
    running = Cluster(CHECKOUT / ".local" / "cluster-test-stack", settings=ports)
    running.dev("down")
    running.up("--fresh", "--cluster", *request.param)
    yield running
    said = running.dev("down")
    assert said.returncode == 0, said.stdout


def ended(stack: Cluster, name: str, number: signal.Signals, *, empty: bool = False) -> None:
    """End a part and wait until it runs again; `empty`: without what it kept."""
    before = stack.part(name)
    os.kill(before.process.pid, number)
    if empty:
        for folder in ("server", "server-tar"):
            shutil.rmtree(stack.local.data / "pinot" / f"{folder}-2")
    stack.wait_restarted(name, before.restarts)


def finished(stack: Cluster) -> None:
    """Have all segments that are being filled committed, and new ones begun by both servers."""
    second = stack.local.pinot_controller_urls.split(",")[1]
    access = pinot_access(secure.pinot_environment(stack.local, "admin"))
    HttpController(second, timeout_s=60, access=access).finish_segments("account_entries")


def paused(stack: Cluster, name: str) -> None:
    """Let a part stand still for longer than it is missed, and go on as if nothing had been."""
    pid = stack.part(name).process.pid
    os.kill(pid, signal.SIGSTOP)
    threading.Event().wait(PAUSE_S)
    os.kill(pid, signal.SIGCONT)


def more_partitions(stack: Cluster) -> None:
    """Give `transactions` partitions that it did not have, and wait until events are in the last of them."""
    access = secure.kafka_environment(stack.local, "admin")
    servers = secure.kafka_servers(stack.local, "admin")
    admin = clients.admin(servers, access)
    topic = TopicPartition("transactions", 0)
    before = len(admin.list_topics("transactions", timeout=30).topics["transactions"].partitions)
    topic.partition = before + MORE_PARTITIONS - 1
    asked = admin.create_partitions([NewPartitions("transactions", topic.partition + 1)])
    asked["transactions"].result(timeout=60)

    looking = clients.consumer(servers, {"group.id": "looking"}, access)

    def is_written_to() -> bool:
        try:
            _, end = looking.get_watermark_offsets(topic, timeout=10)
        except KafkaException:  # no leader yet
            return False
        return end > 0

    wait_until(is_written_to, 120, "nothing is written to the new partitions")
    looking.close()


@pytest.mark.timeout(7_200)
def test_whatever_is_taken_from_it_it_answers_late_at_worst(cluster: Cluster) -> None:
    print("\n| what | for | fresh again after | longest without an answer, by gateway | refused |")
    print("|---|---|---|---|---|")
    with load(cluster, "cluster") as running:
        for name in KILLED:
            running.under(f"`kill -9` of {name}", partial(ended, cluster, name, signal.SIGKILL))
        for name in PAUSED:
            running.under(f"`SIGSTOP` of {name}", partial(paused, cluster, name))
        running.under("all segments finished", partial(finished, cluster))
        running.under(
            "pinot_server_2 comes back empty",
            partial(ended, cluster, "pinot_server_2", signal.SIGKILL, empty=True),
        )
        running.under("partitions added to transactions", partial(more_partitions, cluster))
        for name in ROLLED:
            running.under(f"{name} rolled", partial(ended, cluster, name, signal.SIGTERM))
    green(cluster)
    for each in running.asking:
        wait_until(partial(whole, each), 60, "an answer stays older than what was sent")
        assert not each.wrong, each.wrong[:5]
    verified = cluster.dev("verify", "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert json.loads(verified.stdout)["exact"] is True


def whole(asking: Asking) -> bool:
    """Whether a gateway answers, of each receiver and of all, with all that was sent; judged as any answer."""
    done_ms = asking.flow.acknowledged_ms[-1]
    for key in (*asking.flow.receivers, ""):
        asking.once(key)
    return min(asking.as_of_ms.values()) >= done_ms


def green(stack: Cluster) -> None:
    """Wait until the audit has compared all of it, and finds nothing."""
    began_ms = now_ms()

    def is_green() -> bool:
        try:
            audit = stack.ask(STATE)["pipeline"]["audit"]
        except (OperationError, httpx.HTTPError):
            return False
        return (
            audit["state"] == "CONSISTENT"
            and audit["openMismatches"] == []
            and audit["comparedThrough"] is not None
            and parse_ms(audit["comparedThrough"]) > began_ms
        )

    wait_until(is_green, 300, "the audit is not green")
