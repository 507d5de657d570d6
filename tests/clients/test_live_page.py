"""The live page in a real browser, on a store that the test pays into and takes away; no internet."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from local_stack.settings import CHECKOUT
from tests.clients.browser import Page, page
from tests.clients.looked_at import cells, faults, opened, press, tab_to
from tests.clients.served import HeldStore, answer, page_settings, serving
from tests.integration.gateway_process import free_port

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.timeout(300),
    pytest.mark.usefixtures("packages", "page_assets"),
    # Of an operation that is stopped graphql-core drops what it had not begun to await.
    pytest.mark.filterwarnings(
        "ignore:coroutine '(GraphQLCoreConverter|Executor)[.]:RuntimeWarning"
    ),
]

DOCUMENTS = CHECKOUT / "graphql_schema" / "subscriptions"
ACCOUNT = "acct-000001"
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
WINDOW = {
    "start": (TODAY - timedelta(days=300)).isoformat(),
    "end": (TODAY + timedelta(days=30)).isoformat(),
}
BOTH_ENDS = quote(f"{WINDOW['start']}..{WINDOW['end']}")
VIEW = f"account={ACCOUNT}&window={BOTH_ENDS}&zone=Asia/Ho_Chi_Minh"
HUGE = "9007199254740993.00000001"
"""A float would make 9007199254740992 of it."""

READY = "document.querySelector('main .figure') && !document.querySelector('main [aria-busy]')"


@pytest.fixture
def store() -> HeldStore:
    return HeldStore(2_000)


def lately_ms() -> int:
    """A minute ago, so that `asOf` is behind it."""
    return int(time.time() * 1000) - 60_000


def written(amount: str) -> str:
    """As the page has to write an amount in English."""
    value = Decimal(amount)
    digits = max(2, -int(value.as_tuple().exponent))
    return f"{value:,.{digits}f}"


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


async def test_a_store_that_is_out_is_shown_as_out_and_its_return_as_well(
    store: HeldStore, tmp_path: Path
) -> None:
    quick = page_settings(cache_stale_if_error_ms=0)
    async with (
        serving(store, quick) as url,
        opened(f"{url}/#{VIEW}", tmp_path / "profile") as browser,
    ):
        await browser.wait_for(READY)
        store.out = True
        await browser.wait_for("document.querySelector('#banner').innerText.includes('Since')")
        await browser.wait_for("document.querySelectorAll('.panel.failed').length === 7")
        assert "No answer" in await browser.value_of(
            "document.querySelector('#pipeline').innerText"
        )
        trouble = await cells(browser, ".panel .trouble")
        assert set(trouble) == {"Not available now: below is what was told last."}
        assert "taken away by the test" not in " ".join(trouble)
        # What was told last stays, greyed and with its instant, under the words that say what it is.
        assert len(await cells(browser, "#senders tbody tr")) == 10
        store.out = False
        transaction_id = store.pay(ACCOUNT, "bob", "1.5", lately_ms())
        await browser.wait_for(f"document.body.innerHTML.includes('{transaction_id}')")
        await browser.wait_for("!document.querySelector('#banner').innerText")
        assert await cells(browser, ".panel.failed") == []


async def test_a_gateway_that_is_gone_is_shown_as_gone_and_found_again(
    store: HeldStore, tmp_path: Path
) -> None:
    port = free_port()
    async with page(tmp_path / "profile") as browser:
        await browser.call("Page.enable")
        async with serving(store, page_settings(), port) as url:
            await browser.call("Page.navigate", url=f"{url}/#{VIEW}")
            await browser.wait_for(READY)
            shown = (await cells(browser, "#received .figure"))[0]
        banner = "document.querySelector('#banner').innerText"
        await browser.wait_for(f"{banner}.includes('The gateway does not answer.')")
        assert "complete to" in await browser.value_of(banner)
        assert await cells(browser, "#received .figure") == [shown]
        again = HeldStore(2_000)
        async with serving(again, page_settings(), port):
            await browser.wait_for(f"!{banner}")
            again.pay(ACCOUNT, "bob", "1.5", lately_ms())
            change = (
                f"document.querySelector('#received .figure').innerText !== {json.dumps(shown)}"
            )
            await browser.wait_for(change, within_s=40)


async def test_a_credential_is_asked_for_once_and_stays_where_it_is_put(
    store: HeldStore, tmp_path: Path
) -> None:
    kept, masks = tmp_path / "keys.json", tmp_path / "masking.key"
    masks.write_text("0123456789abcdef" * 4)
    masks.chmod(0o600)
    secret = made_key(kept)
    guarded = page_settings(auth="api_key", auth_keys=str(kept), masking_key_file=str(masks))
    dialog = "!window.old && document.querySelector('#credential-dialog')?.open"
    async with (
        serving(store, guarded) as url,
        opened(f"{url}/#{VIEW}", tmp_path / "profile") as browser,
    ):
        await browser.wait_for(dialog)
        await browser.call("Input.insertText", text=secret)
        await press(browser, "Enter")
        await browser.wait_for(READY)
        assert not await browser.value_of(dialog)
        everywhere = "JSON.stringify([location.href, document.cookie, {...localStorage}, {...sessionStorage}, document.documentElement.outerHTML])"
        assert secret not in await browser.value_of(everywhere)

        # Somebody else's account: told for what it is, and nothing of it is shown.
        await browser.value_of(f"location.hash = '{VIEW.replace(ACCOUNT, 'acct-000002')}'")
        await browser.wait_for("document.querySelectorAll('.panel.failed').length === 7")
        assert await cells(browser, "#received .figure") == []

        await browser.value_of(f"(location.hash = '{VIEW}', window.old = true)")
        await browser.call("Page.reload")
        await browser.wait_for(dialog)
        await browser.value_of("document.querySelector('#credential-keep').click()")
        await browser.value_of("document.querySelector('#credential-field').focus()")
        await browser.call("Input.insertText", text=f"Bearer {secret}")
        await press(browser, "Enter")
        await browser.wait_for(READY)
        await browser.value_of("window.old = true")
        await browser.call("Page.reload")
        await browser.wait_for(f"!window.old && {READY}")
        assert await browser.value_of("Object.keys(localStorage).length") == 0
        logged = json.dumps(browser.told("Log.entryAdded", "Runtime.consoleAPICalled"))
        assert secret not in logged


async def test_a_partner_sees_masks_that_lead_nowhere_and_no_network(
    store: HeldStore, tmp_path: Path
) -> None:
    kept, masks = tmp_path / "keys.json", tmp_path / "masking.key"
    masks.write_text("0123456789abcdef" * 4)
    masks.chmod(0o600)
    secret = made_key(kept, "partner")
    guarded = page_settings(auth="api_key", auth_keys=str(kept), masking_key_file=str(masks))
    async with (
        serving(store, guarded) as url,
        opened(f"{url}/#{VIEW}", tmp_path / "profile") as browser,
    ):
        await browser.wait_for("document.querySelector('#credential-dialog')?.open")
        await browser.call("Input.insertText", text=secret)
        await press(browser, "Enter")
        await browser.wait_for(READY)
        names = await cells(browser, "#senders tbody td:nth-child(2) > :first-child")
        masked = [each for each in names if each.startswith("masked ")]
        assert len(masked) >= 9
        assert await cells(browser, "#senders tbody a") == [ACCOUNT] * (10 - len(masked))
        await browser.value_of("document.querySelector('#to-network').click()")
        await browser.wait_for("document.querySelectorAll('.panel.failed').length === 7")
        assert "for operators" in " ".join(await cells(browser, ".trouble")).lower()


def made_key(kept: Path, role: str = "owner") -> str:
    """The key of somebody who may read the account, in a file."""
    command = [sys.executable, "-P", "-m", "gateway.access.auth.keys", "--store", str(kept)]
    command += ["create", "--name", "explorer", "--role", role, "--accounts", ACCOUNT]
    made = subprocess.run(
        command,
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(CHECKOUT)},
    )
    return made.stdout.split()[0]


async def test_all_of_it_can_be_done_by_keyboard(store: HeldStore, tmp_path: Path) -> None:
    async with (
        serving(store, page_settings()) as url,
        opened(f"{url}/#zone=UTC", tmp_path / "profile") as browser,
    ):
        await browser.wait_for("document.querySelector('#sample')?.checkVisibility()")
        assert await browser.value_of("document.activeElement.id") == "account"
        await browser.call("Input.insertText", text=ACCOUNT)
        await press(browser, "Enter")
        await browser.wait_for(READY)
        assert f"account={ACCOUNT}&window=last-30-DAY&zone=UTC" in await place(browser)

        await tab_to(browser, "#direction-both")
        await press(browser, "ArrowRight")
        await browser.wait_for("location.hash.includes('direction=received')")
        await press(browser, "ArrowRight")
        await browser.wait_for("location.hash.includes('direction=sent')")
        ways = "[...document.querySelectorAll('#transactions .way')].map((each) => each.className)"
        await browser.wait_for(f"{ways}.length > 0 && {ways}.every((each) => each === 'way out')")

        await tab_to(browser, "#series-chart")
        await press(browser, "Home")
        await press(browser, "ArrowRight")
        one = await browser.value_of("document.querySelector('#series .readout').textContent")
        await press(browser, "ArrowRight", shift=True)
        two = await browser.value_of("document.querySelector('#series .readout').textContent")
        assert one != two
        assert "sent " in one
        await press(browser, "Enter")
        await browser.wait_for("location.hash.includes('..')")
        start, _, end = (
            (await place(browser)).partition("window=")[2].partition("&")[0].partition("..")
        )
        days = datetime.fromisoformat(end) - datetime.fromisoformat(start)
        assert days == timedelta(days=2)
        await browser.wait_for(READY)
        await tab_to(browser, ".chips button")
        await press(browser, "Enter")
        await browser.wait_for("location.hash.includes('window=last-30-DAY')")

        # The browser's Back leads to the view before, here the brushed one.
        await browser.value_of("history.back()")
        await browser.wait_for("location.hash.includes('..')")
        await browser.wait_for(READY)


async def place(browser: Page) -> str:
    """The address's fragment."""
    told: str = await browser.value_of("location.hash")
    return told


