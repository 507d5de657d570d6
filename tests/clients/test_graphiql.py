"""GraphiQL in a real browser, under the page's content security policy and without the internet."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_stack.settings import StackSettings
from tests.clients.browser import Page, page
from tests.integration.gateway_process import CHECKOUT, GatewayProcess, running

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

WATCH = """window.violations = [];
document.addEventListener('securitypolicyviolation',
  (event) => violations.push(event.effectiveDirective + ' ' + event.blockedURI));"""
RUN = "document.querySelector('.graphiql-execute-button')"
RESULT = "(document.querySelector('.result-window')?.innerText || '')"
HEADERS = "[...document.querySelectorAll('.graphiql-editor-tools button')].find((b) => b.innerText === 'Headers')"
EDITOR = "document.querySelector('.graphiql-editor-tool .graphiql-editor:not(.hidden) .CodeMirror')"


@pytest.fixture(scope="module")
def assets(page_assets: None) -> Path:
    """GraphiQL's files."""
    return StackSettings().graphiql


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("auth")


@pytest.fixture(scope="module")
def owner_key(folder: Path) -> str:
    command = [
        sys.executable,
        "-m",
        "gateway.access.auth.keys",
        "--store",
        str(folder / "keys.json"),
    ]
    command += ["create", "--name", "explorer", "--role", "owner", "--accounts", "acct-000001"]
    made = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    return made.stdout.split()[0]


@pytest.fixture(scope="module")
def gateway(folder: Path, assets: Path, owner_key: str) -> Iterator[GatewayProcess]:
    assert owner_key
    (folder / "masking.key").write_text("0123456789abcdef" * 4)
    with running(
        GATEWAY_AUTH="api_key",
        GATEWAY_AUTH_KEYS=str(folder / "keys.json"),
        GATEWAY_MASKING_KEY_FILE=str(folder / "masking.key"),
        GATEWAY_GRAPHIQL_ASSETS=str(assets),
    ) as process:
        yield process


async def open_graphiql(browser: Page, url: str) -> None:
    for domain in ("Page", "Runtime", "Log", "Audits"):
        await browser.call(f"{domain}.enable")
    await browser.call("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
    await browser.call("Page.navigate", url=f"{url}/graphql")
    await browser.wait_for(f"!!{RUN}")


async def test_a_pasted_header_makes_the_example_run_and_the_policy_is_not_violated(
    gateway: GatewayProcess, owner_key: str, tmp_path: Path
) -> None:
    async with page(tmp_path / "profile") as browser:
        await open_graphiql(browser, gateway.url)
        await browser.value_of(f"{RUN}.click()")
        await browser.wait_for(f"{RESULT}.includes('UNAUTHENTICATED')")

        await browser.value_of(f"{HEADERS}.click()")
        await browser.wait_for(f"!!{EDITOR}")
        await browser.value_of(f"{EDITOR}.CodeMirror.focus()")
        header = json.dumps({"Authorization": f"Bearer {owner_key}"})
        await browser.call("Input.insertText", text=header)
        await browser.wait_for(f"{EDITOR}.CodeMirror.getValue() === {json.dumps(header)}")
        await browser.value_of(f"{RUN}.click()")
        shown = await browser.wait_for(f"{RESULT}.includes('transactionAmount') && {RESULT}")
        assert '"exact": true' in shown

        assert await browser.value_of("violations") == []
        assert browser.told("Runtime.exceptionThrown") == []
        issues = [each["params"]["issue"]["code"] for each in browser.told("Audits.issueAdded")]
        assert "ContentSecurityPolicyIssue" not in issues
        logged = [each["params"]["entry"] for each in browser.told("Log.entryAdded")]
        # Without the header, the schema and the first run were refused, and nothing else was.
        assert {each["text"].partition("(")[0] for each in logged} <= {
            "Failed to load resource: the server responded with a status of 401 "
        }


async def test_the_policy_stops_inline_scripts_and_other_servers(
    gateway: GatewayProcess, tmp_path: Path
) -> None:
    """What the test above would see if GraphiQL needed any of it."""
    async with page(tmp_path / "profile") as browser:
        await open_graphiql(browser, gateway.url)
        await browser.value_of(
            """(() => { const script = document.createElement('script');
            script.textContent = 'window.ran = true'; document.body.append(script);
            fetch('http://127.0.0.1:9/').catch(() => 0); })()"""
        )
        await browser.wait_for("violations.length === 2")
        assert set(await browser.value_of("violations")) == {
            "script-src-elem inline",
            "connect-src http://127.0.0.1:9/",
        }
        assert await browser.value_of("window.ran") is None
        issues = [each["params"]["issue"]["code"] for each in browser.told("Audits.issueAdded")]
        assert "ContentSecurityPolicyIssue" in issues
