"""A controller and a broker with many partitions, segments and replicas, which answer as Pinot's do and count calls."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from stream_jobs.topics.murmur2 import kafka_partition
from stream_jobs.topics.names import NAMES

CLUSTER = "payments"
_PATH = re.compile(
    r"/zk/(\w+)\?path=/payments/(\w+)/(?:SEGMENTS/)?(\w+?)_REALTIME(?:/(.+))?"
).fullmatch
_ACCOUNT = re.compile(r"account_id = '(.+)'").search


class BigPinot:
    """Each kafka partition of a table has `finished` segments of a thousand offsets, and one being filled."""

    def __init__(self, partitions: int, finished: int, replicas: int) -> None:
        self.servers = [f"Server_{number}" for number in range(replicas)]
        self.calls: Counter[str] = Counter()
        self.fields: dict[str, dict[str, dict[str, str]]] = {t: {} for t in NAMES.tables.values()}
        self.states: dict[str, dict[str, str]] = {}
        self.changed_at = 1
        self.ahead = 0
        self.partitions = {NAMES.entries_table: partitions, NAMES.rejected_table: 1}
        self.filling: dict[tuple[str, int], int] = {}
        for table, count in self.partitions.items():
            for partition in range(count):
                for sequence in range(finished if table == NAMES.entries_table else 0):
                    self._begin(table, partition, sequence)
                    self._end(table, partition, sequence)
                self._begin(table, partition, finished if table == NAMES.entries_table else 0)

    def end_segment(self, partition: int) -> None:
        table = NAMES.entries_table
        sequence = self.filling[table, partition]
        self._end(table, partition, sequence)
        self._begin(table, partition, sequence + 1)
        self.changed_at += 1

    def offset(self, table: str, partition: int) -> int:
        return self.filling[table, partition] * 1000 + self.ahead

    def get(self, path: str) -> Any:
        path = unquote(path)
        if path == "/cluster/info":
            return self._counted("cluster", {"clusterName": CLUSTER})
        if path.endswith("/consumingSegmentsInfo"):
            return self._counted("consuming", self._consuming(path.split("/")[2]))
        zookeeper = _PATH(path)
        if zookeeper is None:
            return self._counted("config", {"REALTIME": {"segmentsConfig": {}}})
        verb, kind, table, segment = zookeeper.groups()
        self.calls[f"{verb} {kind}"] += 1
        match verb, kind:
            case "stat", _:
                return {"mzxid": self.changed_at}
            case "getChildren", _:
                return [self._node(table, name) for name in self.fields[table]]
            case _, "PROPERTYSTORE":
                return self._node(table, segment)
        return {"mapFields": {name: self._of(name) for name in self.fields[table]}}

    def close(self) -> None:
        """Nothing is held."""

    def post(self, path: str, body: Any, parse_float: Callable[[str], object] = float) -> Any:
        self.calls[path] += 1
        table = NAMES.entries_table if NAMES.entries_table in body["sql"] else NAMES.rejected_table
        account = _ACCOUNT(body["sql"])
        partitions = range(self.partitions[table])
        if account is not None:
            partitions = range(at := kafka_partition(account[1], len(partitions)), at + 1)
        return {
            "totalDocs": sum(self.offset(table, partition) for partition in partitions),
            "numSegmentsQueried": sum(self.filling[table, p] + 1 for p in partitions),
            "numConsumingSegmentsQueried": len(partitions),
            "numServersQueried": 3,
            "numServersResponded": 3,
        }

    def _counted(self, call: str, answer: Any) -> Any:
        self.calls[call] += 1
        return answer

    def _begin(self, table: str, partition: int, sequence: int) -> None:
        self.filling[table, partition] = sequence
        fields = {"segment.realtime.startOffset": str(sequence * 1000)}
        if table == NAMES.entries_table:
            by = {"numPartitions": self.partitions[table], "partitions": [partition]}
            fields["segment.partition.metadata"] = json.dumps(
                {"columnPartitionMap": {"account_id": by}}
            )
        self.fields[table][_name(table, partition, sequence)] = fields
        self.states[_name(table, partition, sequence)] = dict.fromkeys(self.servers, "CONSUMING")

    def _end(self, table: str, partition: int, sequence: int) -> None:
        name = _name(table, partition, sequence)
        self.fields[table][name]["segment.realtime.endOffset"] = str(sequence * 1000 + 1000)
        self.states[name] = dict.fromkeys(self.servers, "ONLINE")

    def _of(self, name: str) -> dict[str, str]:
        return self.states[name]

    def _node(self, table: str, name: str) -> dict[str, Any]:
        return {"id": name, "simpleFields": self.fields[table][name]}

    def _consuming(self, table: str) -> dict[str, Any]:
        return {
            "_segmentToConsumingInfoMap": {
                _name(table, partition, sequence): [
                    {
                        "serverName": server,
                        "partitionToOffsetMap": {
                            str(partition): str(self.offset(table, partition))
                        },
                    }
                    for server in self.servers
                ]
                for (of, partition), sequence in self.filling.items()
                if of == table
            }
        }


def _name(table: str, partition: int, sequence: int) -> str:
    return f"{table}__{partition}__{sequence}__20260101T0000Z"
