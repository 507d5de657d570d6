"""The live page at `/`: a shell without data, its modules, and the documents by which it asks as any client does."""

from __future__ import annotations

import hashlib
from pathlib import Path
from string import Template

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

import graphql_schema
from gateway.pages.elsewhere import not_found
from gateway.pages.files import KEEP_A_DAY, file

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
PAGE_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
"""No text becomes a script or markup; nothing is asked of any other server."""

DOCUMENTS = {
    "live_account": "subscriptions",
    "live_network": "subscriptions",
    "live_pipeline": "subscriptions",
    "pipeline_age": "operations",
    "transactions_page": "operations",
}
"""What the page asks, by the folder of `graphql_schema` that holds it; no other document is shown here."""

_FOLDER = Path(__file__).parent
_SCHEMA = Path(graphql_schema.__file__).parent


def routes(assets: Path, *, graphiql: bool) -> list[Route]:
    """The page and all that it loads; `assets` holds the chart library, `graphiql`: whether that is there, too."""

    async def page(_: Request) -> Response:
        text = Template((_FOLDER / "live_page" / "index.html").read_text("utf-8"))
        link = '<a href="/graphql">GraphiQL</a>' if graphiql else ""
        whole = text.substitute(graphiql=link, modules="\n    ".join(_preloads()))
        return HTMLResponse(whole, headers=PAGE_HEADERS)

    async def module(request: Request) -> Response:
        return file(request, _FOLDER / "live_page")

    async def panel(request: Request) -> Response:
        return file(request, _FOLDER / "live_page" / "panels")

    async def asset(request: Request) -> Response:
        return file(request, assets, KEEP_A_DAY)

    async def document(request: Request) -> Response:
        folder = DOCUMENTS.get(request.path_params["name"].removesuffix(".graphql"))
        if folder is None:
            raise not_found()
        return file(request, _SCHEMA / folder)

    return [
        Route("/", page),
        Route("/page/panels/{name}", panel),
        Route("/page/assets/{name}", asset),
        Route("/page/documents/{name}", document),
        Route("/page/{name}", module),
    ]


def documents() -> dict[str, str]:
    """What the page asks, by its SHA-256."""
    texts = [
        (_SCHEMA / folder / f"{name}.graphql").read_text() for name, folder in DOCUMENTS.items()
    ]
    return {hashlib.sha256(text.encode()).hexdigest(): text for text in texts}


def _preloads() -> list[str]:
    """All modules at once: found one by one, they would be four round trips deep."""
    folder = _FOLDER / "live_page"
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.js"))
    return [f'<link rel="modulepreload" href="/page/{name}">' for name in names]


def look_route() -> Route:
    """What all pages look like."""

    async def look(request: Request) -> Response:
        return file(request, _FOLDER / "look")

    return Route("/look/{name}", look)
