"""The live page in a real browser, on a store that the test pays into: it shows what the API says, to the digit; no internet."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.clients.browser import Page
from tests.clients.live_page import (
    ACCOUNT,
    BOTH_ENDS,
    DOCUMENTS,
    HUGE,
    MARKS,
    READY,
    VIEW,
    WINDOW,
    lately_ms,
    milliseconds,
    written,
)
from tests.clients.looked_at import cells, opened
from tests.clients.served import HeldStore, answer, page_settings, serving

pytestmark = MARKS


async def test_it_shows_what_the_api_says_to_the_digit(store: HeldStore, tmp_path: Path) -> None:
    async with serving(store, page_settings()) as url:
        for number, amount in enumerate((HUGE, "0.1", "1000000.5", "12.345")):
            store.pay(ACCOUNT, "ünïcode <b>", amount, lately_ms() - number * 3_600_000)
        document = (DOCUMENTS / "live_account.graphql").read_text()
        variables = {
            "accountId": ACCOUNT,
            "window": {"between": WINDOW},
            "granularity": "WEEK",
            "timeZone": "Asia/Ho_Chi_Minh",
        }
        query = document.replace("\nsubscription ", "\nquery ", 1)
        told = (await answer(url, query, variables))["data"]["account"]
        async with opened(f"{url}/#{VIEW}", tmp_path / "profile") as browser:
            await browser.wait_for(READY)
            for side in ("received", "sent"):
                totals = told[side]
                figure, count = await cells(browser, f"#{side} [data-exact]")
                assert figure == written(totals["transactionAmount"])
                assert count == f"{totals['transactionCount']:,}"
            net = told["netFlow"]
            sign = "+" if not net["netAmount"].startswith("-") else ""
            assert await cells(browser, "#net-flow .figure") == [sign + written(net["netAmount"])]
            for panel in ("senders", "receivers"):
                ranking = told[panel]
                shown = await cells(browser, f"#{panel} tbody tr td:nth-child(2) > :first-child")
                assert shown == [row["accountId"] for row in ranking["rows"]]
                sums = [*ranking["rows"], ranking["others"], ranking["total"]]
                amounts = await cells(browser, f"#{panel} [data-exact]")
                assert amounts == [written(each["transactionAmount"]) for each in sums]
                ranks = await cells(browser, f"#{panel} .rank")
                assert [each.split()[0] for each in ranks] == [
                    str(row["rank"]) for row in ranking["rows"]
                ]
            nodes = [edge["node"] for edge in told["transactions"]["edges"]]
            amounts = await cells(browser, "#transactions [data-exact]")
            assert amounts == [written(node["amount"]) for node in nodes]
            await browser.value_of("document.querySelector('#series summary').click()")
            await browser.wait_for("!!document.querySelector('#series tbody tr')")
            bars = await cells(browser, "#series td[data-exact]")
            both = zip(told["receivedSeries"]["points"], told["sentSeries"]["points"], strict=True)
            assert bars == [written(p["transactionAmount"]) for pair in both for p in pair]
            assert any(HUGE[:7] in bar.replace(",", "") for bar in bars)
            panels = ("received", "sent", "net-flow", "series", "senders", "receivers")
            for panel in panels:
                assert (await cells(browser, f"#{panel} .asof"))[0].startswith("As of ")
            assert (await cells(browser, "#pipeline"))[0].startswith("Live")
            assert await browser.value_of("!!document.querySelector('#series canvas')")


async def test_operators_see_the_network_to_the_digit(store: HeldStore, tmp_path: Path) -> None:
    async with serving(store, page_settings()) as url:
        store.pay(ACCOUNT, "bob", HUGE, lately_ms())
        variables = {"window": {"between": WINDOW}, "granularity": "WEEK", "timeZone": "UTC"}
        told: dict[str, Any] = {}
        for name in ("live_network", "live_pipeline"):
            document = (DOCUMENTS / f"{name}.graphql").read_text()
            used = {key: value for key, value in variables.items() if f"${key}:" in document}
            query = document.replace("\nsubscription ", "\nquery ", 1)
            told |= (await answer(url, query, used))["data"]
        network, pipeline = told["network"], told["pipeline"]
        view = f"view=network&window={BOTH_ENDS}&zone=UTC"
        async with opened(f"{url}/#{view}", tmp_path / "profile") as browser:
            await browser.wait_for(f"{READY} && !!document.querySelector('#audit dl')")
            figure, count = await cells(browser, "#network-totals [data-exact]")
            assert figure == written(network["totals"]["transactionAmount"])
            assert count == f"{network['totals']['transactionCount']:,}"
            ranking = network["topAccounts"]
            amounts = await cells(browser, "#top-accounts [data-exact]")
            sums = [*ranking["rows"], ranking["others"], ranking["total"]]
            assert amounts == [written(each["transactionAmount"]) for each in sums]
            for panel, field in (("network-series", "timeSeries"), ("throughput", "throughput")):
                await browser.value_of(f"document.querySelector('#{panel} summary').click()")
                await browser.wait_for(f"!!document.querySelector('#{panel} tbody tr')")
                shown = await cells(browser, f"#{panel} tbody td")
                points = network[field]["points"]
                if panel == "network-series":
                    assert shown == [
                        each
                        for point in points
                        for each in (
                            written(point["transactionAmount"]),
                            f"{point['transactionCount']:,}",
                        )
                    ]
                else:  # the minutes have gone on since
                    assert len(shown) == 2 * len(points)
            reasons = await cells(browser, "#rejects tbody td")
            assert reasons == [
                each
                for row in pipeline["rejectedByReason"]
                for each in (row["reason"], f"{row['count']:,}")
            ]
            facts = await cells(browser, "#freshness dd")
            assert facts[:3] == [f"{pipeline['entries']:,}", f"{pipeline['rejected']:,}", "no"]
            assert (
                "Sample data: there is nothing to compare." in (await cells(browser, "#audit"))[0]
            )


async def test_what_arrives_is_shown_without_a_reload(store: HeldStore, tmp_path: Path) -> None:
    async with (
        serving(store, page_settings()) as url,
        opened(f"{url}/#{VIEW}", tmp_path / "profile") as browser,
    ):
        await browser.wait_for(READY)
        before = (await cells(browser, "#received .figure"))[0]
        transaction_id = store.pay(ACCOUNT, "somebody-new", "5000000.01", lately_ms())
        row = f"#transactions [data-transaction='{transaction_id}']"
        await browser.wait_for(f"!!document.querySelector({json.dumps(row)})", within_s=10)
        after = (await cells(browser, "#received .figure"))[0]
        change = Decimal(after.replace(",", "")) - Decimal(before.replace(",", ""))
        assert change == Decimal("5000000.01")
        assert (await cells(browser, "#senders tbody a"))[0] == "somebody-new"
        entered = "[...document.querySelectorAll('#senders .fresh')].map((r) => r.dataset.account)"
        assert await browser.value_of(entered) == ["somebody-new"]
        assert await cells(browser, f"{row}.fresh td:last-child") == ["5,000,000.01"]
        assert await browser.value_of("document.querySelector('#said').textContent") == (
            "1 new transaction."
        )


IN_MODULES = (
    """import('/page/{module}').then((made) => {{ window.got = JSON.stringify({calls}); }}), null"""
)


async def called(browser: Page, module: str, calls: str) -> Any:
    """What functions of one of the page's modules give, called in the browser."""
    await browser.value_of("delete window.got")
    await browser.value_of(IN_MODULES.format(module=module, calls=calls))
    return json.loads(await browser.wait_for("window.got"))


