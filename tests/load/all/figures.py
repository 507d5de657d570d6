"""What each benchmark's figures say, in one cell of a table: the one place that knows the form of them all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Figures = Mapping[str, Any]


class BrokenError(Exception):
    """A part of a benchmark failed, which it told among its figures."""


def stack(said: Figures) -> str:
    return (
        f"`up --fresh` {said['fresh_s']} s, `up` with the data {said['warm_s']} s; "
        f"{said['memory_mb'] / 1000:.1f} GB after {said['minutes']:g} min"
    )


def cached(said: Figures) -> str:
    ratio, hits = said["ours_to_constant"], said["hits_to_constant"]
    each = {name: said["contestants"][name] for name in ("ours", "constant", "strawberry")}
    rates = _listed(f"{one['requests_per_s']:,.0f}" for one in each.values())
    return (
        f"{ratio['requests_per_s']} × and {said['ours_to_stock']['requests_per_s']} × by requests/s "
        f"({rates}); {hits['cpu']} × a constant by CPU where all are hits{_failed(each)}"
    )


def service_level(said: Figures) -> str:
    return (
        f"{said['seconds']:g} s: {said['ok_per_s']:,.0f}/s at {_percent(said['hit_counted'])} hits on "
        f"{said['server_cores']} cores, {_delay(said['ok'])}, {said['not_answered']} turned away"
    )


def uncached(said: Figures) -> str:
    ratios = [f"{said['ours_to_strawberry_cached']['requests_per_s']} × Strawberry with its caches"]
    if "mercurius" in said["contestants"]:
        ratios.append(f"{said['ours_to_mercurius']['requests_per_s']} × Mercurius")
    else:
        ratios.append("no Node for Mercurius")
    rates = [f"{each['requests_per_s']:,.0f}" for each in said["contestants"].values()]
    names = _listed(said["contestants"])
    return f"{_listed(ratios)} ({names}: {_listed(rates)} requests/s){_failed(said['contestants'])}"


def statement(said: Figures) -> str:
    cells = [
        f"{row['rows']:,} rows, {row['at_once']} at once: {ours:,.0f} and {theirs:,.0f} µs"
        for row in said["rows"]
        for ours, theirs in [row["cpu_us"].values()]
    ]
    return "; ".join(cells)


def overload(said: Figures) -> str:
    cells = [
        f"{row['factor']:g} ×: goodput {row['goodput_ratio']:.2f}, {_percent(row['rejected_share'])} "
        f"refused within {row['reject_p99_ms']} ms (p99), {row['failed']} failed"
        for row in said["runs"]
        if row["limiter"]
    ]
    return "; ".join(cells)


def stampede(said: Figures) -> str:
    cold, hot = said["cold"], said["expiry"]
    return (
        f"{cold['clients']:,} clients, {cold['store_queries']} store query, {cold['failed']} failed; "
        f"a hot key across its expiries p99 {hot['p99_ms']} ms"
    )


def live(said: Figures) -> str:
    cells = [
        f"{said[kind]['clients']:,} {kind}: {said[kind]['cpu_cores']} cores, "
        f"{said[kind]['kib_per_client']} KiB each, {said[kind]['failed']} failed"
        for kind in ("idle", "active", "polling")
    ]
    return "; ".join(cells)


def documents(said: Figures) -> str:
    ours, stock = said["ours_cpu_ms"], said["stock_cpu_ms"]
    return (
        f"p50 {ours['p50']} ms, p99 {ours['p99']} ms; stock p50 {stock['p50']} ms, "
        f"p99 {stock['p99']:,} ms"
    )


def hostile(said: Figures) -> str:
    alone, beside = said["good_alone_ms"], said["good_beside_ms"]
    return (
        f"{said['documents']:,} in {said['attack_s']:.0f} s: {said['server_errors']} answers of 5xx, "
        f"{said['gateway_cores']} of a core, memory {said['rss_growth_percent']:+} %; good users' p99 "
        f"{beside['p99']} instead of {alone['p99']} ms"
    )


def held(said: Figures) -> str:
    longest = max(said["rows"], key=lambda row: row["cpu_ms"])
    return f"{longest['cpu_ms']} ms of CPU at most, by {longest['kind']}; {len(said['rows'])} kinds"


def existence(said: Figures) -> str:
    medians = {name: each["median"] for name, each in said["microseconds"].items()}
    shown = _listed(f"{name} {median} µs" for name, median in medians.items())
    return f"{shown}; t {said['existence_t']}, of one's own {said['own_account_t']}"


def audit(said: Figures) -> str:
    return (
        f"{said['found']} of {said['planted']} of {len(said['kinds'])} kinds found, "
        f"{said['false_alarms']} false alarms; {said['cpu_us_per_event']} µs an event, "
        f"{said['times_judging']} × judging it; {said['state_bytes_per_transfer']} bytes a transfer"
    )


def progress(said: Figures) -> str:
    cells = [
        f"{row['table']}, {row['call_ms']} ms a call: {row['next_p50']} ms"
        for row in said["looks_ms"]
    ]
    return "; ".join(cells)


def state(said: Figures) -> str:
    last = said["looks"][-1]
    return (
        f"at {last['keys'] / 1e6:.1f} million {last['events_per_s']:,}/s, {last['events_per_cpu_s']:,} "
        f"a second of CPU, {last['checkpoint_bytes_per_key']} bytes each in checkpoints, "
        f"{last['bytes_per_key_on_disk']} on disk"
    )


def cost(said: Figures) -> str:
    kinds = ("Account.totals", "Account.topCounterparties", "Account.transactions")
    shown = _listed(f"{kind} {said['question_ms'][kind]} ms" for kind in kinds)
    return f"{shown}; an object {said['object_ms'] * 1000:.0f} µs; {len(said['question_ms'])} kinds"


def sessions(said: Figures) -> str:
    cells = [
        f"Zipf {row['exponent']} {row['contestant']}: {row['per_core']:,.0f} operations/s and core, "
        f"{_delay(row)}, {row['not_answered']} not answered, "
        f"{row['looks']['wrong']} of {row['looks']['looked_at']} wrong"
        for row in said["rows"]
    ]
    return "; ".join(cells)


def end_to_end(said: Figures) -> str:
    cells = []
    for row in said["ratios"]:
        cpu_us = row["cpu_us_per_query"]
        pinot_us = sum(each for part, each in cpu_us.items() if part.startswith("pinot"))
        cells.append(
            f"{_percent(row['hit_counted'])} hits: {row['queries_per_s']:,.0f}/s, "
            f"{cpu_us['gateway'] / 1000:.2f} + {pinot_us / 1000:.2f} ms of CPU in gateway and Pinot, "
            f"{_delay(row['at_60_percent'])} at 60 %"
        )
    return "; ".join(cells)


def sharing(said: Figures) -> str:
    cells = []
    for case, found in said["without"].items():
        spent_us = {layer: row["gateway_us"] + row["pinot_us"] for layer, row in found.items()}
        all_us = spent_us.pop("nothing")
        cells += [f"{case} {layer} {each / all_us:.2f} ×" for layer, each in spent_us.items()]
    return ", ".join(cells)


def plans(said: Figures) -> str:
    rankings = [each for each in said["plans"] if each["question"].startswith("top 10")]
    ways = ("as served", "as served the first time", "one statement")
    cells = [
        f"{each['account']}, {each['window']}, {each['question']}: "
        + ", ".join(f"{each[way]['p50_ms']}" for way in ways)
        + " ms"
        for each in rankings
        if each["account"] == rankings[-1]["account"]
    ]
    return "; ".join(cells)


def segments(said: Figures) -> str:
    cells = []
    for size in said["sizes"]:
        asked = {kind: each for kind, each in size.items() if isinstance(each, dict)}
        kind, each = next(iter(asked.items()))
        spent_ms = sum(spent for name, spent in each.items() if name.endswith("_cpu_ms"))
        cells.append(
            f"{size['segments']:,} ({kind}): {each['queried']} asked, {spent_ms:.1f} ms of CPU"
        )
    return "; ".join(cells)


def startree(said: Figures) -> str:
    size = said["segment"]
    cells = [f"{said['rows'] / 1e6:g} million rows, CPU of Pinot with and without"]
    for each in said["questions"]:
        if each["what"] == "totals" and each["hours"]:
            spent_ms = [
                each[way]["server_cpu_ms"] + each[way]["broker_cpu_ms"]
                for way in ("with", "without")
            ]
            shown = " and ".join(f"{each_ms:,.1f}" for each_ms in spent_ms)
            cells.append(f"{each['of']}, {each['window']}: {shown} ms")
    share = size["with"]["star_tree_bytes"] / size["with"]["bytes"]
    return "; ".join([*cells, f"star-trees are {_percent(share)} of a segment"])


def stores(said: Figures) -> str:
    failed = {name: each["failed"] for name, each in said["stores"].items() if "failed" in each}
    if failed:
        raise BrokenError("\n".join(f"{name}: {why}" for name, why in failed.items()))
    cells = [
        f"{name} is not there"
        if "absent" in each
        else f"{name} {each['queries_per_s']:,.0f}/s, top 10 p50 {each['top']['p50_ms']} ms"
        for name, each in said["stores"].items()
    ]
    return "; ".join(cells)


def job(said: Figures) -> str:
    return (
        f"{said['events_per_cpu_s']:,} events a second of its own CPU, "
        f"{said['events_per_s_from_first_sent_to_last_committed']:,}/s in all"
    )


def freshness(said: Figures) -> str:
    return "; ".join(f"{each['rate']:,}/s: {_flow(each)}" for each in said["runs"])


def pipeline(said: Figures) -> str:
    cells = []
    for each in said["runs"]:
        verdict = "does not hold: " + ", ".join(each["fails"]) if each["fails"] else "holds"
        lag_s = (each["audit_lag_s"] or {}).get("max")
        cores = each["cores"]["all parts"]
        cells.append(
            f"{each['rate']:,}/s {verdict}: {_flow(each)}; {cores} cores, audit at most {lag_s} s behind"
        )
    return "; ".join(cells)


def _flow(trial: Figures) -> str:
    whole = trial["stages_s"]["sent_to_graphql"]
    shown = ", ".join(f"{name} {seconds} s" for name, seconds in whole.items())
    ends, unseen = trial["segments_finished"], trial["probes_unseen"]
    return f"{shown} ({trial['probes']:,} probes, {unseen} unseen, {ends} ends of segments)"


def _delay(of: Figures) -> str:
    return f"p50 {of['p50_ms']:,.1f} ms, p99 {of['p99_ms']:,.1f} ms"


def _percent(share: float | None) -> str:
    return f"{100 * (share or 0):.1f} %"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


def _failed(contestants: Figures) -> str:
    failed = {name: each["failed"] for name, each in contestants.items() if each["failed"]}
    return f"; failed: {failed}" if failed else ""
