"""`./dev picture`: takes docs/pictures/graphiql.png anew, of GraphiQL answering the first question."""

from __future__ import annotations

import asyncio
import base64
import os
import sys
import tempfile
from pathlib import Path

from local_stack.preparation import prepare_pages
from local_stack.settings import CHECKOUT, StackSettings
from tests.clients.browser import page
from tests.integration.gateway_process import running

PICTURE = CHECKOUT / "docs" / "pictures" / "graphiql.png"
MOST_BYTES = 200_000
RUN = "document.querySelector('.graphiql-execute-button')"
RESULT = "(document.querySelector('.result-window')?.innerText || '')"


async def take(url: str, profile: Path) -> bytes:
    """A PNG of the page, once it has run its first example."""
    async with page(profile) as browser:
        await browser.call("Page.navigate", url=url)
        await browser.wait_for(f"!!{RUN}")
        await browser.value_of(f"{RUN}.click()")
        await browser.wait_for(f"{RESULT}.includes('transactionAmount')")
        # The fields have their colours once the schema is here.
        await browser.wait_for("!!document.querySelector('.graphiql-query-editor .cm-property')")
        taken = await browser.call("Page.captureScreenshot", format="png")
    return base64.b64decode(taken["data"])


def main() -> int:
    """Take it on sample data; the exit code is 1 if something is missing or it became too large."""
    stack = StackSettings()
    if not prepare_pages(stack, os.environ, print):
        return 1
    with tempfile.TemporaryDirectory() as folder:
        assets = {"GATEWAY_GRAPHIQL_ASSETS": str(stack.graphiql)}
        with running(GATEWAY_SAMPLE_TRANSFERS="40000", **assets) as gateway:
            taken = asyncio.run(take(f"{gateway.url}/graphql", Path(folder) / "profile"))
    if len(taken) > MOST_BYTES:
        print(f"{len(taken)} bytes, more than {MOST_BYTES}: not written")
        return 1
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_bytes(taken)
    print(f"{PICTURE.relative_to(CHECKOUT)}: {len(taken)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
