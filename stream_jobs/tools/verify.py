"""Counts the raw topic anew and compares with what GraphQL answers: exact, or the differences.

Every raw record is judged by the shared rules; which of them counted is told by their outcomes, each of which must be
there once and say what the rules say. What of that is wrong is a difference as well.

Traffic may flow meanwhile. What is compared by account ends at a fixed instant before the count began; the
whole-system counters are compared with what was counted before and after they were asked. A record that arrives late
with an old timestamp would still disturb: so whatever differs is counted and asked again. Where Kafka no longer has
the first raw records or outcomes, windows begin where it has all, and the counters since the beginning are left out.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from confluent_kafka import KafkaException

from stream_jobs.audit.beginning import Beginning
from stream_jobs.audit.coverage import Coverage, Settled
from stream_jobs.audit.findings import Finding
from stream_jobs.audit.once import Following, NotFinishedError, following
from stream_jobs.events import settings as event_settings
from stream_jobs.events.erased_accounts import add_key_argument
from stream_jobs.events.money import unscaled
from stream_jobs.json_http import JsonHttpError
from stream_jobs.secret_files import AccessError
from stream_jobs.tools.counted import Counted, Renamed, Transfer
from stream_jobs.tools.reference_answers import DIRECTIONS, Window
from stream_jobs.tools.renamed import renamed
from stream_jobs.tools.verify_answers import Gateway, GraphQLError, http_ask
from stream_jobs.tools.verify_compare import account_differences, expected_answer
from stream_jobs.tools.verify_report import Report
from stream_jobs.topics.access import checked
from stream_jobs.topics.kafka_offsets import KafkaOffsets, KafkaOffsetsError
from stream_jobs.topics.names import Names, add_arguments, names_of
from stream_jobs.topics.offsets import Offsets

BUSIEST = 20
ROUNDS = 3
SHOWN_FINDINGS = 20
# Producers hold records back for moments; a record is rarely later than this after its timestamp.
SETTLED_MS = 3_000
DAY_MS = 86_400_000


class VerifyError(Exception):
    """It could not be compared: something is not there, or does not get as far."""


class Audit(Protocol):
    """What counts, from Kafka; once.Following does it."""

    begin: Beginning
    coverage: Coverage
    records: int
    findings: list[Finding]

    def follow(self, wanted: Offsets, timeout_s: float, tell: Callable[[int], None]) -> None: ...


class Verification:
    """One run; `say` takes lines on how far it is, `ends` tells where the raw topic ends now."""

    def __init__(
        self,
        audit: Callable[[Callable[[Settled], None]], Audit],
        ends: Callable[[], Offsets],
        gateway: Gateway,
        say: Callable[[str], None],
        timeout_s: float,
        renamed: Renamed | None = None,
    ) -> None:
        self._counted = Counted(renamed)
        self._audit = audit(self._counted.take)
        self._ends = ends
        self._gateway = gateway
        self._say = say
        self._timeout_s = timeout_s
        self._told_s = 0.0
        self._report = Report()

    def run(self, random_accounts: int, seed: int) -> Report:
        """Raises VerifyError, GraphQLError, KafkaOffsetsError or JsonHttpError if it cannot be compared."""
        started_s = time.monotonic()
        end_ms = now_ms() - SETTLED_MS
        asked_ms = self._catch_up()
        windows = self._windows(end_ms)
        names = self._counted.busiest()
        some = random.Random(seed).sample(names, min(random_accounts, len(names)))  # noqa: S311
        pending = list(dict.fromkeys([*names[:BUSIEST], *some, "nobody-has-heard-of-this-account"]))
        self._report.accounts = len(pending)
        differences: Mapping[str, list[str]] = {}
        for round_ in range(ROUNDS):
            if round_:
                self._say(f"{len(pending)} differ: counting what came meanwhile")
                asked_ms = self._catch_up()
            differences = self._compare_accounts(pending, windows, asked_ms)
            pending = list(differences)
            if not pending:
                break
        network = self._compare_network(windows, asked_ms)
        counters = [] if self._is_cut else self._compare_counters()
        self._report.differences = [
            *self._findings(),
            *counters,
            *network,
            *(f"{name!r}: {line}" for name, lines in differences.items() for line in lines),
        ]
        self._fill_report(time.monotonic() - started_s)
        return self._report

    @property
    def _is_cut(self) -> bool:
        """Whether Kafka no longer has all there ever was."""
        begin = self._audit.begin
        return begin.since_ms is not None or any(begin.raw.values())

    def _catch_up(self) -> int:
        """Counts up to the topic's present ends, and waits until GraphQL is past this instant."""
        ends = self._ends()
        asked_ms = now_ms()
        try:
            self._audit.follow(ends, self._timeout_s, self._tell)
        except NotFinishedError:
            raise VerifyError(
                f"for {self._timeout_s:.0f} s the job has finished nothing more, or a transaction is open"
            ) from None
        self._await_as_of(asked_ms)
        return asked_ms

    def _tell(self, records: int) -> None:
        if time.monotonic() - self._told_s > 2:
            self._told_s = time.monotonic()
            self._say(f"{records:,} records of events and outcomes read")

    def _findings(self) -> list[str]:
        found = self._audit.findings
        lines = [
            f"raw record [{each.partition}] {each.offset}: {each.kind}, {each.detail}"
            for each in found[:SHOWN_FINDINGS]
        ]
        more = len(found) - len(lines)
        return [*lines, *([f"and {more} more raw records with wrong outcomes"] if more else [])]

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

    def _windows(self, end_ms: int) -> tuple[Window, ...]:
        """All up to the end, as far back as GraphQL answers, and the middle half of it."""
        longest_ms = self._gateway.pipeline().max_window_days * DAY_MS
        first_ms = max(end_ms - longest_ms, self._audit.begin.whole_from_ms)
        times = [t for t in self._counted.times_ms() if first_ms <= t < end_ms]
        if not times:
            return (Window(end_ms - DAY_MS, end_ms),)
        middle = Window(times[len(times) // 4], times[len(times) * 3 // 4] + 1)
        return (Window(times[0], end_ms), middle)

    def _compare_accounts(
        self, names: Sequence[str], windows: Sequence[Window], newer_than_ms: int
    ) -> dict[str, list[str]]:
        transfers: dict[str, list[Transfer]] = {name: [] for name in names}
        for transfer in self._counted.of_accounts(names):
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
        inside = [event.amount for event in self._counted.all() if event.time_ms in window]
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
        return 2 * len(self._counted), self._counted.rejected

    def _fill_report(self, seconds: float) -> None:
        report, counted = self._report, self._counted
        frontier, begin = self._audit.coverage.frontier, self._audit.begin
        report.events = sum(end - begin.raw.get(p, 0) for p, end in frontier.items())
        report.transfers = len(counted) - counted.reversals
        report.duplicates = counted.duplicates
        report.reversals = counted.reversals
        report.held = len(self._audit.coverage.held)
        report.rejected = counted.rejected
        report.amount = unscaled(sum(event.amount for event in counted.all()))
        report.whole = not self._is_cut
        report.seconds = round(seconds, 1)


def _between(least: int, most: int) -> str:
    return str(least) if least == most else f"{least} to {most}"


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


FAILURES = (
    *(VerifyError, GraphQLError, KafkaOffsetsError, KafkaException, JsonHttpError, ValueError),
    AccessError,
)


def _verified(
    options: argparse.Namespace,
    names: Names,
    headers: Mapping[str, str],
    seed: int,
    say: Callable[[str], None],
) -> Report:
    offsets = KafkaOffsets(options.kafka, names.group)
    rules = event_settings.of_arguments(options)
    begun: list[Following] = []

    def audit(settled: Callable[[Settled], None]) -> Following:
        begun.append(following(options.kafka, names, rules, settled, options.erasure_key))
        return begun[0]

    try:
        return Verification(
            audit,
            lambda: offsets.stable_ends(names.transactions_topic),
            Gateway(http_ask(options.graphql, headers)),
            say,
            options.timeout,
            renamed(options.kafka, names.erased_rows_topic, offsets),
        ).run(options.accounts, seed)
    finally:
        for each in begun:
            each.close()


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
    add_arguments(parser)
    event_settings.add_arguments(parser)
    add_key_argument(parser)
    options = parser.parse_args(arguments)
    checked(parser, options.kafka)
    seed = random.randrange(2**32) if options.seed is None else options.seed  # noqa: S311

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    try:
        found = options.headers is not None and options.headers.is_file()
        headers = json.loads(options.headers.read_text()) if found else {}
        report = _verified(options, names_of(options), headers, seed, say)
    except FAILURES as failure:
        print(f"verify: {failure}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps({"exact": not report.differences, **asdict(report)}))
    else:
        print(report.as_text())
    return 1 if report.differences else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
