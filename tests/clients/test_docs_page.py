"""The documentation in a real browser: searched, read by machines that judge access, opened in GraphiQL."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from local_stack.settings import StackSettings
from tests.clients.browser import Page
from tests.clients.looked_at import cells, faults, opened, press
from tests.clients.served import HeldStore, page_settings, serving

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.timeout(300),
    pytest.mark.usefixtures("packages", "page_assets"),
]


@asynccontextmanager
async def docs(
    tmp_path: Path, fragment: str = "", width: int = 1_440, *, dark: bool = False
) -> AsyncIterator[Page]:
    """The documentation, at a place of it."""
    assets = StackSettings().graphiql
    async with (
        serving(HeldStore(50), page_settings(graphiql_assets=str(assets))) as url,
        opened(f"{url}/docs#{fragment}", tmp_path / "profile", width, dark=dark) as browser,
    ):
        await browser.wait_for(
            "document.readyState === 'complete' && !!document.querySelector('#search')"
        )
        yield browser


async def visible(browser: Page, selector: str) -> list[str]:
    """The ids of the elements that can be seen."""
    told: list[str] = await browser.value_of(
        f"[...document.querySelectorAll({json.dumps(selector)})].filter((e) => e.checkVisibility()).map((e) => e.id)"
    )
    return told


async def test_a_search_leaves_what_says_all_the_words(tmp_path: Path) -> None:
    async with docs(tmp_path) as browser:
        everything = len(await visible(browser, ".entry"))
        assert everything > 200
        await browser.value_of("document.querySelector('#search').focus()")
        await browser.call("Input.insertText", text="Reversal TOTALS")
        shown = await visible(browser, ".entry")
        assert 1 <= len(shown) < 30
        assert "Totals.reversals" in shown
        told = await browser.value_of("document.querySelector('#found').textContent")
        examples = await visible(browser, ".example")
        assert int(told.split()[0]) >= len(shown) + len(examples)
        texts = await cells(browser, ".entry:not([hidden])")
        places = await browser.value_of(
            "[...document.querySelectorAll('.entry:not([hidden])')].map((e) => e.id)"
        )
        for place, text in zip(places, texts, strict=True):
            assert all(word in f"{place} {text}".lower() for word in ("reversal", "totals"))

        await browser.value_of("document.querySelector('#search').value = ''")
        await browser.call("Input.insertText", text="no-such-word")
        assert await visible(browser, ".entry, .example, .chapter") == []
        assert await visible(browser, "#nothing") == ["nothing"]

        # A link leads to its place though the search has hidden it.
        await browser.value_of("location.hash = 'Account.totals'")
        await browser.wait_for(
            "document.querySelector('[id=\"Account.totals\"]').checkVisibility()"
        )
        assert len(await visible(browser, ".entry")) == everything


async def test_an_example_opens_by_its_link_and_runs_in_graphiql(tmp_path: Path) -> None:
    async with docs(tmp_path, "example-account_totals") as browser:
        await browser.wait_for("document.querySelector('#example-account_totals').open")
        await browser.value_of("document.querySelector('#example-account_totals h4 a').click()")
        run = "document.querySelector('.graphiql-execute-button')"
        await browser.wait_for(f"!!{run}")
        await browser.value_of(f"{run}.click()")
        result = "(document.querySelector('.result-window')?.innerText || '')"
        shown = await browser.wait_for(f"{result}.includes('transactionAmount') && {result}")
        assert '"averageAmount"' in shown
        assert '"errors"' not in shown


@pytest.mark.parametrize("width", [360, 1_440])
@pytest.mark.parametrize("dark", [False, True])
async def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(
    tmp_path: Path, width: int, dark: bool
) -> None:
    async with docs(tmp_path, "example-too_many_rows", width, dark=dark) as browser:
        assert await faults(browser) == []
        assert await browser.value_of("document.documentElement.scrollWidth") <= width


async def test_the_search_is_the_first_thing_after_the_links(tmp_path: Path) -> None:
    async with docs(tmp_path) as browser:
        for _ in range(8):
            if await browser.value_of("document.activeElement.id") == "search":
                break
            await press(browser, "Tab")
        assert await browser.value_of("document.activeElement.id") == "search"
