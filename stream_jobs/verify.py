"""Recounts the raw topic independently and compares with what GraphQL answers: exact, or the differences.

Traffic may flow meanwhile. What is compared by account ends at a fixed instant before the recount began; the
whole-system counters are compared with the topic's ends before and after they were asked. A record that
arrives late with an old timestamp would still disturb: so whatever differs is recounted and asked again.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Protocol

from stream_jobs.job_settings import CONSUMER_GROUP
from stream_jobs.json_http import JsonHttpError
from stream_jobs.kafka_offsets import KafkaOffsets, KafkaOffsetsError
from stream_jobs.offsets import Offsets
from stream_jobs.recount import Recount, Transfer, unscaled
from stream_jobs.reference_answers import DIRECTIONS, Window
from stream_jobs.topic_reader import Record, read
from stream_jobs.verify_answers import Gateway, GraphQLError, http_ask
from stream_jobs.verify_compare import account_differences, expected_answer
from stream_jobs.verify_report import Report
from stream_jobs.verify_settle import settle, undecided

TRANSACTIONS = "transactions"
ENTRIES = "account-entries"
BUSIEST = 20
ROUNDS = 3
# Producers hold records back for moments; a record is rarely later than this after its timestamp.
SETTLED_MS = 3_000
DAY_MS = 86_400_000


class VerifyError(Exception):
    """It could not be compared: something is not there, or does not get as far."""


class Topics(Protocol):
    """What a recount reads: topic_reader.read and KafkaOffsets.stable_ends say what each means."""

    def stable_ends(self, topic: str) -> Offsets: ...

    def read(self, topic: str, starts: Offsets, ends: Offsets) -> Iterable[Record]: ...


class Verification:
    """One run; `say` takes lines on how far it is."""

    def __init__(
        self, topics: Topics, gateway: Gateway, say: Callable[[str], None], timeout_s: float
    ) -> None:
        self._topics = topics
        self._gateway = gateway
        self._say = say
        self._timeout_s = timeout_s
        self._recount = Recount()
        self._read_to: Offsets = {}
        self._settled: set[bytes] = set()
        self._looked_for: set[bytes] = set()
        self._looked_to: Offsets = {}
        self._report = Report()

    def run(self, random_accounts: int, seed: int) -> Report:
        """Raises VerifyError, GraphQLError, KafkaOffsetsError or JsonHttpError if it cannot be compared."""
        started_s = time.monotonic()
        end_ms = now_ms() - SETTLED_MS
        asked_ms = self._catch_up()
        windows = self._windows(end_ms)
        names = self._recount.busiest()
        some = random.Random(seed).sample(names, min(random_accounts, len(names)))  # noqa: S311
        pending = list(dict.fromkeys([*names[:BUSIEST], *some, "nobody-has-heard-of-this-account"]))
        self._report.accounts = len(pending)
        differences: Mapping[str, list[str]] = {}
        for round_ in range(ROUNDS):
            if round_:
                self._say(f"{len(pending)} differ: recounting what came meanwhile")
                asked_ms = self._catch_up()
            differences = self._compare_accounts(pending, windows, asked_ms)
            pending = list(differences)
            if not pending:
                break
        network = self._compare_network(windows, asked_ms)
        counters = self._compare_counters()
        self._report.differences = [
            *counters,
            *network,
            *(f"{name!r}: {line}" for name, lines in differences.items() for line in lines),
        ]
        self._fill_report(time.monotonic() - started_s)
        return self._report

    def _catch_up(self) -> int:
        """Recounts up to the topic's present ends, and waits until GraphQL is past this instant."""
        ends = self._topics.stable_ends(TRANSACTIONS)
        asked_ms = now_ms()
        self._recount_to(ends)
        self._await_as_of(asked_ms)
        self._settle_ambiguous()
        return asked_ms

    def _recount_to(self, ends: Offsets) -> None:
        starts = self._read_to or dict.fromkeys(ends, 0)
        told_s = time.monotonic()
        for record in self._topics.read(TRANSACTIONS, starts, ends):
            self._recount.add(record.partition, record.time_ms, record.value)
            if self._recount.records % 10_000 == 0 and time.monotonic() - told_s > 2:
                told_s = time.monotonic()
                self._say(f"{self._recount.records:,} of {sum(ends.values()):,} events recounted")
        self._read_to = ends

    def _await_as_of(self, instant_ms: int) -> None:
        started_s = told_s = time.monotonic()
        while (as_of_ms := self._gateway.pipeline().as_of_ms) <= instant_ms:
            behind = f"GraphQL is {(now_ms() - as_of_ms) / 1000:.1f} s behind"
            if time.monotonic() - started_s > self._timeout_s:
                raise VerifyError(f"{behind}, after waiting for {self._timeout_s:.0f} s")
            if time.monotonic() - told_s > 2:
                told_s = time.monotonic()
                self._say(f"waiting: {behind}")
            time.sleep(0.1)

    def _settle_ambiguous(self) -> None:
        """Reads from the entries which occurrence counted, where the raw topic does not say.

        All of them for ids that are new; for others only what was not read before.
        """
        open_ = undecided(self._recount, self._settled)
        self._report.ambiguous = len(self._settled | open_)
        if not open_:
            return
        self._say(f"{len(open_):,} ids have no defined first occurrence: reading the entries")
        ends = self._topics.stable_ends(ENTRIES)
        seen = self._looked_to if open_ <= self._looked_for else dict.fromkeys(ends, 0)
        self._looked_for, self._looked_to = open_, ends
        entries = self._topics.read(ENTRIES, seen, ends)
        self._settled |= settle(self._recount, entries, open_)

    def _windows(self, end_ms: int) -> tuple[Window, ...]:
        """All up to the end, as far back as GraphQL answers, and the middle half of it."""
        longest_ms = self._gateway.pipeline().max_window_days * DAY_MS
        times = [t for t in self._recount.times_ms() if end_ms - longest_ms <= t < end_ms]
        if not times:
            return (Window(end_ms - DAY_MS, end_ms),)
        middle = Window(times[len(times) // 4], times[len(times) * 3 // 4] + 1)
        return (Window(times[0], end_ms), middle)

    def _compare_accounts(
        self, names: Sequence[str], windows: Sequence[Window], newer_than_ms: int
    ) -> dict[str, list[str]]:
        transfers: dict[str, list[Transfer]] = {name: [] for name in names}
        for transfer in self._recount.of_accounts(names):
            for name in {transfer.from_account_id, transfer.to_account_id} & transfers.keys():
                transfers[name].append(transfer)
        differences: dict[str, list[str]] = {}
        for name in names:
            lines = []
            for window in windows:
                answer = self._gateway.account(name, window, newer_than_ms)
                lines += account_differences(expected_answer(transfers[name], name, window), answer)
                self._report.comparisons += len(answer.totals) + len(answer.rankings)
            if lines:
                differences[name] = lines
        return differences

    def _compare_network(self, windows: Sequence[Window], newer_than_ms: int) -> list[str]:
        lines = []
        for window in windows:
            expected = self._network_totals(window)
            answer = self._gateway.network(window, newer_than_ms)
            if any(answer[direction] != expected for direction in DIRECTIONS):
                newer_than_ms = self._catch_up()  # something came late, or it is wrong
                expected = self._network_totals(window)
                answer = self._gateway.network(window, newer_than_ms)
            self._report.comparisons += len(DIRECTIONS)
            lines += [
                f"whole system, {direction}: expected {expected[0]} x, {unscaled(expected[1])}, "
                f"GraphQL says {answer[direction][0]} x, {unscaled(answer[direction][1])}"
                for direction in DIRECTIONS
                if answer[direction] != expected
            ]
        return lines

    def _network_totals(self, window: Window) -> tuple[int, int]:
        events = chain(self._recount.transfers(), self._recount.undone())
        inside = [event.amount for event in events if event.time_ms in window]
        return len(inside), sum(inside)

    def _compare_counters(self) -> list[str]:
        """The counters hold for some instant between two readings of the topic's ends."""
        self._catch_up()
        low = self._counters()
        answer = self._gateway.pipeline()
        self._catch_up()
        high = self._counters()
        self._report.comparisons += 2
        return [
            f"pipeline.{name}: expected {_between(least, most)}, GraphQL says {said}"
            for name, said, least, most in (
                ("entries", answer.entries, low[0], high[0]),
                ("rejected", answer.rejected, low[1], high[1]),
            )
            if not least <= said <= most
        ]

    def _counters(self) -> tuple[int, int]:
        """How many entries and how many rejected events there must be."""
        recount, fates = self._recount, self._recount.fates()
        events = recount.distinct + len(fates.effective)
        return 2 * events, recount.rejected.total() + fates.rejected.total()

    def _fill_report(self, seconds: float) -> None:
        report, recount, fates = self._report, self._recount, self._recount.fates()
        report.events = recount.records
        report.transfers = recount.distinct
        report.duplicates = recount.duplicates
        report.reversals = len(fates.effective)
        report.held = fates.held
        report.forgotten = fates.forgotten
        report.rejected = recount.rejected.total() + fates.rejected.total()
        events = chain(recount.transfers(), recount.undone())
        report.amount = unscaled(sum(event.amount for event in events))
        report.seconds = round(seconds, 1)


class KafkaTopics:
    """`Topics` of a real cluster."""

    def __init__(self, kafka_servers: str) -> None:
        self._kafka_servers = kafka_servers
        self._offsets = KafkaOffsets(kafka_servers, CONSUMER_GROUP)

    def stable_ends(self, topic: str) -> Offsets:
        return self._offsets.stable_ends(topic)

    def read(self, topic: str, starts: Offsets, ends: Offsets) -> Iterable[Record]:
        return read(self._kafka_servers, topic, starts, ends)


def _between(least: int, most: int) -> str:
    return str(least) if least == most else f"{least} to {most}"


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: exact; 1: differences; 2: wrong arguments, or it could not be compared."""
    parser = argparse.ArgumentParser(prog="./dev verify", description=__doc__)
    parser.add_argument("--kafka", required=True, metavar="SERVERS", help="host:port,…")
    parser.add_argument("--graphql", required=True, metavar="URL")
    parser.add_argument(
        "--headers", type=Path, metavar="FILE", help="JSON object of headers to send to it"
    )
    parser.add_argument(
        "--accounts", type=int, default=30, help="random ones beside the busiest 20"
    )
    parser.add_argument("--seed", type=int, default=None, help="of the random accounts")
    parser.add_argument(
        "--timeout", type=float, default=120.0, help="seconds GraphQL may be behind"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    options = parser.parse_args(arguments)
    seed = random.randrange(2**32) if options.seed is None else options.seed  # noqa: S311

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    try:
        found = options.headers is not None and options.headers.is_file()
        headers = json.loads(options.headers.read_text()) if found else {}
        gateway = Gateway(http_ask(options.graphql, headers))
        report = Verification(KafkaTopics(options.kafka), gateway, say, options.timeout).run(
            options.accounts, seed
        )
    except (VerifyError, GraphQLError, KafkaOffsetsError, JsonHttpError, ValueError) as failure:
        print(f"verify: {failure}", file=sys.stderr)
        return 2
    if options.json:
        fields = {name: getattr(report, name) for name in Report.__slots__}
        print(json.dumps({"exact": not report.differences, **fields}))
    else:
        print(report.as_text())
    return 1 if report.differences else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