async def test_amounts_windows_and_views_are_written_exactly(
    store: HeldStore, tmp_path: Path
) -> None:
    async with (
        serving(store, page_settings()) as url,
        opened(f"{url}/#zone=UTC", tmp_path / "profile") as browser,
    ):
        await browser.wait_for("!!document.querySelector('.welcome')")
        amounts = ["0", "-0.5", HUGE, "123456789012345678901234567890.12345678", "1000000.5", "-12"]
        assert await called(
            browser, "decimals.js", f"{json.dumps(amounts)}.map((each) => made.amount(each))"
        ) == [written(each) for each in amounts]
        assert await called(
            browser,
            "decimals.js",
            "[made.percent('0.12345678'), made.percent('-0.5', true), made.sign('-0.01'), made.sign('0.00'), made.amount('5', true)]",
        ) == ["12.3%", "-50.0%", -1, 0, "+5.00"]
        codes = [
            "last-30-DAY",
            "full-12-MONTH",
            "running-1-WEEK",
            "this-month",
            "today",
            "2026-01-01T00:00:00+07:00..2026-01-02T00:00:00Z",
        ]
        assert await called(browser, "windows.js", f"{json.dumps(codes)}.map(made.toInput)") == [
            {"last": {"count": 30, "unit": "DAY"}},
            {"lastFull": {"count": 12, "unit": "MONTH"}},
            {"lastWithRunning": {"count": 1, "unit": "WEEK"}},
            {"calendar": "THIS_MONTH"},
            {"calendar": "TODAY"},
            {"between": {"start": "2026-01-01T00:00:00+07:00", "end": "2026-01-02T00:00:00Z"}},
        ]
        fitting = {
            "full-12-MONTH": "MONTH",
            "full-8-QUARTER": "MONTH",
            "running-3-YEAR": "MONTH",
            "last-year": "MONTH",
            "this-quarter": "DAY",
            "full-52-WEEK": "WEEK",
            "last-12-MONTH": "WEEK",  # it begins in the middle of a month, too
        }
        assert await called(
            browser, "windows.js", f"{json.dumps(list(fitting))}.map(made.grainFor)"
        ) == list(fitting.values())
        wrong = [
            "",
            "last-0x3-DAY",
            "next-month",
            "2026-01-02..2026-01-01",
            "a..b",
            "last-3-FORTNIGHT",
        ]
        assert (
            await called(browser, "windows.js", f"{json.dumps(wrong)}.map(made.toInput)")
            == [None] * 6
        )
        said = "#account=a%26b&with=c+d&window=2026-01-01T00:00:00%2B07:00..2026-01-02T00:00:00Z&zone=Asia/Kathmandu&direction=sent&measure=count&compare=previous_year&buckets=hour"
        assert (
            await called(browser, "view.js", f"made.write(made.read({json.dumps(said)}))") == said
        )
        by_hand = "#window=2026-01-01T00:00:00+07:00..2026-01-02T00:00:00+05:45&zone=Etc/GMT+7"
        assert await called(
            browser, "view.js", f"(({{window, zone}}) => [window, zone])(made.read('{by_hand}'))"
        ) == ["2026-01-01T00:00:00+07:00..2026-01-02T00:00:00+05:45", "Etc/GMT+7"]
        links = {
            "99999999999999999999": "99999999999999999999",
            "1e3": "1e3",
            "007": "007",
            "-0": "-0",
            "%F0%9F%98%80": "😀",
            "100%25": "100%",
            "%E9": "",  # no UTF-8: it would be the account of the replacement character
            "a%ED%A0%80": "",
            "a&with=%C3": "",
        }
        read = "each => made.read('#account=' + each).account"
        assert await called(browser, "view.js", f"{json.dumps(list(links))}.map({read})") == list(
            links.values()
        )
        assert (
            await called(
                browser, "times.js", "made.dateOf('2025-12-31T18:15:00Z', 'Asia/Kathmandu')"
            )
            == "2026-01-01"
        )


