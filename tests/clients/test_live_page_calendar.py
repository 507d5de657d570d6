"""Weeks and years that begin elsewhere: chosen by keyboard, said by the link, and meant by every panel."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.clients.live_page import ACCOUNT, MARKS, READY
from tests.clients.looked_at import cells, opened, press, tab_to
from tests.clients.served import HeldStore, page_settings, serving

pytestmark = MARKS
KATHMANDU = ZoneInfo("Asia/Kathmandu")
KIOSK = "kiosk-7"


def ms(moment: datetime) -> int:
    """Epoch milliseconds."""
    return int(moment.timestamp() * 1000)


def midnight(days_ago: int = 0) -> datetime:
    """Where a day begins in Kathmandu, whose clock never changes."""
    today = datetime.now(KATHMANDU).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days_ago)


async def test_they_are_chosen_by_keyboard_and_kept_by_the_link(
    store: HeldStore, tmp_path: Path
) -> None:
    async with serving(store, page_settings()) as url:
        view = f"account={ACCOUNT}&window=this-week&zone=UTC"
        async with opened(f"{url}/#{view}", tmp_path / "one") as browser:
            await browser.wait_for(READY)
            await tab_to(browser, "#weeks")
            await press(browser, "ArrowDown")
            await browser.wait_for("location.hash.endsWith('&zone=UTC&weeks=saturday')")
            await tab_to(browser, "#years")
            await press(browser, "End")
            await browser.wait_for("location.hash.endsWith('&weeks=saturday&years=12')")
            await browser.wait_for(READY)
            address = await browser.value_of("location.href")
            shown = await cells(browser, "#series .span")
        async with opened(address, tmp_path / "another") as browser:
            await browser.wait_for(READY)
            assert await browser.value_of("document.querySelector('#weeks').value") == "SATURDAY"
            assert await browser.value_of("document.querySelector('#years').value") == "12"
            assert await cells(browser, "#series .span") == shown


async def test_weeks_from_saturday_are_those_of_every_figure(
    store: HeldStore, tmp_path: Path
) -> None:
    today = midnight()
    running = midnight((today.weekday() - 5) % 7)
    before = running - timedelta(days=7)
    paid = {
        "1000.01": ms(before) - 1,
        "200.02": ms(before),
        "30.03": ms(running) - 1,
    }
    view = f"account={KIOSK}&zone=Asia/Kathmandu&weeks=saturday"
    async with (
        serving(store, page_settings()) as url,
        opened("about:blank", tmp_path / "profile") as browser,
    ):
        for amount, at_ms in paid.items():
            store.pay(KIOSK, "guest", amount, at_ms)
        await browser.call("Page.navigate", url=f"{url}/#{view}&window=last-week")
        await browser.wait_for(READY)
        assert await cells(browser, "#received .figure") == ["230.05"]
        assert await cells(browser, "#transactions [data-exact]") == ["30.03", "200.02"]
        assert "from 1,000.01" in (await cells(browser, "#received .change"))[0]
        await browser.value_of(
            f"location.hash = {json.dumps(f'{view}&window=running-3-WEEK&buckets=week')}"
        )
        await browser.wait_for(f"document.title.includes('3 whole weeks') && {READY}")
        await browser.value_of("document.querySelector('#series summary').click()")
        await browser.wait_for("!!document.querySelector('#series tbody tr')")
        starts = await browser.value_of(
            "[...document.querySelectorAll('#series tbody tr')].map((row) => row.dataset.start)"
        )
        weeks = [before - timedelta(days=7), before, running]
        assert [datetime.fromisoformat(start) for start in starts] == weeks
        received = (await cells(browser, "#series td[data-exact]"))[::2]
        assert received == ["1,000.01", "230.05", "0.00"]


async def test_bars_of_whole_periods_are_whole(store: HeldStore, tmp_path: Path) -> None:
    view = f"account={ACCOUNT}&zone=Asia/Kathmandu&weeks=sunday&years=4"
    partial = "[...document.querySelectorAll('#series tbody .badge')].length"
    async with (
        serving(store, page_settings()) as url,
        opened(f"{url}/#{view}&window=last-30-DAY", tmp_path / "profile") as browser,
    ):
        await browser.wait_for(READY)
        await browser.value_of("document.querySelector('#series summary').click()")
        await browser.wait_for(f"{partial} === 2")
        offered = "[...document.querySelectorAll('#window optgroup[label=\"Whole periods only\"] option')].map((each) => each.value)"
        windows = await browser.value_of(offered)
        assert len(windows) >= 4
        for window in windows:
            await browser.value_of(f"location.hash = {json.dumps(f'{view}&window={window}')}")
            await browser.wait_for(f"{READY} && location.hash.includes('window={window}')")
            assert (
                await browser.value_of("document.querySelectorAll('#series tbody tr').length") > 7
            )
            assert await browser.value_of(partial) == 0, window


async def test_a_fiscal_year_is_paged_through_to_its_first_day(
    store: HeldStore, tmp_path: Path
) -> None:
    today = midnight()
    # The year that begins in the month after this one began eleven months ago.
    month = today.month % 12 + 1
    start = today.replace(day=1, month=month, year=today.year - (month > today.month))
    earlier = start.replace(year=start.year - 1)
    view = f"account={KIOSK}&zone=Asia/Kathmandu&window=last-year&years={month}"
    async with (
        serving(store, page_settings()) as url,
        opened("about:blank", tmp_path / "profile") as browser,
    ):
        for number in range(33):
            store.pay(KIOSK, "guest", f"{number + 1}.5", ms(start) - 1 - number)
        store.pay(KIOSK, "guest", "7000", ms(earlier))
        store.pay(KIOSK, "guest", "90000", ms(earlier) - 1)
        store.pay(KIOSK, "guest", "800000", ms(start))
        await browser.call("Page.navigate", url=f"{url}/#{view}")
        await browser.wait_for(READY)
        assert await cells(browser, "#received .figure") == ["7,577.50"]
        await browser.value_of("document.querySelector('#transactions .more button').click()")
        rows = "document.querySelectorAll('#transactions tbody tr')"
        await browser.wait_for(f"{rows}.length === 34")
        assert (await cells(browser, "#transactions [data-exact]"))[-2:] == ["33.50", "7,000.00"]
        times = await cells(browser, "#transactions tbody time")
        assert f", {earlier.year}, " in times[-1]  # of what year, where it is not this one
