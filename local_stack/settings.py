"""Where the local stack keeps its files and listens, and what its parts are told of it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from local_stack.several import (
    CLUSTER_LEASE_S,
    CLUSTER_PARTITIONS,
    INSTANCES,
    PORT_STEP,
    PORTS_OF,
    PROFILES,
    SEVERAL_PORTS,
)

# The gateway and Pinot must agree on it, or a ranking that Pinot cut short would be called exact.
GROUP_TRIM_THRESHOLD = 5_000_000
PINOT_CLUSTER = "payments"
FLINK_CLUSTER = "payments"
CHECKOUT = Path(__file__).resolve().parent.parent


def port(default: int, meaning: str) -> int:
    """A TCP port on loopback, as a dataclass field."""
    described: int = field(default=default, metadata={"meaning": meaning})
    return described


def variable(name: str) -> str:
    """The environment variable of a setting: `kafka_port` → `STACK_KAFKA_PORT`."""
    return f"STACK_{name.upper()}"


@dataclass(frozen=True, slots=True)
class StackSettings:
    """Ports and folders of one stack. Everything listens on `host`, which is always loopback."""

    state: Path = CHECKOUT / ".local"
    downloads: Path = CHECKOUT / ".local"
    host: str = "127.0.0.1"
    gateway_port: int = port(8000, "the live page, GraphQL, GraphiQL, health, metrics")
    kafka_port: int = port(19092, "Kafka clients")
    kafka_mtls_port: int = port(19094, "Kafka clients that log in by certificate, with `--secure`")
    kafka_controller_port: int = port(19093, "Kafka's own controller quorum")
    zookeeper_port: int = port(12181, "ZooKeeper")
    pinot_controller_port: int = port(19000, "Pinot controller: tables, segments, console")
    pinot_broker_port: int = port(18099, "Pinot broker: SQL")
    pinot_server_port: int = port(18098, "Pinot server, for its broker")
    pinot_server_admin_port: int = port(18097, "Pinot server's health and admin API")
    flink_rest_port: int = port(18081, "Flink's web UI and REST API")
    flink_rpc_port: int = port(16123, "Flink job manager, for its task manager")
    flink_blob_port: int = port(16124, "Flink's blob server")
    metrics_port: int = port(16125, "the job's metrics, for Prometheus")
    # Fixed by topics and tests alike: only a test of longer outages has a reason to lower it.
    job_transaction_timeout_s: int = 14 * 86_400
    # How long Kafka remembers a transactional id that nobody uses; the same, and Kafka's largest is 24.8 days.
    transactional_id_expiration_s: int = 24 * 86_400
    # The one that events may name; empty: none may.
    currency: str = ""
    # What becomes of events that name an account after its erasure.
    erased_accounts: str = "kept"
    # Of tracker and audit, so that others may stand by; 0: each is the only one.
    lease_s: int = 0
    audit_port: int = port(18100, "The audit's metrics and health")
    prometheus_port: int = port(19090, "Prometheus, with `./dev up --observe`")
    # Not from the environment: what `./dev up --secure` has made stays so.
    secure: bool = False
    # Nor this: what `./dev up --cluster` has made has several of each part.
    cluster: bool = False
    # None: the fetched one.
    pinot_home: Path | None = None
    # Which of several of a part these settings are for.
    instance: int = 1

    @property
    def event_arguments(self) -> list[str]:
        """What all who judge events are told of them."""
        return ["--currency", self.currency] if self.currency else []

    @property
    def erasure_key(self) -> Path:
        return self.data / "erasure.key"

    @property
    def erasure_arguments(self) -> list[str]:
        """What the job is told where events of erased accounts are not kept."""
        if self.erased_accounts == "kept":
            return []
        return ["--erased-accounts", self.erased_accounts, *self.erasure_key_arguments]

    @property
    def erasure_key_arguments(self) -> list[str]:
        """What those are told who compare outcomes with events; kept ones may have been told otherwise before."""
        needed = self.erased_accounts != "kept" or self.erasure_key.is_file()
        return ["--erasure-key", str(self.erasure_key)] if needed else []

    @property
    def lease_arguments(self) -> list[str]:
        """What tracker and audit are told where each is one of several."""
        lease_s = self.lease_s or (CLUSTER_LEASE_S if self.cluster else 0)
        return ["--lease", str(lease_s)] if lease_s else []

    @property
    def jars(self) -> Path:
        return self.downloads / "jars"

    @property
    def graphiql(self) -> Path:
        return self.downloads / "graphiql"

    @property
    def uplot(self) -> Path:
        return self.downloads / "uplot"

    @property
    def data(self) -> Path:
        return self.state / "data"

    def temporary(self, part: str) -> Path:
        """What a part leaves while it runs, or when it is killed; emptied before it starts with its stack."""
        return self.data / "tmp" / part

    @property
    def archive(self) -> Path:
        return self.data / "archive"

    @property
    def logs(self) -> Path:
        return self.state / "log"

    @property
    def rendered(self) -> Path:
        return self.state / "conf"

    @property
    def run_file(self) -> Path:
        return self.state / "run" / "stack.json"

    def instances(self, kind: str) -> list[StackSettings]:
        """The settings of each of a part: one of everything, or with `--cluster` several of most."""
        count = INSTANCES.get(kind, 1) if self.cluster else 1
        return [self.of_instance(number) for number in range(1, count + 1)]

    def of_instance(self, number: int) -> StackSettings:
        """With the ports of the `number`-th of each part, on which that one listens."""
        further = PORT_STEP * (number - self.instance)
        moved = {name: getattr(self, name) + further for name in SEVERAL_PORTS}
        return replace(self, instance=number, **moved)

    def part_name(self, kind: str) -> str:
        """What this one of several is called: `kafka`, `kafka_2`, `kafka_3`."""
        return f"{kind}_{self.instance}" if self.instance > 1 else kind

    @property
    def folder_suffix(self) -> str:
        """Of what each of several keeps to itself: nothing, `-2`, `-3`."""
        return f"-{self.instance}" if self.instance > 1 else ""

    @property
    def kafka_servers(self) -> str:
        return ",".join(f"{each.host}:{each.kafka_port}" for each in self._nodes)

    @property
    def kafka_mtls_servers(self) -> str:
        return ",".join(f"{each.host}:{each.kafka_mtls_port}" for each in self._nodes)

    @property
    def _nodes(self) -> list[StackSettings]:
        return self.instances("kafka")

    @property
    def profiles(self) -> list[str]:
        """Whose files in `local_stack/conf/` are laid over those of one stack in clear text."""
        return [name for name in PROFILES if getattr(self, name)]

    @property
    def environment(self) -> str:
        """Whose values of the topics' files are taken."""
        return "cluster" if self.cluster else "local"

    @property
    def table_values(self) -> dict[str, str]:
        """What Pinot's tables are told beyond their defaults."""
        if not self.cluster:
            return {}
        return {
            "REPLICATION": str(INSTANCES["pinot_server"]),
            "ACCOUNT_ENTRIES_PARTITIONS": str(CLUSTER_PARTITIONS),
            # All of an answer from one replica, so that it holds what that one has read, and no mixture.
            "INSTANCE_SELECTOR": "strictReplicaGroup",
        }

    @property
    def cluster_mark(self) -> Path:
        """There once `./dev up --cluster` has made the data, so that every command knows its parts."""
        return self.data / "cluster"

    @property
    def secure_mark(self) -> Path:
        """There once `./dev up --secure` has made the data, so that every command knows how to log in."""
        return self.data / "secured"

    @property
    def _pinot_scheme(self) -> str:
        return "https" if self.secure else "http"

    @property
    def zookeeper(self) -> str:
        return f"{self.host}:{self.zookeeper_port}"

    @property
    def gateway_url(self) -> str:
        return f"http://{self.host}:{self.gateway_port}"

    @property
    def pinot_controller_url(self) -> str:
        return f"{self._pinot_scheme}://{self.host}:{self.pinot_controller_port}"

    @property
    def pinot_broker_url(self) -> str:
        return f"{self._pinot_scheme}://{self.host}:{self.pinot_broker_port}"

    @property
    def pinot_controller_urls(self) -> str:
        """All of them, the first one first, for whoever goes to the next if one does not answer."""
        return ",".join(each.pinot_controller_url for each in self.instances("pinot_controller"))

    @property
    def pinot_broker_urls(self) -> str:
        """As the controllers'."""
        return ",".join(each.pinot_broker_url for each in self.instances("pinot_broker"))

    @property
    def pinot_server_admin_url(self) -> str:
        return f"{self._pinot_scheme}://{self.host}:{self.pinot_server_admin_port}"

    @property
    def flink_url(self) -> str:
        return f"http://{self.host}:{self.flink_rest_port}"

    @property
    def audit_url(self) -> str:
        return f"http://{self.host}:{self.audit_port}"

    @property
    def prometheus_url(self) -> str:
        return f"http://{self.host}:{self.prometheus_port}"

    @property
    def audit_state(self) -> Path:
        return self.data / f"audit{self.folder_suffix}" / "audit.sqlite3"

    def ports(self) -> dict[str, int]:
        """Every port by what sets it: `{"STACK_KAFKA_PORT": 19092, "STACK_KAFKA_PORT + 100": 19192, …}`."""
        first = {
            variable(f.name): getattr(self, f.name)
            for f in fields(self)
            if f.name.endswith("_port")
        }
        further = {
            f"{variable(name)} + {PORT_STEP * (each.instance - 1)}": getattr(each, name)
            for kind, names in PORTS_OF.items()
            for each in self.instances(kind)[1:]
            for name in names
        }
        return {**first, **further}

    def placeholders(self) -> dict[str, str]:
        """What the templates in `local_stack/conf/` may name."""
        values = {f.name: str(getattr(self, f.name)) for f in fields(self)}
        return {
            **values,
            "data": str(self.data),
            "flink_temporary": str(self.temporary("flink")),
            "folder_suffix": self.folder_suffix,
            "kafka_voters": ",".join(
                f"{each.instance}@{each.host}:{each.kafka_controller_port}" for each in self._nodes
            ),
            "kafka_replication": str(len(self._nodes)),
            # With one of three away, what was acknowledged is on two still.
            "kafka_least_in_sync": str(min(2, len(self._nodes))),
            "transactional_id_expiration_ms": str(1000 * self.transactional_id_expiration_s),
            # Kafka's own hour, or sooner where ids live for less.
            "transactional_id_cleanup_ms": str(
                min(3_600_000, 100 * self.transactional_id_expiration_s)
            ),
            "pinot_cluster": PINOT_CLUSTER,
            "group_trim_threshold": str(GROUP_TRIM_THRESHOLD),
            "flink_cluster": FLINK_CLUSTER,
        }
