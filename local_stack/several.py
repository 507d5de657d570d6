"""What there are several of with `./dev up --cluster`, and which ports each has."""

from __future__ import annotations

from typing import Final

# What `up` makes data with; every later command knows it by a mark among them.
PROFILES: Final = ("secure", "cluster")
# Of each part, with `--cluster`.
INSTANCES: Final = {
    "kafka": 3,
    "flink_taskmanager": 2,
    "pinot_controller": 2,
    "pinot_broker": 2,
    "pinot_server": 2,
    "gateway": 2,
    "progress": 2,
    "audit": 2,
}
# As topics/account-entries.yaml says for `cluster`; a test holds it to that.
CLUSTER_PARTITIONS: Final = 16
# Of several trackers and audits one each works, by a lease that Kafka gives anew after so long without a sign of life.
CLUSTER_LEASE_S: Final = 10
# The ports of which each of these parts has its own: the second's is so much above the first's.
PORT_STEP: Final = 100
PORTS_OF: Final = {
    "kafka": ("kafka_port", "kafka_mtls_port", "kafka_controller_port"),
    "pinot_controller": ("pinot_controller_port",),
    "pinot_broker": ("pinot_broker_port",),
    "pinot_server": ("pinot_server_port", "pinot_server_admin_port"),
    "gateway": ("gateway_port",),
    "progress": ("metrics_port",),
    "audit": ("audit_port",),
}
SEVERAL_PORTS: Final = tuple(name for names in PORTS_OF.values() for name in names)
