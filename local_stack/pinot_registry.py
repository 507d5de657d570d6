"""Dropping what ZooKeeper still holds of a Pinot process that is known to be dead."""

from __future__ import annotations

from kazoo.client import KazooClient
from kazoo.exceptions import NoNodeError

CLUSTER = "payments"
CONNECT_LIMIT_S = 15


def forget_instance(zookeeper: str, instance: str) -> None:
    """Remove the live mark of `instance`, so that its successor need not wait for a session to end.

    Only for an instance whose process has been seen dead: its ephemeral node stays until ZooKeeper
    gives up the session, and Helix refuses a second participant of the same name until then.
    """
    client = KazooClient(hosts=zookeeper, timeout=CONNECT_LIMIT_S)
    client.start(timeout=CONNECT_LIMIT_S)
    try:
        client.delete(f"/{CLUSTER}/LIVEINSTANCES/{instance}")
    except NoNodeError:
        pass
    finally:
        client.stop()
        client.close()
