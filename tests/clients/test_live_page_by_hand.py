"""The live page under people's hands: keyboard, pointer, small screens, dark, by a screen reader's rules."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.clients.browser import Page
from tests.clients.live_page import ACCOUNT, MARKS, READY, VIEW, lately_ms
from tests.clients.looked_at import faults, opened, press, tab_to
from tests.clients.served import HeldStore, page_settings, serving

pytestmark = MARKS


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


@pytest.mark.parametrize("account", ["𝔸" * 64, "7" * 70])
async def test_an_id_that_is_typed_is_not_cut(
    store: HeldStore, tmp_path: Path, account: str
) -> None:
    """To a shorter one, which would be another account's; one that is too long is the API's to refuse."""
    async with (
        serving(store, page_settings()) as url,
        opened(f"{url}/#zone=UTC", tmp_path / "profile") as browser,
    ):
        await browser.wait_for("document.querySelector('#sample')?.checkVisibility()")
        await browser.call("Input.insertText", text=account)
        await press(browser, "Enter")
        await browser.wait_for("location.hash.includes('account=')")
        said = "new URLSearchParams(location.hash.slice(1)).get('account')"
        assert await browser.value_of(said) == account


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
    views = [VIEW, f"view=network&{VIEW}", "zone=UTC", f"{VIEW}&with={'W' * 64}"]
    async with (
        serving(store, page_settings(cache_stale_if_error_ms=0)) as url,
        opened(f"{url}/#{VIEW}", tmp_path / "profile", width, dark=dark) as browser,
    ):
        for longest in ("W" * 64, "漢" * 64, "a b " * 15 + "end"):
            for payer, payee in ((longest, ACCOUNT), (ACCOUNT, longest)):
                store.pay(payee, payer, "999999999999999999.12345678", lately_ms())
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


async def place(browser: Page) -> str:
    """The address's fragment."""
    told: str = await browser.value_of("location.hash")
    return told