# Where a date begins, from the dates on both sides: days of 23 and 25 hours, midnights that a clock left
# out or showed twice, a date that was never, and one that was cut off after a minute and went on an hour later.
BEGINNINGS = {
    ("Europe/Berlin", "2026-03-29"): "2026-03-28T23:00:00.000Z",
    ("Europe/Berlin", "2026-03-30"): "2026-03-29T22:00:00.000Z",
    ("Europe/Berlin", "2026-10-26"): "2026-10-25T23:00:00.000Z",
    ("Asia/Kathmandu", "2026-01-01"): "2025-12-31T18:15:00.000Z",
    ("America/Havana", "2026-03-08"): "2026-03-08T05:00:00.000Z",
    ("America/Havana", "2026-11-01"): "2026-11-01T04:00:00.000Z",
    ("America/Sao_Paulo", "2018-11-04"): "2018-11-04T03:00:00.000Z",
    ("America/Sao_Paulo", "2018-02-18"): "2018-02-18T03:00:00.000Z",
    ("Asia/Beirut", "2026-03-29"): "2026-03-28T22:00:00.000Z",
    ("Pacific/Apia", "2011-12-29"): "2011-12-29T10:00:00.000Z",
    ("Pacific/Apia", "2011-12-30"): "2011-12-30T10:00:00.000Z",
    ("Pacific/Apia", "2011-12-31"): "2011-12-30T10:00:00.000Z",
    ("America/St_Johns", "2010-11-07"): "2010-11-07T02:30:00.000Z",
}


async def test_a_date_begins_where_the_zones_clock_first_shows_it(
    store: HeldStore, tmp_path: Path
) -> None:
    async with (
        serving(store, page_settings()) as url,
        opened(f"{url}/#zone=UTC", tmp_path / "profile") as browser,
    ):
        await browser.wait_for("!!document.querySelector('.welcome')")
        asked = json.dumps([[day, zone] for zone, day in BEGINNINGS])
        begins = "([day, zone]) => made.startOfDate(day, zone)"
        told = await called(browser, "times.js", f"{asked}.map({begins})")
        assert dict(zip(BEGINNINGS, told, strict=True)) == BEGINNINGS
        from_before = "([day, zone]) => made.startOfDate(new Date(Date.parse(day) - 86_400_000).toISOString().slice(0, 10), zone, 1)"
        assert await called(browser, "times.js", f"{asked}.map({from_before})") == told


