"""What an erasure asks of a Pinot cluster by its controller, beside the segments' files."""

from __future__ import annotations

from stream_jobs.json_http import JsonHttp
from stream_jobs.progress.pinot_served import HttpPinotServed
from stream_jobs.progress.segments import TableSegments


class Cluster:
    """The tables of one cluster."""

    def __init__(self, controller: JsonHttp, served: HttpPinotServed) -> None:
        self._controller = controller
        self._served = served

    def segments(self, table: str) -> TableSegments:
        """All that are served."""
        return self._served.segments(table)

    def replicas(self, table: str) -> int:
        """How many servers have each segment."""
        config = self._controller.get(f"/tables/{table}")["REALTIME"]["segmentsConfig"]
        return int(config["replication"])

    def commit(self, table: str) -> None:
        """Have the segments that are being filled finished, and others begun."""
        self._controller.send("POST", f"/tables/{table}/forceCommit")