@pytest.mark.parametrize("width", [360, 1_440])
async def test_a_window_is_brushed_with_the_pointer(
    store: HeldStore, tmp_path: Path, width: int
) -> None:
    async with (
        serving(store, page_settings()) as url,
        opened(f"{url}/#account={ACCOUNT}&zone=UTC", tmp_path / "profile", width) as browser,
    ):
        await browser.wait_for(f"{READY} && !!document.querySelector('#series canvas')")
        await browser.value_of(
            "document.querySelector('#series-chart').scrollIntoView({block: 'center'})"
        )
        box = await browser.value_of(
            "(({left, top, width, height}) => ({left, top, width, height}))(document.querySelector('.u-over').getBoundingClientRect())"
        )
        middle = box["top"] + box["height"] / 2
        for kind, part in (
            ("mousePressed", 0.5),
            ("mouseMoved", 0.6),
            ("mouseMoved", 0.7),
            ("mouseReleased", 0.7),
        ):
            await browser.call(
                "Input.dispatchMouseEvent",
                type=kind,
                x=box["left"] + box["width"] * part,
                y=middle,
                button="left",
                clickCount=1,
            )
        await browser.wait_for("location.hash.includes('..')")
        start, _, end = (
            (await place(browser)).partition("window=")[2].partition("&")[0].partition("..")
        )
        assert (
            timedelta(days=5)
            < datetime.fromisoformat(end) - datetime.fromisoformat(start)
            < timedelta(days=8)
        )
        assert start.endswith("T00:00:00.000Z")


