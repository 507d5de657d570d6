"""The files that pages are made of, by name: of known kinds, out of one folder each, and nothing beside them."""

from __future__ import annotations

import re
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from gateway.pages.elsewhere import not_found

KINDS = {
    ".css": "text/css",
    ".graphql": "application/graphql",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
ASK_EACH_TIME = "no-cache"
KEEP_A_DAY = "public, max-age=86400"
_NAME = re.compile(r"\w[\w.-]*")


def file(request: Request, folder: Path, caching: str = ASK_EACH_TIME) -> Response:
    """The file that the path's `name` names, 304 if the browser has it; raises 404 if there is none."""
    name = request.path_params["name"]
    path = folder / name
    if path.suffix not in KINDS or _NAME.fullmatch(name) is None or not path.is_file():
        raise not_found()
    headers = {"Cache-Control": caching, "X-Content-Type-Options": "nosniff"}
    found = FileResponse(path, 200, headers, KINDS[path.suffix], stat_result=path.stat())
    if request.headers.get("if-none-match") == found.headers["etag"]:
        return Response(status_code=304, headers={**headers, "ETag": found.headers["etag"]})
    return found
