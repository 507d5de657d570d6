"""A page of the gateway as somebody looks at it: at some width, in some colours, with a keyboard, by a screen reader's rules."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.clients.browser import Page, page

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
WATCH = """window.violations = [];
document.addEventListener('securitypolicyviolation',
  (event) => violations.push(event.effectiveDirective + ' ' + event.blockedURI));"""


@asynccontextmanager
async def opened(
    address: str, profile: Path, width: int = 1_440, *, dark: bool = False, height: int = 900
) -> AsyncIterator[Page]:
    """The page, which must violate no policy and raise nothing."""
    async with page(profile) as browser:
        for domain in ("Page", "Runtime", "Log"):
            await browser.call(f"{domain}.enable")
        await browser.call("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        await browser.call("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        # Nothing fades while it is looked at.
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        await browser.call("Emulation.setEmulatedMedia", features=[scheme, still])
        await browser.call("Page.navigate", url=address)
        yield browser
        assert await browser.value_of("violations") == []
        assert browser.told("Runtime.exceptionThrown") == []


async def cells(browser: Page, selector: str) -> list[str]:
    """The texts of elements."""
    told: list[str] = await browser.value_of(
        f"[...document.querySelectorAll({json.dumps(selector)})].map((each) => each.innerText.trim())"
    )
    return told


async def press(browser: Page, key: str, *, shift: bool = False) -> None:
    """One key, as from a keyboard."""
    code = {"Enter": 13, "Tab": 9, "Escape": 27}.get(key, 0)
    event = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": 8 * shift}
    text = {"text": "\r"} if key == "Enter" else {}
    await browser.call("Input.dispatchKeyEvent", type="keyDown", **event, **text)
    await browser.call("Input.dispatchKeyEvent", type="keyUp", **event)


async def tab_to(browser: Page, selector: str) -> None:
    """By the Tab key alone."""
    for _ in range(80):
        if await browser.value_of(f"document.activeElement.matches({json.dumps(selector)})"):
            return
        await press(browser, "Tab")
    raise AssertionError(f"the Tab key does not lead to {selector}")


async def faults(browser: Page) -> list[str]:
    """What axe-core finds, by rule, with the first elements."""
    await browser.value_of(f"(() => {{ {AXE.read_text()} }})()")
    await browser.value_of("axe.run().then((found) => { window.found = found; }), null")
    await browser.wait_for("!!window.found")
    told: list[str] = await browser.value_of(
        "found.violations.map(({id, nodes}) => `${id}: ${nodes.map((n) => n.html.slice(0, 120)).slice(0, 3)}`)"
    )
    assert await browser.value_of("found.passes.length") > 15
    await browser.value_of("delete window.found")
    return told
