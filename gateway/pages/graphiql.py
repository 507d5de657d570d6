"""GraphiQL from our own origin, so that it works without the internet; no inline script."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from gateway.pages.elsewhere import not_found

ASSETS = {
    "graphiql.min.js": "text/javascript",
    "graphiql.min.css": "text/css",
    "react.production.min.js": "text/javascript",
    "react-dom.production.min.js": "text/javascript",
}
"""graphiql 2.4.7 and React 18.3.1: the last versions on Maven Central with files for a plain script tag."""

PAGE_FILES = {"start.js": "text/javascript", "start.css": "text/css"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "connect-src 'self'; img-src 'self' data:; font-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": POLICY,
    "Vary": "Accept",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_PAGE = Path(__file__).parent / "graphiql_page"


def page(assets: Path) -> Response:
    """The page, or one that says what is missing."""
    installed = all((assets / name).is_file() for name in ASSETS)
    content = (_PAGE / ("index.html" if installed else "missing.html")).read_text("utf-8")
    return HTMLResponse(content, headers=PAGE_HEADERS)


def page_script() -> str:
    """The script that opens GraphiQL, with the example tabs in it."""
    return (_PAGE / "start.js").read_text("utf-8")


def asset(request: Request, assets: Path) -> Response:
    """One of the known files of the assets' folder."""
    return _file(assets, request.path_params["name"], ASSETS, "public, max-age=86400")


def page_file(request: Request) -> Response:
    """One of the page's own files."""
    return _file(_PAGE, request.path_params["name"], PAGE_FILES, "no-cache")


def _file(folder: Path, name: str, known: dict[str, str], caching: str) -> Response:
    path = folder / name
    if name not in known or not path.is_file():
        raise not_found()
    headers = {"Cache-Control": caching, "X-Content-Type-Options": "nosniff"}
    return FileResponse(path, media_type=known[name], headers=headers)