@pytest.mark.parametrize("width", [360, 1_440])
@pytest.mark.parametrize("dark", [False, True])
async def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(
    store: HeldStore, tmp_path: Path, width: int, dark: bool
) -> None:
    views = [VIEW, f"view=network&{VIEW}", "zone=UTC", f"{VIEW}&with=acct-000002"]
    async with (
        serving(store, page_settings(cache_stale_if_error_ms=0)) as url,
        opened(f"{url}/#{VIEW}", tmp_path / "profile", width, dark=dark) as browser,
    ):
        for view in views:
            await browser.value_of(f"location.hash = {json.dumps(view)}")
            await browser.wait_for(
                READY if "account" in view else "!!document.querySelector('.welcome')"
            )
            assert await faults(browser) == [], view
            wide = await browser.value_of("document.documentElement.scrollWidth")
            assert wide <= width, view
        store.out = True
        await browser.wait_for("document.querySelectorAll('.panel.failed').length === 7")
        assert await faults(browser) == [], "out"
        await browser.value_of("document.querySelector('#credential').click()")
        assert await faults(browser) == [], "dialog"


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
        # A day of 23 hours in Berlin; Kathmandu is 5:45 ahead.
        assert await called(
            browser,
            "times.js",
            "[made.startOfDate('2026-03-29', 'Europe/Berlin'), made.startOfDate('2026-03-29', 'Europe/Berlin', 1), made.startOfDate('2026-01-01', 'Asia/Kathmandu'), made.dateOf('2025-12-31T18:15:00Z', 'Asia/Kathmandu')]",
        ) == [
            "2026-03-28T23:00:00.000Z",
            "2026-03-29T22:00:00.000Z",
            "2025-12-31T18:15:00.000Z",
            "2026-01-01",
        ]
