"""The live page when the store or the gateway is away, and when they are back."""

from __future__ import annotations

import json
from pathlib import Path

from tests.clients.browser import page
from tests.clients.live_page import ACCOUNT, MARKS, READY, VIEW, lately_ms
from tests.clients.looked_at import cells, opened
from tests.clients.served import HeldStore, page_settings, serving
from tests.integration.gateway_process import free_port

pytestmark = MARKS


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


async def test_no_window_is_told_where_nothing_is_shown(store: HeldStore, tmp_path: Path) -> None:
    """The window of the view before would be taken for this one's."""
    span = "document.querySelector('#series .span').innerText"
    async with (
        serving(store, page_settings(cache_stale_if_error_ms=0)) as url,
        opened(f"{url}/#{VIEW}", tmp_path / "profile") as browser,
    ):
        for view in (f"account={ACCOUNT}&zone=Mars/Base", "account=a%00b&zone=UTC"):
            await browser.value_of(f"location.hash = '{VIEW}'")
            await browser.wait_for(f"{READY} && {span}.endsWith('Asia/Ho_Chi_Minh')")
            await browser.value_of(f"location.hash = '{view}'")
            await browser.wait_for("document.querySelectorAll('.panel.failed').length === 7")
            assert await browser.value_of(span) == "", view
        store.out = True
        await browser.value_of(f"location.hash = 'account={ACCOUNT}&zone=UTC'")
        await browser.wait_for("document.querySelector('#banner').innerText.includes('Since')")
        await browser.wait_for("document.querySelectorAll('.panel.failed').length === 7")
        assert await browser.value_of(span) == ""
