"""`./dev picture`: takes docs/pictures/page.png anew, of the live page on sample data."""

from __future__ import annotations

import asyncio
import base64
import os
import sys
import tempfile
from pathlib import Path

from local_stack.preparation import prepare_pages
from local_stack.settings import CHECKOUT, StackSettings
from tests.clients.looked_at import opened
from tests.integration.gateway_process import running

PICTURE = CHECKOUT / "docs" / "pictures" / "page.png"
MOST_BYTES = 200_000
VIEW = "account=acct-000001&window=last-30-DAY&zone=Asia/Ho_Chi_Minh"
WHOLE = "document.querySelector('#series canvas') && !document.querySelector('main [aria-busy]')"


async def take(url: str, profile: Path) -> bytes:
    """A PNG of the page, once each of its panels has an answer."""
    async with opened(f"{url}/#{VIEW}", profile, 1_440, height=900) as browser:
        await browser.wait_for(WHOLE)
        taken = await browser.call("Page.captureScreenshot", format="png")
    return base64.b64decode(taken["data"])


def main() -> int:
    """Take it on sample data; the exit code is 1 if something is missing or it became too large."""
    stack = StackSettings()
    if not prepare_pages(stack, os.environ, print):
        return 1
    with tempfile.TemporaryDirectory() as folder:
        assets = {"GATEWAY_PAGE_ASSETS": str(stack.uplot)}
        with running(GATEWAY_SAMPLE_TRANSFERS="40000", **assets) as gateway:
            taken = asyncio.run(take(gateway.url, Path(folder) / "profile"))
    if len(taken) > MOST_BYTES:
        print(f"{len(taken)} bytes, more than {MOST_BYTES}: not written")
        return 1
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_bytes(taken)
    print(f"{PICTURE.relative_to(CHECKOUT)}: {len(taken)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
