"""What ZooKeeper holds: whether Pinot's cluster is made, and what of processes and jobs that are gone is to be dropped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from kazoo.client import KazooClient
from kazoo.exceptions import NoNodeError

from local_stack.settings import FLINK_CLUSTER, PINOT_CLUSTER

CONNECT_LIMIT_S = 15
POLL_S = 0.1


def wait_for_pinot(zookeeper: str, in_vain: Callable[[float], bool], limit_s: float) -> bool:
    """Wait until Pinot's cluster is whole; whether it was in time.

    `in_vain` waits for so many seconds, or less, and tells whether there is nothing more to wait for.

    Its first controller makes it piece by piece, and leads it then. A broker or server that connects
    before it is whole ends.
    """
    until_s = time.monotonic() + limit_s
    with _connected(zookeeper) as client:
        while client.exists(f"/{PINOT_CLUSTER}/CONTROLLER/LEADER") is None:
            if in_vain(POLL_S) or time.monotonic() > until_s:
                return False
    return True


def forget_instance(zookeeper: str, instance: str) -> None:
    """Remove the live mark of `instance`, so that its successor need not wait for a session to end.

    Only for an instance whose process has been seen dead: its ephemeral node stays until ZooKeeper
    gives up the session, and Helix refuses a second participant of the same name until then.
    """
    with _connected(zookeeper) as client, suppress(NoNodeError):
        client.delete(f"/{PINOT_CLUSTER}/LIVEINSTANCES/{instance}")


def forget_flink(zookeeper: str) -> None:
    """Remove all that Flink keeps for its high availability; only while no Flink process lives."""
    with _connected(zookeeper) as client, suppress(NoNodeError):
        client.delete("/flink", recursive=True)


def remembered_jobs(zookeeper: str) -> list[str]:
    """The ids of the jobs that Flink would recover, whether it has got round to it or not."""
    with _connected(zookeeper) as client:
        try:
            jobs: list[str] = client.get_children(f"/flink/{FLINK_CLUSTER}/execution-plans")
        except NoNodeError:
            return []
        return jobs


@contextmanager
def _connected(zookeeper: str) -> Iterator[KazooClient]:
    client = KazooClient(hosts=zookeeper, timeout=CONNECT_LIMIT_S)
    client.start(timeout=CONNECT_LIMIT_S)
    try:
        yield client
    finally:
        client.stop()
        client.close()