async def test_buckets_of_an_hour_that_comes_twice_are_told_apart(
    store: HeldStore, tmp_path: Path
) -> None:
    starts = {
        ("Europe/Berlin", "HOUR"): ("2026-10-24T22:00Z", 4),
        ("Australia/Lord_Howe", "FIFTEEN_MINUTES"): ("2026-04-04T13:45Z", 12),
        ("Antarctica/Troll", "HOUR"): ("2026-10-24T22:00Z", 7),
        ("America/Havana", "DAY"): ("2026-11-01T04:00Z", 1),
        ("Asia/Kathmandu", "HOUR"): ("2026-10-24T18:15Z", 4),
    }
    step_ms = {"HOUR": 3_600_000, "FIFTEEN_MINUTES": 900_000, "DAY": 86_400_000}
    async with (
        serving(store, page_settings()) as url,
        opened(f"{url}/#zone=UTC", tmp_path / "profile") as browser,
    ):
        await browser.wait_for("!!document.querySelector('.welcome')")
        for (zone, granularity), (first, count) in starts.items():
            instants = [milliseconds(first) + n * step_ms[granularity] for n in range(count)]
            call = f"{instants}.map((at) => made.bucket(at, '{granularity}', '{zone}'))"
            told = await called(browser, "times.js", call)
            assert len(set(told)) == count, told
            changed = {
                datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).utcoffset() for at in instants
            }
            assert any("GMT" in each for each in told) == (len(changed) > 1), told


async def test_chosen_dates_are_whole_though_a_midnight_is_left_out(
    store: HeldStore, tmp_path: Path
) -> None:
    """Havana's clock goes from 23:59 on 7 March 2026 to 1:00 on the 8th."""
    async with (
        serving(store, page_settings()) as url,
        opened(f"{url}/#account=kiosk-7&zone=America/Havana", tmp_path / "profile") as browser,
    ):
        store.pay("kiosk-7", "guest", "1", milliseconds("2026-03-08T04:59:59.999Z"))
        store.pay("kiosk-7", "guest", "20", milliseconds("2026-03-08T05:00:00Z"))
        store.pay("kiosk-7", "guest", "300", milliseconds("2026-03-09T03:59:59.999Z"))
        store.pay("kiosk-7", "guest", "4000", milliseconds("2026-03-09T04:00:00Z"))
        await browser.wait_for(READY)
        for field, value in (("window", "own"), ("from", "2026-03-08"), ("to", "2026-03-08")):
            await browser.value_of(
                f"(document.querySelector('#{field}').value = '{value}', document.querySelector('#{field}').dispatchEvent(new Event('change')))"
            )
        await browser.wait_for(
            "document.querySelector('#received .figure')?.innerText === '320.00'"
        )
        assert await cells(browser, "#series .span") == ["Mar 8, 2026, America/Havana"]


async def test_amounts_are_told_in_the_currency_of_the_deployment(
    store: HeldStore, tmp_path: Path
) -> None:
    async with (
        serving(store, page_settings(currency="EUR")) as url,
        opened(f"{url}/#account=kiosk-7&window=today&zone=UTC", tmp_path / "profile") as browser,
    ):
        store.pay("kiosk-7", "guest", "1234.5", lately_ms())
        figure = "document.querySelector('#received .figure')?.innerText"
        await browser.wait_for(f"{figure} === '€1,234.50'")
        assert await cells(browser, "#net-flow .figure") == ["+€1,234.50"]
        for panel in ("senders", "transactions"):
            assert (await cells(browser, f"#{panel} thead th"))[-1] == "Amount, EUR"
        told = {
            "EUR": (HUGE, "€9,007,199,254,740,993.00000001"),
            "JPY": ("-500", "-¥500"),
            "KWD": ("1.5", "KWD\u00a01.500"),
            "USDC": ("1.5", "1.50 USDC"),
            "": ("1.5", "1.50"),
        }
        for code, (amount, written_so) in told.items():
            calls = f"[made.setCurrency({json.dumps(code)}), made.money({json.dumps(amount)})][1]"
            assert await called(browser, "decimals.js", calls) == written_so
