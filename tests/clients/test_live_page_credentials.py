"""The live page where a credential is needed: asked for once, kept where it is put, and what a partner sees."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from local_stack.settings import CHECKOUT
from tests.clients.live_page import ACCOUNT, MARKS, READY, VIEW
from tests.clients.looked_at import cells, opened, press
from tests.clients.served import HeldStore, page_settings, serving

pytestmark = MARKS


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


async def test_a_partner_asks_on_by_the_masks_it_is_shown_and_sees_no_network(
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
        assert [each for each in names if each not in masked] == [ACCOUNT] * (10 - len(masked))
        first = names.index(masked[0])
        amount = (await cells(browser, "#senders tbody [data-exact]"))[first]
        await browser.value_of(f"document.querySelectorAll('#senders tbody a')[{first}].click()")
        await browser.wait_for(f"location.hash.includes('with=masked:') && {READY}")
        await browser.wait_for(
            f"document.querySelector('#received .figure')?.innerText === {json.dumps(amount)}"
        )
        assert masked[0] in (await cells(browser, ".chips"))[0]
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
