"""A worker knows all erasures before it judges, learns of new ones, and does not go on without hearing of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stream_jobs.events.erased_accounts import ErasedAccounts, tag_of
from stream_jobs.job.check import REFUSALS, check
from stream_jobs.job.erasures import UNHEARD_S, Erasures, FollowedErasures, UnheardError
from stream_jobs.job.settings import JobSettings
from stream_jobs.secret_files import AccessError
from stream_jobs.topics.kafka_offsets import KafkaOffsetsError
from stream_jobs.topics.offsets import Offsets
from tests.audit_tiers import ERASURES, MemoryKafka

KEY = b"k" * 32


class Kafka(MemoryKafka):
    """It may be away."""

    away = False

    def ends(self, topic: str) -> Offsets:
        if self.away:
            raise KafkaOffsetsError("away")
        return super().ends(topic)

    stable_ends = ends

    def erase(self, account: str, **more: str) -> None:
        told = {"pseudonym": f"erased-{account}", "tag": tag_of(KEY, account), **more}
        self.append(ERASURES, 0, 1, json.dumps(told).encode())


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_it_knows_what_was_there_and_what_comes() -> None:
    kafka = Kafka()
    kafka.erase("ann")
    following = FollowedErasures(Erasures(kafka, ERASURES, KEY))
    assert following.names(("ann", "bob")) == {"ann": "erased-ann"}
    kafka.erase("bob")
    kafka.erase("ann")
    following.look()
    assert following.names(("ann", "bob")) == {"ann": "erased-ann", "bob": "erased-bob"}
    following.close()


def test_without_kafka_it_does_not_begin() -> None:
    kafka = Kafka()
    kafka.away = True
    with pytest.raises(KafkaOffsetsError):
        FollowedErasures(Erasures(kafka, ERASURES, KEY))


def test_what_it_has_not_heard_of_for_long_it_does_not_judge() -> None:
    kafka, clock = Kafka(), Clock()
    kafka.erase("ann")
    following = FollowedErasures(Erasures(kafka, ERASURES, KEY), clock)
    kafka.away = True
    clock.now_s = UNHEARD_S
    following.look()
    assert following.names(["ann"])
    clock.now_s += 1
    following.look()
    with pytest.raises(UnheardError):
        following.names(["ann"])
    kafka.away = False
    following.look()
    assert following.names(["ann"])
    following.close()


@pytest.mark.parametrize("setting", [ErasedAccounts.PSEUDONYMISED, ErasedAccounts.REFUSED])
def test_the_job_is_refused_without_a_key_that_can_be_read(
    setting: ErasedAccounts, tmp_path: Path
) -> None:
    short = tmp_path / "short"
    short.write_text("k" * 31)
    for key, why in ((None, "needs --erasure-key"), (short, "under 32")):
        settings = JobSettings(
            *("127.0.0.1:1", None, tmp_path, "", ""), erased_accounts=setting, erasure_key=key
        )
        with pytest.raises(AccessError, match=why):
            check(settings, None, None)
    assert AccessError in REFUSALS
