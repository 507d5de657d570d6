"""The arithmetic as the tables of docs/scale.md, by the names of their blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, replace

from pinot_config.sizing import arithmetic as a
from pinot_config.sizing.arithmetic import GB, TB, YEAR_DAYS, Load, Measured

HITS = (0.5, 0.9, 0.95)
YEARS = (1, 2, 3)
WINDOWS = ((1, "a day"), (YEAR_DAYS, "a year"), (3 * YEAR_DAYS, "three years"))
WAYS = ((False, "as finished"), (True, "merged"))


def markdown_tables(load: Load, measured: Measured) -> dict[str, str]:
    """Each table as Markdown, by name."""
    return {
        "sizing inputs": _markdown(("argument", "what", "number"), _inputs(load, measured)),
        "sizing segments": _markdown(
            (
                "after",
                "rows",
                "one copy",
                f"{load.replicas} copies",
                "segments as finished",
                "merged",
                "a partition as finished",
                "merged",
                "ideal state as finished",
                "merged",
            ),
            _segments(load, measured),
        ),
        "sizing questions": _markdown(
            (
                "window",
                "table",
                "segments",
                "named by a statement",
                "opened",
                "the same, of a window long ago",
                "CPU a statement on top",
            ),
            _questions(load, measured),
        ),
        "sizing cores": _markdown(
            ("hits", "gateways", *(f"Pinot, {_after(y)}, {w}" for y in (1, 3) for _, w in WAYS)),
            _cores(load, measured),
        ),
        "sizing growth": _markdown(
            (
                "year",
                "transactions",
                "average, peak a second",
                "Kafka",
                "ids: checkpoint, RocksDB",
                "table, one copy",
                "segments, merged",
                "a partition, merged",
                "a segment fills in, average and peak",
            ),
            _growth(load, measured),
        ),
    }


def _inputs(load: Load, measured: Measured) -> Iterator[Sequence[str]]:
    for values in (load, measured):
        for each in fields(values):
            number = getattr(values, each.name)
            told = f"{number:,.0f}" if number >= 1_000 else f"{number:g}"
            yield f"`--{each.name.replace('_', '-')}`", each.metadata["meaning"], told


def _segments(load: Load, measured: Measured) -> Iterator[Sequence[str]]:
    for years in YEARS:
        days = years * YEAR_DAYS
        one = a.table_bytes(load, measured, days)
        whole = [a.segments(load, days, merged=merged) for merged, _ in WAYS]
        yield (
            _after(years),
            f"{a.rows(load, days) / 1e9:.1f} billion",
            f"{one / TB:.1f} TB",
            f"{one * load.replicas / TB:.1f} TB",
            *(f"{each:,.0f}" for each in whole),
            *(f"{each / load.partitions:,.0f}" for each in whole),
            *(_kb(each * measured.ideal_state_bytes) for each in whole),
        )


def _questions(load: Load, measured: Measured) -> Iterator[Sequence[str]]:
    for years in (1, 3):
        days = years * YEAR_DAYS
        for merged, way in WAYS:
            for window, told in WINDOWS:
                if window > days:
                    continue
                long_ago = a.executed_long_ago(load, window, merged=merged)
                yield (
                    told,
                    _after(years),
                    way,
                    f"{a.of_a_partition(load, days, merged=merged):,.0f}",
                    f"{max(1, a.executed(load, days, window, merged=merged)):,.0f}",
                    f"{long_ago:,.0f}" if window < days else "–",
                    f"{a.statement_ms(replace(load, window=window), measured, days, merged=merged):.1f} ms",
                )


def _cores(load: Load, measured: Measured) -> Iterator[Sequence[str]]:
    for hits in HITS:
        yield (
            f"{hits:.0%}",
            _busy(a.gateway_cores(load, measured, hits)),
            *(
                _busy(a.pinot_cores(load, measured, hits, years * YEAR_DAYS, merged=merged))
                for years in (1, 3)
                for merged, _ in WAYS
            ),
        )


def _growth(load: Load, measured: Measured) -> Iterator[Sequence[str]]:
    """Each year twice the one before; the table keeps all of them."""
    before = 0.0
    for year in range(4):
        now = replace(load, transactions=load.transactions * 2**year, peak=load.peak * 2**year)
        there = a.segments(now, YEAR_DAYS, merged=True, rows_before=before)
        before += a.rows(now, YEAR_DAYS)
        yield (
            str(year + 1),
            f"{now.transactions / 1e9:.1f} billion",
            f"{a.average(now):,.0f}, {now.peak:,.0f}",
            f"{a.kafka_bytes(now, measured) / TB:.1f} TB",
            f"{a.ids(now) * measured.id_bytes / GB:,.0f}, {a.ids(now) * measured.id_bytes_on_disk / GB:,.0f} GB",
            f"{before * measured.row_bytes / TB:.1f} TB",
            f"{there:,.0f}",
            f"{there / load.partitions:,.0f}",
            f"{a.fill_hours(now, a.average(now)):.1f} h, {a.fill_hours(now, now.peak) * 60:.0f} min",
        )


def _busy(cores: float) -> str:
    return f"{cores:,.1f} busy, {a.half_idle(cores):,} to have"


def _after(years: int) -> str:
    return "1 year" if years == 1 else f"{years} years"


def _kb(size: float) -> str:
    return f"{size / 1024:,.0f} KiB"


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(line)} |\n" for line in (head, *rows)]
    return "".join([lines[0], "|---" * len(head) + "|\n", *lines[1:]])
