"""What Flink, Kafka and Pinot say of the running job, as numbers; one look at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from stream_jobs.json_http import JsonHttpError
from stream_jobs.progress.reject_flood import RejectFlood, Seen
from stream_jobs.topics.names import NAMES, Names
from stream_jobs.topics.offsets import Offsets

TRANSACTIONS = NAMES.transactions_topic


class Http(Protocol):
    """JSON over HTTP; json_http.JsonHttp."""

    def get(self, path: str) -> Any: ...

    def post(self, path: str, body: object) -> Any: ...


class OffsetsOfKafka(Protocol):
    """What is asked of Kafka; kafka_offsets.KafkaOffsets says what each answer means."""

    def ends(self, topic: str) -> Offsets: ...

    def stable_ends(self, topic: str) -> Offsets: ...

    def committed(self, topic: str) -> Offsets: ...


@dataclass(frozen=True, slots=True)
class JobLook:
    """The job as Flink's REST API shows it; None where there is nothing yet."""

    running: bool
    parallelism: int
    restarts: int | None
    checkpoint_age_s: float | None
    checkpoint_s: float | None
    state_bytes: int | None
    failed_checkpoints: int


@dataclass(frozen=True, slots=True)
class Look:
    """One look at all; `job` is None while Flink does not answer, `rejected` empty while Pinot does not."""

    job: JobLook | None
    raw_ends: Offsets
    finished: Offsets
    undecided: Mapping[str, int]  # topic: offsets between the last stable one and the end
    rejected: Mapping[str, int]
    reject_share: float
    reject_flood: bool


class JobWatch:
    """Looks at the parts; Kafka must answer, the others may be away."""

    def __init__(
        self, flink: Http, broker: Http, kafka: OffsetsOfKafka, names: Names = NAMES
    ) -> None:
        self._names = names
        self._flink = flink
        self._broker = broker
        self._kafka = kafka
        self._flood = RejectFlood()
        self.flood_changed = False

    def look(self, now_ms: int) -> Look:
        """Raises what Kafka's client raises."""
        finished = self._kafka.committed(self._names.transactions_topic)
        rejected = self._rejected()
        self.flood_changed = bool(rejected is not None) and self._flood.add(
            Seen(now_ms, sum(finished.values()), sum((rejected or {}).values()))
        )
        return Look(
            job=self._job(now_ms),
            raw_ends=self._kafka.stable_ends(self._names.transactions_topic),
            finished=finished,
            undecided={topic: self._undecided(topic) for topic in self._names.tables},
            rejected=rejected or {},
            reject_share=self._flood.share,
            reject_flood=self._flood.flooding,
        )

    def _undecided(self, topic: str) -> int:
        stable = self._kafka.stable_ends(topic)
        return sum(end - stable[p] for p, end in self._kafka.ends(topic).items())

    def _rejected(self) -> dict[str, int] | None:
        """Rejected events by reason; None if Pinot cannot say just now."""
        table = self._names.rejected_table
        sql = f"SELECT reason, COUNT(*) FROM {table} GROUP BY reason LIMIT 100"  # noqa: S608 # our own word
        try:
            answer = self._broker.post("/query/sql", {"sql": sql})
            if answer["exceptions"] or answer["numServersResponded"] != answer["numServersQueried"]:
                return None
            rows = answer.get("resultTable", {}).get("rows", [])
        except (JsonHttpError, KeyError, TypeError, AttributeError):
            return None
        return {str(reason): int(count) for reason, count in rows}

    def _job(self, now_ms: int) -> JobLook | None:
        try:
            jobs = self._flink.get("/jobs/overview")["jobs"]
            ours = [job for job in jobs if job["name"] == self._names.job]
            newest = max(ours, key=lambda job: job["start-time"], default=None)
            if newest is None:
                return JobLook(
                    running=False,
                    parallelism=0,
                    restarts=None,
                    checkpoint_age_s=None,
                    checkpoint_s=None,
                    state_bytes=None,
                    failed_checkpoints=0,
                )
            return self._details(newest["jid"], newest["state"] == "RUNNING", now_ms)
        except (JsonHttpError, KeyError, TypeError, ValueError):
            return None

    def _details(self, job: str, running: bool, now_ms: int) -> JobLook:
        metrics = self._flink.get(f"/jobs/{job}/metrics?get=numRestarts")
        restarts = next((int(each["value"]) for each in metrics), None)
        vertices = self._flink.get(f"/jobs/{job}")["vertices"]
        checkpoints = self._flink.get(f"/jobs/{job}/checkpoints")
        last = checkpoints["latest"]["completed"]
        return JobLook(
            running=running and all(each["status"] == "RUNNING" for each in vertices),
            parallelism=max((each["parallelism"] for each in vertices), default=0),
            restarts=restarts,
            checkpoint_age_s=(now_ms - last["latest_ack_timestamp"]) / 1000 if last else None,
            checkpoint_s=last["end_to_end_duration"] / 1000 if last else None,
            state_bytes=last["state_size"] if last else None,
            failed_checkpoints=checkpoints["counts"]["failed"],
        )
